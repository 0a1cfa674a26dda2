import pytest
import shapely
from shapely import LineString, MultiPolygon, Point, Polygon, box

from segcore.annotations import Annotation
from segcore.annotations.model import NOTES
from segcore.errors import AnnotationError
from viewer.document import Document, edits, shaping

SLIDE = {"width": 1000, "height": 800}
LARGE = Annotation(
    box(0, 0, 100, 100),
    class_name="Tumor",
    name="large",
    metadata={NOTES: "seen twice"},
    measurements={"Area µm^2": 1.0},
    id="large",
)
SMALL = Annotation(box(50, 50, 120, 120), class_name="Stroma", name="small", id="small")
LOCKED = Annotation(box(0, 0, 1000, 10), locked=True, id="locked")
LINE = Annotation(LineString([(-10, 30), (200, 30)]), id="line")


def after(edit, *before):
    """Return what a document that holds `before` holds after the edit, by id."""
    document = Document()
    document.apply(edits.add(before))
    document.apply(edit)
    return dict(document.annotations)


def only(annotations):
    (one,) = annotations.values()
    return one


@pytest.mark.parametrize(
    ("verb", "name", "expected"),
    [
        (shaping.merge, "Merge 2 annotations", box(0, 0, 100, 100) | box(50, 50, 120, 120)),
        (shaping.subtract, "Subtract 2 annotations", box(0, 0, 100, 100) - box(50, 50, 120, 120)),
        (shaping.intersect, "Intersect 2 annotations", box(50, 50, 100, 100)),
        (shaping.exclude, "Exclude 2 annotations", box(0, 0, 100, 100) ^ box(50, 50, 120, 120)),
    ],
)
def test_what_becomes_of_two_keeps_what_is_said_of_the_largest(verb, name, expected):
    edit = verb([SMALL, LARGE])

    left = only(after(edit, SMALL, LARGE))
    assert edit.name == name
    assert left.geometry.equals(expected)
    assert (left.id, left.class_name, left.name, left.notes) == (
        "large", "Tumor", "large", "seen twice",
    )  # fmt: skip
    assert left.measurements == {}  # they were of the old shape


@pytest.mark.parametrize("verb", [shaping.merge, shaping.subtract, shaping.intersect])
def test_a_locked_annotation_takes_part_in_nothing(verb):
    held = after(verb([LOCKED, SMALL, LARGE]), LOCKED, SMALL, LARGE)

    assert held["locked"] == LOCKED
    assert held["large"].geometry.equals(only(after(verb([SMALL, LARGE]), SMALL, LARGE)).geometry)


@pytest.mark.parametrize(
    "verb",
    [
        shaping.fill_holes,
        shaping.keep_largest,
        shaping.separate,
        lambda some: shaping.simplify(some, 1.0),
        lambda some: shaping.smooth(some, 1.0),
        lambda some: shaping.expand(some, 1.0, **SLIDE),
        lambda some: shaping.move_by(some, 1.0, 1.0, **SLIDE),
        lambda some: shaping.avoid(some, [SMALL]),
    ],
)
def test_nothing_is_done_to_locked_annotations_alone(verb):
    with pytest.raises(AnnotationError, match="not locked"):
        verb([LOCKED])


def test_one_alone_cannot_be_merged():
    with pytest.raises(AnnotationError, match="two annotations"):
        shaping.merge([LARGE, LOCKED])


def test_what_would_leave_nothing_is_refused():
    apart = Annotation(box(500, 500, 600, 600))

    with pytest.raises(AnnotationError, match="Nothing would be left"):
        shaping.intersect([LARGE, apart])
    with pytest.raises(AnnotationError, match="Nothing would be left"):
        shaping.expand([SMALL], -40, **SLIDE)


def test_lines_are_not_lost_in_a_subtraction():
    with pytest.raises(AnnotationError, match="areas only"):
        shaping.subtract([LARGE, LINE])


def test_a_line_cuts_the_areas_and_goes():
    edit = shaping.split([LARGE, LINE, SMALL])

    held = after(edit, LARGE, LINE, SMALL)
    assert edit.name == "Split 1 annotation"
    assert "line" not in held
    assert held["small"] == SMALL  # the line passes above it
    assert held["large"].geometry.equals(box(0, 30, 100, 100))
    (piece,) = [each for key, each in held.items() if key not in {"large", "small"}]
    assert piece.geometry.equals(box(0, 0, 100, 30))
    assert (piece.class_name, piece.name, piece.locked) == ("Tumor", "large", False)


def test_a_cut_that_cuts_nothing_says_so():
    aside = Annotation(LineString([(500, 0), (500, 100)]))

    with pytest.raises(AnnotationError, match="right across"):
        shaping.split([LARGE, aside])
    with pytest.raises(AnnotationError, match="a line across"):
        shaping.split([LARGE, SMALL])


def test_parts_become_annotations_of_their_own():
    parts = Annotation(
        MultiPolygon([box(0, 0, 10, 10), box(20, 0, 40, 20)]), class_name="Tumor", id="p"
    )

    held = after(shaping.separate([parts, SMALL]), parts, SMALL)

    assert held.pop("small") == SMALL
    assert held["p"].geometry.equals(box(20, 0, 40, 20))
    assert {each.class_name for each in held.values()} == {"Tumor"}
    assert sorted(each.geometry.area for each in held.values()) == [100, 400]


