"""The classes of a study: those that models find, and a person's own."""

from collections.abc import Iterable
from dataclasses import replace

import msgspec

from segcore.annotations import Class, Taxonomy, load_taxonomy
from segcore.annotations.colours import Colour, colour_for
from segcore.annotations.qupath_classes import NamedColour
from segcore.annotations.taxonomy import is_ignored, parent_of, tidied
from segcore.errors import AnnotationError
from viewer.document import Event, Study

KEYS = 9
"""The first classes of the list have the number keys 1 to 9."""
LAST_CODE = 255
_SETTING = "classes"
_STAINED: dict[str, Colour] = {
    "Positive": (200, 50, 50),
    "Negative": (90, 90, 180),
    "1+": (255, 255, 0),
    "2+": (255, 187, 62),
    "3+": (250, 62, 62),
}
"""QuPath's colours of what is derived from a class by how strongly it is stained."""


class Classes:
    """The list of classes of the open study, the built-in ones where none is open.

    Every change is stored with the study at once. What cannot be done is an AnnotationError; a study that
    cannot be written is a StudyError, and the list then stays as it was.
    """

    def __init__(self) -> None:
        self._built_in = load_taxonomy()
        self._study: Study | None = None
        self.taxonomy = self._built_in
        self.damaged = ""
        """One sentence where what the study holds cannot be read."""
        self.changed: Event[Taxonomy] = Event()

    def follow(self, study: Study | None) -> None:
        """Take on the list of a study."""
        self._study, self.damaged = study, ""
        text = study.get_setting(_SETTING) if study is not None else None
        self._show(self._read(text) if text else self._built_in.classes)

    def numbered(self, number: int) -> Class | None:
        """Return the class of a number key, None where there is none."""
        within = 1 <= number <= min(KEYS, len(self.taxonomy.classes))
        return self.taxonomy.classes[number - 1] if within else None

    def again(self, each: Class) -> Class:
        """Return a class as it is now; where it is gone, the first of the list."""
        same = (own for own in self.taxonomy.classes if own.code == each.code)
        return next(same, self.taxonomy.classes[0])

    def is_built_in(self, each: Class) -> bool:
        """Whether models know the class, so that its name and its pixel value must stay."""
        return any(each.code == own.code for own in self._built_in.classes)

    def add(self, name: str, colour: Colour | None = None) -> Class:
        """Add a class, "Tumor: Positive" being derived from Tumor; return it."""
        added = self._made(self._checked(name), colour, self.taxonomy.classes)
        self._keep((*self.taxonomy.classes, added))
        return added

    def adopt(self, foreign: Iterable[NamedColour]) -> int:
        """Add the classes of another program that are not there yet; return how many."""
        classes = self.taxonomy.classes
        for name, colour in foreign:
            if Taxonomy("", classes).find(tidied(name)) is None:
                classes = (*classes, self._made(tidied(name), colour, classes))
        added = len(classes) - len(self.taxonomy.classes)
        if added:
            self._keep(classes)
        return added

    def rename(self, each: Class, name: str) -> str:
        """Give a class another name, and those that are derived from it; return the name as it is kept."""
        if self.is_built_in(each):
            raise AnnotationError(
                f"{each.name} is what models call it; add a class of your own instead."
            )
        name = self._checked(name, besides=each)
        old = each.name
        self._keep(
            replace(own, name=now, qupath=now) if (now := renamed(own.name, old, name)) else own
            for own in self.taxonomy.classes
        )
        return name

    def recolour(self, each: Class, colour: Colour) -> None:
        self._put(each, replace(each, colour=colour))

    def move(self, each: Class, by: int) -> None:
        """Move a class up (-1) or down (+1) in the list, and so to another number key."""
        classes = list(self.taxonomy.classes)
        at = classes.index(each)
        to = min(max(at + by, 0), len(classes) - 1)
        if to != at:
            classes.insert(to, classes.pop(at))
            self._keep(classes)

    def remove(self, each: Class) -> None:
        """Take a class off the list; annotations keep its name."""
        if self.is_built_in(each):
            raise AnnotationError(
                f"{each.name} is a class that models find, so it must stay; hide it with its eye."
            )
        if self._study is not None and _is_painted(self._study, each.code):
            raise AnnotationError(
                f"The mask has pixels of {each.name}; paint or erase them before you remove the class."
            )
        self._keep(own for own in self.taxonomy.classes if own != each)

    def _put(self, before: Class, after: Class) -> None:
        self._keep(after if own == before else own for own in self.taxonomy.classes)

    def _made(self, name: str, colour: Colour | None, classes: Iterable[Class]) -> Class:
        taken = {each.code for each in classes}
        code = next((n for n in range(1, LAST_CODE + 1) if n not in taken), None)
        if code is None:
            raise AnnotationError(f"A mask can hold {LAST_CODE} classes; remove one first.")
        emphasis = 0.0 if is_ignored(name) else 1.0
        return Class(code, name, colour or self._colour(name), "none", name, emphasis)

    def _colour(self, name: str) -> Colour:
        """Return the colour of a class that has none yet."""
        above = self.taxonomy.colour_of(parent_of(name))
        if above is None:
            return colour_for(name)
        last = name.rpartition(":")[2].strip()
        red, green, blue = ((a + b) // 2 for a, b in zip(above, colour_for(name), strict=True))
        return _STAINED.get(last, (red, green, blue))

    def _checked(self, name: str, besides: Class | None = None) -> str:
        name = tidied(name)
        if not name or name == "None":
            raise AnnotationError("A class needs a name.")
        found = self.taxonomy.find(name)
        if found is not None and found != besides:
            raise AnnotationError(f"There is a class {found.name} already; choose another name.")
        return name

    def _keep(self, classes: Iterable[Class]) -> None:
        classes = tuple(classes)
        if self._study is not None:
            self._study.set_setting(_SETTING, msgspec.json.encode(classes).decode())
        self._show(classes)

    def _show(self, classes: tuple[Class, ...]) -> None:
        if classes != self.taxonomy.classes:
            self.taxonomy = replace(self.taxonomy, classes=classes)
            self.changed.emit(self.taxonomy)

    def _read(self, text: str) -> tuple[Class, ...]:
        try:
            classes = msgspec.json.decode(text, type=tuple[Class, ...])
            _check(classes)
        except (msgspec.MsgspecError, ValueError) as error:
            self.damaged = f"The classes in the study cannot be read ({error}); the built-in ones are there instead."
            return self._built_in.classes
        codes = {each.code for each in classes}
        return (*classes, *(each for each in self._built_in.classes if each.code not in codes))


def renamed(name: str, old: str, new: str) -> str | None:
    """Return what a class is called after `old` has become `new`; None if it is neither it nor derived from it."""
    if name == old or name.startswith(f"{old}:"):
        return new + name[len(old) :]
    return None


def _check(classes: Iterable[Class]) -> None:
    names, codes = set(), set()
    for each in classes:
        if not 1 <= each.code <= LAST_CODE or each.code in codes:
            raise ValueError(f"{each.code} is no pixel value of its own")
        if not each.name or each.name in names:
            raise ValueError(f"{each.name!r} is no name of its own")
        if not all(0 <= channel <= 255 for channel in each.colour):
            raise ValueError(f"{each.colour} is no colour")
        names.add(each.name)
        codes.add(each.code)


def _is_painted(study: Study, code: int) -> bool:
    masks = (study.document(each.id).mask for each in study.slides())
    return any(bool((tile == code).any()) for mask in masks for tile in mask.tiles.values())
