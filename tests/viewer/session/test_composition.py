import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import Point, box

from segcore.annotations import Annotation
from segcore.counting import count
from viewer.document import Document, MaskGrid, edits
from viewer.session.composition import Composition, ratios

GRID = MaskGrid(scale=1.0, mpp=0.5)


def painted(labels):
    document = Document()
    document.apply(edits.paint(document.mask, labels, 0, 0, grid=GRID))
    return document


def test_areas_are_those_of_the_pixels_whose_centres_lie_in_the_region():
    labels = np.random.default_rng(0).integers(1, 6, (600, 700), dtype=np.uint8)
    disc = Annotation(Point(300, 280).buffer(200, quad_segs=256))

    areas = Composition(painted(labels).mask, disc).areas_mm2()

    rows, columns = np.indices(labels.shape) + 0.5
    inside = np.hypot(columns - 300, rows - 280) <= 200
    for code in range(1, 6):
        expected = (labels[inside] == code).sum() * 0.25e-6
        assert areas[code] == pytest.approx(expected, rel=0.01)


def test_without_a_region_the_whole_mask_counts():
    labels = np.full((300, 300), 2, np.uint8)

    assert Composition(painted(labels).mask, None).areas_mm2() == {2: pytest.approx(0.0225)}


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500), st.integers(0, 5)), max_size=6))
def test_updating_the_touched_tiles_equals_counting_anew(strokes):
    document = painted(np.full((600, 600), 1, np.uint8))
    region = Annotation(box(50, 60, 480, 590))
    kept = Composition(document.mask, region)

    for x, y, code in strokes:
        edit = edits.paint(document.mask, np.full((90, 90), code, np.uint8), x, y)
        document.apply(edit)
        kept.update(document.mask, [each.key for each in edit.tiles])

    assert kept.areas_mm2() == Composition(document.mask, region).areas_mm2()


def test_the_ratios_of_the_panel_are_those_of_the_full_count():
    labels = np.random.default_rng(1).integers(1, 4, (300, 300), dtype=np.uint8)
    document = painted(labels)

    found = ratios(Composition(document.mask, None).areas_mm2())

    counts = count(document.mask.label_map())
    assert found.tumor_to_stroma == pytest.approx(counts.tumor_to_stroma)
    assert found.tumor_share == pytest.approx(counts.tumor_share)
    assert found.stromal_til_share == pytest.approx(counts.stromal_til_share)


def test_a_ratio_to_nothing_is_none():
    assert ratios({1: 0.2}) == (None, 1.0, None)
    assert ratios({}) == (None, None, None)