def test_holes_are_filled_and_crumbs_dropped_and_what_has_none_is_no_change():
    ring = Annotation(box(0, 0, 30, 30) - box(10, 10, 20, 20), id="ring")
    crumbs = Annotation(MultiPolygon([box(0, 0, 9, 9), box(20, 0, 21, 1)]), id="crumbs")

    filled = shaping.fill_holes([ring, SMALL])
    assert filled.name == "Fill holes of 1 annotation"
    assert after(filled, ring, SMALL)["ring"].geometry.equals(box(0, 0, 30, 30))
    kept = shaping.keep_largest([crumbs, SMALL])
    assert after(kept, crumbs, SMALL)["crumbs"].geometry.equals(box(0, 0, 9, 9))
    with pytest.raises(AnnotationError, match="No hole"):
        shaping.fill_holes([SMALL])


def test_an_ellipse_that_changes_is_one_no_more():
    ellipse = Annotation(Point(500, 400).buffer(100), ellipse=True, id="e")

    assert not only(after(shaping.expand([ellipse], 10, **SLIDE), ellipse)).ellipse
    assert only(after(shaping.move_by([ellipse], 10, 0, **SLIDE), ellipse)).ellipse


def test_growing_ends_at_the_border_of_the_slide():
    grown = only(after(shaping.expand([LARGE], 20, **SLIDE), LARGE))

    assert grown.geometry.bounds == (0, 0, 120, 120)


def test_shrinking_leaves_alone_what_would_vanish():
    held = after(shaping.expand([LARGE, SMALL], -40, **SLIDE), LARGE, SMALL)

    assert held["large"].geometry.equals(box(40, 40, 60, 60))
    assert held["small"] == SMALL


def test_neighbours_stay_neighbours_when_they_are_simplified_or_smoothed():
    zigzag = [(50, 0), (53, 20), (47, 40), (53, 60), (47, 80), (50, 100)]
    left = Annotation(Polygon([(0, 0), *zigzag, (0, 100)]), id="l")
    right = Annotation(Polygon([*zigzag, (100, 100), (100, 0)]), id="r")

    for edit in (shaping.simplify([left, right], 12.0), shaping.smooth([left, right], 3.0)):
        held = after(edit, left, right)
        assert shapely.coverage_is_valid([each.geometry for each in held.values()])
        assert held["l"].geometry != left.geometry
        assert sum(each.geometry.area for each in held.values()) == pytest.approx(10_000, abs=50)


def test_overlaps_go_to_the_others_except_to_those_around():
    around = Annotation(box(-5, -5, 700, 700), id="around")

    cleared = after(shaping.avoid([LARGE], [SMALL, around]), LARGE, SMALL, around)

    assert cleared["large"].geometry.equals(LARGE.geometry - SMALL.geometry)
    assert cleared["small"] == SMALL
    with pytest.raises(AnnotationError, match="Nothing else overlaps"):
        shaping.avoid([LARGE], [around])


def test_copies_are_new_and_unlocked_and_a_little_aside():
    held = after(shaping.duplicate([LOCKED, SMALL], 20, **SLIDE), LOCKED, SMALL)

    copies = [each for key, each in held.items() if key not in {"locked", "small"}]
    assert len(copies) == 2
    assert not any(each.locked for each in copies)
    # LOCKED reaches from border to border, so both go straight down.
    assert {each.geometry.bounds for each in copies} == {(0, 20, 1000, 30), (50, 70, 120, 140)}
    assert held["locked"] == LOCKED


def test_a_copy_goes_where_there_is_room():
    corner = Annotation(box(900, 700, 1000, 800))

    (change,) = shaping.duplicate([corner], 20, **SLIDE).changes

    assert change.after.geometry.bounds == (880, 680, 980, 780)


def test_moving_ends_at_the_border_and_keeps_the_distances():
    held = after(shaping.move_by([SMALL, LARGE], -70, 30, **SLIDE), SMALL, LARGE)

    assert held["large"].geometry.bounds == (0, 30, 100, 130)
    assert held["small"].geometry.bounds == (50, 80, 120, 150)
    assert held["large"].measurements == LARGE.measurements
    assert shaping.move_by([LARGE], -5, 0, **SLIDE).is_empty


def test_what_hangs_over_the_border_may_be_moved_in_but_not_farther_out():
    over = Annotation(box(-20, 0, 30, 10))

    assert shaping.move_by([over], -5, 0, **SLIDE).is_empty
    (change,) = shaping.move_by([over], 5, 0, **SLIDE).changes
    assert change.after.geometry.bounds == (-15, 0, 35, 10)


def test_transfer_scales_clips_and_leaves_out_what_would_lie_beside_the_slide():
    aside = Annotation(box(900, 10, 950, 20))

    edit = shaping.transfer([LARGE, aside, LINE], scale=2.0, **SLIDE)

    assert edit.name == "Transfer 2 annotations"
    area, line = (change.after for change in edit.changes)
    assert area.geometry.equals(box(0, 0, 200, 200))
    assert line.geometry.equals(LineString([(0, 60), (400, 60)]))
    assert area.id != LARGE.id
    assert area.class_name == "Tumor"
    with pytest.raises(AnnotationError, match="None of these"):
        shaping.transfer([aside], scale=2.0, **SLIDE)


def test_the_whole_slide_and_the_inverse_are_added_and_change_nothing_else():
    whole = after(shaping.whole_slide(**SLIDE), SMALL)
    assert max(each.geometry.area for each in whole.values()) == 800_000
    assert whole["small"] == SMALL

    inverse = after(shaping.invert([LOCKED, LARGE], box(0, 0, 1000, 100)), LOCKED, LARGE)
    assert inverse.pop("locked") == LOCKED
    assert inverse.pop("large") == LARGE
    assert only(inverse).geometry.equals(box(100, 10, 1000, 100))
    with pytest.raises(AnnotationError, match="areas"):
        shaping.invert([LINE], box(0, 0, 10, 10))
