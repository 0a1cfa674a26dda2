import csv
from collections import Counter

import pytest
import shapely
from shapely import LineString, Polygon, box

from tests.fakes import Answers
from viewer.actions import ACTIONS, action_named, perform
from viewer.actions.outline import read_length
from viewer.tools import TOOLS

WINDOW_KEYS = ["Ctrl+Q", "Ctrl+L", *"123456789", "Space", "[", "]", "Escape"]
SHAPE = [name for name, each in ACTIONS.items() if each.menu.startswith("Shape")]


def does(bench, name):
    perform(action_named(name), bench.session)


def test_no_two_actions_or_tools_share_a_shortcut():
    keys = [key for each in ACTIONS.values() for key in each.shortcut.split(" or ") if key]
    keys += [each.key for each in TOOLS if each.key] + WINDOW_KEYS

    assert [key for key, n in Counter(each.lower() for each in keys).items() if n > 1] == []


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("shape.duplicate", "Ctrl+Shift+D"),
        ("shape.transfer", "Ctrl+Shift+E"),
        ("shape.whole_slide", "Ctrl+Shift+A"),
        ("edit.select_none", "Ctrl+Alt+R"),
        ("edit.toggle_lock", "Ctrl+K"),
        ("edit.lock", "Ctrl+Shift+K"),
        ("edit.unlock", "Ctrl+Alt+K"),
    ],
)
def test_hands_from_qupath_find_their_keys(name, key):
    assert key in ACTIONS[name].shortcut.split(" or ")


def test_without_a_selection_a_verb_tells_what_to_do_first(bench):
    bench.has(box(0, 0, 10, 10), selected=False)
    verbs = [each for each in SHAPE if each != "shape.whole_slide"]

    for name in verbs:
        does(bench, name)

    assert bench.told == [ACTIONS[name].why_not for name in verbs]
    assert bench.document.position == 1


@pytest.mark.parametrize("name", SHAPE)
def test_every_verb_says_what_it_does_and_why_it_cannot(name):
    assert ACTIONS[name].help.endswith(".")
    assert ACTIONS[name].why_not.endswith(".")


def test_merging_leaves_one_selected_annotation_and_undo_brings_both_back(bench, two_squares):
    bench.has(*two_squares)

    does(bench, "shape.merge")

    (merged,) = bench.shapes
    assert merged.equals(two_squares[0] | two_squares[1])
    assert len(bench.session.selection) == 1
    assert bench.document.undo_name == "Merge 2 annotations"
    does(bench, "edit.undo")
    assert bench.shapes == list(two_squares)


@pytest.mark.parametrize(
    ("name", "area"),
    [
        ("shape.subtract", 200**2 - 100**2),
        ("shape.intersect", 100**2),
        ("shape.exclude", 200**2 + 150**2 - 2 * 100**2),
    ],
)
def test_two_areas_combine(bench, two_squares, name, area):
    bench.has(*two_squares)

    does(bench, name)

    assert [each.area for each in bench.shapes] == [area]


def test_locked_annotations_stay_and_it_is_told(bench, two_squares):
    (locked,) = bench.has(box(0, 0, 50, 50), locked=True)
    free = bench.has(*two_squares)
    bench.selects(locked, *free)

    does(bench, "shape.merge")

    assert bench.document.annotations[locked.id] == locked
    assert len(bench.shapes) == 2
    assert bench.told == ["1 locked annotation was left out; unlock to change (Ctrl+K)."]


def test_what_cannot_be_done_is_told_and_changes_nothing(bench):
    bench.has(box(0, 0, 10, 10), box(50, 50, 60, 60))

    does(bench, "shape.intersect")

    assert bench.told == ["Nothing would be left; the annotations stay as they are."]
    assert bench.document.position == 1


def test_a_line_splits_an_area_and_both_pieces_are_selected(bench):
    bench.has(box(100, 100, 300, 300), LineString([(50, 150), (400, 150)]))

    does(bench, "shape.split")

    assert sorted(each.area for each in bench.shapes) == [200 * 50, 200 * 150]
    assert len(bench.session.selection) == 2


def test_overlaps_are_cleared_of_what_is_not_selected_and_of_what_is_locked(bench):
    bench.has(box(250, 0, 300, 300), selected=False)
    (locked,) = bench.has(box(100, 100, 120, 120), locked=True)
    (mine,) = bench.has(box(100, 100, 300, 300))
    bench.selects(mine, locked)

    does(bench, "shape.avoid")

    assert bench.document.annotations[mine.id].geometry.area == 150 * 200 - 20 * 20


def test_parts_holes_and_crumbs(bench):
    ring = box(100, 100, 300, 300) - box(150, 150, 200, 200)
    (shape,) = bench.has(shapely.MultiPolygon([ring, box(400, 400, 410, 410)]))

    does(bench, "shape.fill_holes")
    assert bench.shapes[0].area == 200**2 + 100
    does(bench, "shape.separate")
    assert [each.area for each in bench.shapes] == [200**2, 100]
    does(bench, "edit.undo")
    bench.selects(shape)
    does(bench, "shape.keep_largest")
    assert [each.area for each in bench.shapes] == [200**2]


def test_a_distance_is_asked_in_micrometres_and_proposed_again(bench):
    bench.has(box(100, 100, 300, 300))
    bench.answers("20")

    does(bench, "shape.expand")

    assert bench.shapes[0].bounds == (60, 60, 340, 340)  # 20 µm are 40 pixels
    assert bench.session.settings["shape.expand"] == 20
    bench.answers("30 px")
    does(bench, "shape.shrink")
    assert bench.shapes[0].bounds == (90, 90, 310, 310)
    assert bench.session.settings["shape.expand"] == 15


