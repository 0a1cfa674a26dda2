"""Functions that make edits of shapes; pure, as those of `viewer.document.edits`.

A locked annotation takes part in nothing and stays as it is. What becomes of several keeps the id, name,
class and notes of the largest; what is made anew has a new id. Measurements of a shape that changes go
with it. Where a verb can do nothing, it raises an AnnotationError that says what to select.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from uuid import uuid4

import shapely
from shapely.geometry.base import BaseGeometry

from segcore.annotations import Annotation, neighbours, shapes
from segcore.errors import AnnotationError
from viewer.document import edits
from viewer.document.changes import Edit

Some = Sequence[Annotation]


def merge(annotations: Some) -> Edit:
    """Make one annotation of all."""
    return _combine(annotations, shapes.union, "Merge")


def subtract(annotations: Some) -> Edit:
    """Take the others away from the largest; they go."""
    return _combine(annotations, lambda all_: shapes.subtract(all_[0], all_[1:]), "Subtract")


def intersect(annotations: Some) -> Edit:
    """Keep what all have in common."""
    return _combine(annotations, shapes.intersect, "Intersect")


def exclude(annotations: Some) -> Edit:
    """Keep what an odd number of them covers: of two, what only one does."""
    return _combine(annotations, shapes.exclude, "Exclude")


def split(annotations: Some) -> Edit:
    """Cut the areas among the annotations by the lines among them, which go; the largest piece keeps the id."""
    areas = _areas(annotations)
    lines = [each for each in _unlocked(annotations) if _kind(each) == shapes.LINES]
    if not lines or not areas:
        raise AnnotationError("Select the areas and a line across them; both must be unlocked.")
    knife = shapely.union_all([shapes.sound(each.geometry) for each in lines])
    return _divide(
        areas,
        lambda shape: shapes.split(shape, knife),
        "Split",
        gone=lines,
        why_not="The line cuts nothing in two; draw it right across the area.",
    )


def separate(annotations: Some) -> Edit:
    """Make an annotation of each part that does not hang together; the largest keeps the id."""
    why_not = "Nothing here has more than one part."
    return _divide(_unlocked(annotations), shapes.parts_of, "Separate", why_not=why_not)


def fill_holes(annotations: Some) -> Edit:
    return _reshape_areas(
        annotations, shapes.fill_holes, "Fill holes of", "No hole is left to fill."
    )


def keep_largest(annotations: Some) -> Edit:
    """Keep the largest part of each."""
    return _reshape_areas(
        annotations, shapes.keep_largest, "Keep largest part of", "Nothing here has several parts."
    )


def expand(annotations: Some, distance: float, *, width: float, height: float) -> Edit:
    """Grow by `distance` level-0 pixels, or shrink where it is below 0, within the slide.

    Those of which nothing would be left stay as they are.
    """
    free = _unlocked(annotations) if distance > 0 else _areas(annotations)
    grown = [shapes.clip(shapes.expand(each.geometry, distance), width, height) for each in free]
    verb = "Expand" if distance > 0 else "Shrink"
    return _reshape(free, grown, verb, "Nothing would be left; choose a smaller distance.")


def simplify(annotations: Some, tolerance: float) -> Edit:
    """Take vertices away, at most `tolerance` level-0 pixels deep; shared borders stay shared."""
    free = _unlocked(annotations)
    simple = neighbours.simplify([each.geometry for each in free], tolerance)
    return _reshape(free, simple, "Simplify", "These are as simple as that already.")


def smooth(annotations: Some, reach: float) -> Edit:
    """Round corners within `reach` level-0 pixels; shared borders stay shared."""
    free = _unlocked(annotations)
    round_ = neighbours.smooth([each.geometry for each in free], reach)
    return _reshape(free, round_, "Smooth", "These are as smooth as that already.")


def avoid(annotations: Some, others: Iterable[Annotation]) -> Edit:
    """Take from annotations what other areas cover, those left out that lie around them."""
    free = _unlocked(annotations)
    taken = [each.geometry for each in others]
    left = [shapes.avoid(each.geometry, taken) for each in free]
    return _reshape(
        free,
        left,
        "Clear overlaps of",
        "Nothing else overlaps these; select only what should give way.",
    )


def move_by(annotations: Some, dx: float, dy: float, *, width: float, height: float) -> Edit:
    """Move by (dx, dy) level-0 pixels, together, and no farther than to the border of the slide."""
    free = _unlocked(annotations)
    dx, dy = _shift_within([each.geometry for each in free], dx, dy, width, height)
    if not dx and not dy:
        return Edit("Move")
    after = [each.with_(geometry=shapes.moved(each.geometry, dx, dy)) for each in free]
    return edits.replace(free, after, name=f"Move {_counted(len(free))}")


def duplicate(annotations: Some, offset: float, *, width: float, height: float) -> Edit:
    """Add unlocked copies with new ids, `offset` level-0 pixels to the lower right where the slide has room."""
    if not annotations:
        raise AnnotationError("Select what to duplicate first.")
    everything = [each.geometry for each in annotations]
    dx, dy = (
        ahead if ahead == offset else back
        for ahead, back in zip(
            _shift_within(everything, offset, offset, width, height),
            _shift_within(everything, -offset, -offset, width, height),
            strict=True,
        )
    )
    copies = [_copy(each, shapes.moved(each.geometry, dx, dy)) for each in annotations]
    return edits.add(copies, name=f"Duplicate {_counted(len(copies))}")


def transfer(annotations: Some, *, width: float, height: float, scale: float = 1.0) -> Edit:
    """Add copies of another slide's annotations, magnified by `scale` and clipped to this slide.

    `scale` is the micrometres per pixel there, divided by those here.
    """
    clipped = [
        (each, shapes.clip(shapes.scaled(each.geometry, scale), width, height))
        for each in annotations
    ]
    copies = [_copy(_reshaped(each, shape), shape) for each, shape in clipped if not shape.is_empty]
    if not copies:
        raise AnnotationError("None of these would lie on this slide.")
    return edits.add(copies, name=f"Transfer {_counted(len(copies))}")


def whole_slide(width: float, height: float) -> Edit:
    """Add an annotation around everything."""
    everything = Annotation(shapes.whole_slide(width, height), name="Whole slide")
    return edits.add([everything], name="Whole slide")


def invert(annotations: Some, within: BaseGeometry) -> Edit:
    """Add an annotation of what of `within` the areas do not cover; they stay, so locked ones count too."""
    areas = [each.geometry for each in annotations if _kind(each) == shapes.AREAS]
    rest = shapes.inverse(areas, within)
    if not areas or rest.is_empty:
        raise AnnotationError("Select areas that leave some of the slide free.")
    return edits.add([Annotation(rest, name="Inverse")], name="Inverse")


def _unlocked(annotations: Some) -> list[Annotation]:
    free = [each for each in annotations if not each.locked]
    if not free:
        raise AnnotationError("Select an annotation that is not locked.")
    return free


def _areas(annotations: Some) -> list[Annotation]:
    return [each for each in _unlocked(annotations) if _kind(each) == shapes.AREAS]


def _kind(annotation: Annotation) -> int:
    return shapes.kind_of(annotation.geometry)


def _combine(
    annotations: Some, verb: Callable[[list[BaseGeometry]], BaseGeometry], name: str
) -> Edit:
    free = sorted(
        _unlocked(annotations), key=lambda each: shapes.size_of(each.geometry), reverse=True
    )
    if len(free) < 2:
        raise AnnotationError(f"{name} needs two annotations at least that are not locked.")
    shape = verb([each.geometry for each in free])
    if shape.is_empty:
        raise AnnotationError("Nothing would be left; the annotations stay as they are.")
    return edits.replace(free, [_reshaped(free[0], shape)], name=f"{name} {_counted(len(free))}")


def _divide(
    annotations: Some,
    verb: Callable[[BaseGeometry], Sequence[BaseGeometry]],
    name: str,
    *,
    why_not: str,
    gone: Some = (),
) -> Edit:
    """Put the pieces of each annotation in its place; those of one piece stay as they are."""
    pieces = [(each, verb(each.geometry)) for each in annotations]
    divided = [(each, parts) for each, parts in pieces if len(parts) > 1]
    if not divided:
        raise AnnotationError(why_not)
    after = [
        _reshaped(each, part) if number == 0 else _copy(_reshaped(each, part), part)
        for each, parts in divided
        for number, part in enumerate(parts)
    ]
    before = [*(each for each, _ in divided), *gone]
    return edits.replace(before, after, name=f"{name} {_counted(len(divided))}")


def _reshape_areas(
    annotations: Some, verb: Callable[[BaseGeometry], BaseGeometry], name: str, why_not: str
) -> Edit:
    areas = _areas(annotations)
    return _reshape(areas, [verb(each.geometry) for each in areas], name, why_not)


def _reshape(before: Some, after: Sequence[BaseGeometry], name: str, why_not: str) -> Edit:
    """Give annotations new shapes; those whose shape would be the same or empty stay as they are."""
    changed = [
        (each, shape)
        for each, shape in zip(before, after, strict=True)
        if not shape.is_empty and shapely.normalize(shape) != shapely.normalize(each.geometry)
    ]
    if not changed:
        raise AnnotationError(why_not)
    reshaped = [_reshaped(each, shape) for each, shape in changed]
    return edits.replace(
        [each for each, _ in changed], reshaped, name=f"{name} {_counted(len(changed))}"
    )


def _reshaped(annotation: Annotation, shape: BaseGeometry) -> Annotation:
    return annotation.with_(geometry=shape, ellipse=False, measurements={})


def _copy(annotation: Annotation, shape: BaseGeometry) -> Annotation:
    return annotation.with_(geometry=shape, id=str(uuid4()), locked=False)


def _shift_within(
    geometries: Sequence[BaseGeometry], dx: float, dy: float, width: float, height: float
) -> tuple[float, float]:
    """Return (dx, dy), shortened so that what is on the slide does not leave it."""
    left, top, right, bottom = shapely.total_bounds(list(geometries)).tolist()
    return _shortened(dx, left, right, width), _shortened(dy, top, bottom, height)


def _shortened(step: float, first: float, last: float, size: float) -> float:
    room = max(size - last, 0.0) if step > 0 else min(-first, 0.0)
    return math.copysign(min(abs(step), abs(room)), step)


def _counted(n: int) -> str:
    return "1 annotation" if n == 1 else f"{n:,} annotations"
