"""What a person can say about an annotation, beside its shape."""

from collections.abc import Iterable
from typing import Any, TypedDict

from segcore.annotations import Annotation
from segcore.annotations.model import NOTES
from viewer.document import edits
from viewer.document.changes import Edit


class Properties(TypedDict, total=False):
    """The properties that are to change; what is absent stays as it is."""

    name: str | None
    class_name: str | None
    colour: tuple[int, int, int] | None
    """Its own colour; None takes that of its class."""
    notes: str
    locked: bool


def set_properties(annotations: Iterable[Annotation], properties: Properties) -> Edit:
    """Give annotations `properties`; those that have them already, or stay locked, are left out."""
    before, after = [], []
    for each in annotations:
        stays_locked = each.locked and properties.get("locked", True)
        changed = each if stays_locked else _with(each, properties)
        if _told(changed) != _told(each):
            before.append(each)
            after.append(changed)
    return edits.replace(before, after, name=_title(properties, len(after)))


def rename_class(annotations: Iterable[Annotation], names: dict[str, str]) -> Edit:
    """Give classes the names that `names` tells; locked annotations too, since what they are stays the same."""
    before = [each for each in annotations if each.class_name in names]
    after = [each.with_(class_name=names[each.class_name or ""]) for each in before]
    old, new = next(iter(names.items()), ("", ""))
    return edits.replace(before, after, name=f"Rename class {old} to {new}")


def _with(annotation: Annotation, properties: Properties) -> Annotation:
    changes: dict[str, Any] = dict(properties)
    if "notes" in changes:
        notes = {NOTES: changes.pop("notes")}
        others = {key: text for key, text in annotation.metadata.items() if key != NOTES}
        changes["metadata"] = others | notes if notes[NOTES] else others
    return annotation.with_(**changes)


def _told(annotation: Annotation) -> tuple[object, ...]:
    each = annotation
    return (each.name, each.class_name, each.colour, each.notes, each.locked)


def _title(properties: Properties, n: int) -> str:
    counted = "annotation" if n == 1 else f"{n:,} annotations"
    class_name = properties.get("class_name")
    titles = {
        "name": f"Rename {counted}",
        "class_name": f"Classify as {class_name}" if class_name else "Remove class",
        "colour": f"Recolour {counted}",
        "notes": f"Note on {counted}",
        "locked": f"{'Lock' if properties.get('locked') else 'Unlock'} {counted}",
    }
    return titles[next(iter(properties))] if len(properties) == 1 else f"Change {counted}"