def test_without_a_pixel_size_pixels_are_asked_for(bench):
    bench.opens("unknown", mpp=None)
    bench.has(box(100, 100, 300, 300))
    bench.answers("10")

    does(bench, "shape.expand")

    assert bench.shapes[0].bounds == (90, 90, 310, 310)


def test_an_answer_that_is_no_length_is_told_and_changes_nothing(bench):
    bench.has(box(100, 100, 300, 300))
    answers = ["", "much", "-5", "0", "1e9", "5 cm"]

    for answer in answers:
        bench.answers(answer)
        does(bench, "shape.simplify")

    assert all("is no length" in each for each in bench.told)
    assert len(bench.told) == len(answers)
    assert bench.document.position == 1


def test_no_answer_is_no_change(bench):
    bench.has(box(100, 100, 300, 300))
    bench.answers(None)

    for name in ("shape.simplify", "shape.smooth", "shape.expand", "shape.shrink"):
        does(bench, name)

    assert bench.told == []
    assert bench.document.position == 1


@pytest.mark.parametrize(
    ("text", "mpp", "pixels"),
    [
        ("10", 0.5, 20),
        (" 2,5 µm ", 0.5, 5),
        ("2.5μm", 0.5, 5),
        ("3 um", 1.5, 2),
        ("0.1 mm", 0.5, 200),
        ("7 px", 0.5, 7),
        ("7", None, 7),
        ("7 µm", None, None),
        ("nan", 0.5, None),
    ],
)
def test_lengths_are_read_in_the_units_that_people_type(text, mpp, pixels):
    assert read_length(text, mpp) == (None if pixels is None else pytest.approx(pixels))


def test_neighbours_are_simplified_and_smoothed_together(bench):
    zigzag = [(200, 100), (203, 150), (197, 200), (203, 250), (200, 300)]
    bench.has(
        Polygon([(100, 100), *zigzag, (100, 300)]), Polygon([(300, 100), *zigzag, (300, 300)])
    )
    bench.answers("4")

    for name in ("shape.smooth", "shape.simplify"):
        does(bench, name)
        assert shapely.coverage_is_valid(bench.shapes)
    assert bench.document.history[1:] == ("Smooth 2 annotations", "Simplify 2 annotations")


def test_a_duplicate_lies_twenty_screen_pixels_aside_and_is_selected(bench):
    (original,) = bench.has(box(100, 100, 300, 300))

    does(bench, "shape.duplicate")

    (copy,) = bench.session.selection
    assert copy.id != original.id
    assert copy.geometry.bounds == (140, 140, 340, 340)  # at 2 level-0 pixels per screen pixel


def test_arrows_move_as_seen_on_the_screen(bench):
    (mine,) = bench.has(box(100, 100, 300, 300))

    does(bench, "shape.move_right")
    does(bench, "shape.move_down")

    assert bench.document.annotations[mine.id].geometry.bounds == (110, 110, 310, 310)


def test_the_inverse_is_of_what_lies_around_else_of_the_slide(bench):
    (inner,) = bench.has(box(100, 100, 300, 300))
    does(bench, "shape.invert")
    assert bench.shapes[-1].area == 1200 * 800 - 200**2
    does(bench, "edit.undo")
    bench.has(box(50, 50, 350, 350), selected=False)
    bench.selects(inner)

    does(bench, "shape.invert")

    assert bench.shapes[-1].area == 300**2 - 200**2


def test_the_whole_slide_becomes_an_annotation(bench):
    does(bench, "shape.whole_slide")

    assert bench.shapes == [box(0, 0, 1200, 800)]


def test_what_was_selected_on_the_last_slide_comes_along_in_micrometres(bench):
    bench.has(box(100, 100, 300, 300), class_name="Tumor")
    bench.opens("other", mpp=1.0)

    does(bench, "shape.transfer")

    (came,) = bench.session.selection
    assert came.class_name == "Tumor"
    assert came.geometry.equals(box(50, 50, 150, 150))


def test_selections(bench):
    one, two = bench.has(box(0, 0, 1, 1), box(2, 2, 3, 3), class_name="Tumor")
    (three,) = bench.has(box(4, 4, 5, 5), class_name="Stroma")
    bench.selects(two)

    does(bench, "edit.select_class")
    assert bench.session.workspace.selection == {one.id, two.id}
    does(bench, "edit.select_others")
    assert bench.session.workspace.selection == {three.id}
    does(bench, "edit.select_all")
    assert bench.session.workspace.selection == {one.id, two.id, three.id}
    does(bench, "edit.select_none")
    assert bench.session.workspace.selection == frozenset()


def test_measurements_are_exported_as_a_table(bench, tmp_path):
    bench.has(box(100, 100, 300, 300), name="ROI 1", class_name="Tumor")
    bench.session.ask = Answers(save_path=tmp_path / "m.csv")

    does(bench, "file.export_measurements")
    assert bench.session.jobs.wait_idle(20)

    (row,) = csv.DictReader((tmp_path / "m.csv").read_text(encoding="utf-8-sig").splitlines())
    assert (row["Image"], row["Name"]) == ("slide.tif", "ROI 1")
    assert float(row["Area µm^2"]) == 100**2
    assert bench.told[-1].startswith("1 row is in m.csv.")
