import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import LineString, Polygon, box
from skimage.segmentation import flood

from segcore.annotations import Annotation
from tests.gestures import along, drive
from viewer.document import Document, MaskGrid, edits
from viewer.tools import Context, Refusal
from viewer.tools.mask_fill import connected_region, fill_inside

GRID = MaskGrid(2.0, 0.5)
SIZE = (600, 520)  # mask pixels of the slide: three by three tiles, not all whole


def document_with(labels):
    document = Document()
    document.apply(edits.paint(document.mask, labels, 0, 0, grid=GRID))
    return document


def blobs(seed, classes=3):
    coarse = np.random.default_rng(seed).integers(1, classes + 1, (SIZE[1] // 40, SIZE[0] // 40))
    return coarse.astype(np.uint8).repeat(40, 0).repeat(40, 1)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 99), st.integers(0, 599), st.integers(0, 519))
def test_a_region_over_many_tiles_is_what_a_flood_of_the_whole_mask_finds(seed, column, row):
    labels = blobs(seed)
    document = document_with(labels)

    region = connected_region(document.mask, column, row, SIZE)

    expected = flood(labels, (row, column), connectivity=1)
    found = np.zeros((768, 768), bool)
    for (x, y), pixels in region.items():
        found[y * 256 : y * 256 + 256, x * 256 : x * 256 + 256] = pixels
    assert np.array_equal(found[: SIZE[1], : SIZE[0]], expected)
    assert found.sum() == expected.sum()


def click(document, x, y, **more):
    alt = more.pop("alt", False)
    return drive(
        "fill",
        *along((x, y), alt=alt),
        document=document,
        width=1200,
        height=1040,
        grid=GRID,
        **more,
    )


def test_a_click_gives_a_region_the_chosen_class_and_leaves_the_others():
    labels = np.full((400, 400), 1, np.uint8)
    labels[100:300, 100:300] = 2
    document = document_with(labels)

    document.apply(click(document, 400, 400, class_code=3, class_name="Lymphocyte")[1])

    assert document.mask.counts() == {1: 160_000 - 40_000, 3: 40_000}
    assert document.read_edit(document.position - 1).name == "Fill lymphocyte, 40,000 px"


def test_alt_makes_a_region_unlabelled():
    document = document_with(np.full((300, 300), 2, np.uint8))

    document.apply(click(document, 10, 10, alt=True)[1])

    assert document.mask.counts() == {}


def test_a_hole_in_the_mask_is_filled():
    labels = np.full((400, 400), 1, np.uint8)
    labels[50:350, 50:350] = 0
    document = document_with(labels)

    document.apply(click(document, 400, 400, class_code=1)[1])

    assert document.mask.counts() == {1: 160_000}


def test_what_is_open_towards_the_empty_slide_is_not_filled():
    labels = np.zeros((400, 400), np.uint8)
    labels[:, 100:110] = 1
    document = document_with(labels)

    assert isinstance(click(document, 600, 400)[1], Refusal)


def test_the_end_of_the_slide_closes_a_hole():
    labels = np.zeros((SIZE[1], SIZE[0]), np.uint8)
    labels[400] = labels[:, 500] = 1
    document = document_with(labels)

    document.apply(click(document, 1100, 900, class_code=2)[1])

    assert document.mask.counts()[2] == (520 - 401) * (600 - 501)


def test_a_hole_larger_than_tiles_is_filled():
    labels = np.zeros((SIZE[1], SIZE[0]), np.uint8)
    labels[:5] = labels[-5:] = labels[:, :5] = labels[:, -5:] = 1
    document = document_with(labels)
    assert (1, 1) not in document.mask.tiles

    document.apply(click(document, 600, 520, class_code=2)[1])

    assert document.mask.counts()[2] == (600 - 10) * (520 - 10)


def test_without_a_mask_there_is_nothing_to_fill():
    assert isinstance(click(Document(), 100, 100)[1], Refusal)


@pytest.mark.parametrize("side", [300, 900])
def test_the_inside_of_selected_areas_gets_the_chosen_class(side):
    square = Annotation(box(100, 100, 100 + side, 100 + side))
    document = Document()
    context = Context(document, 1200, 1040, GRID, class_code=2, selection=(square,))

    document.apply(fill_inside(context))

    assert document.mask.counts() == {2: (side // 2) ** 2}
    assert (document.mask.read(50, 50, side // 2, side // 2) == 2).all()


def test_an_area_as_high_as_many_tiles_is_filled_to_its_end():
    tall = Annotation(box(100, 100, 140, 6100))
    document = Document()

    document.apply(fill_inside(Context(document, 200, 8000, GRID, selection=(tall,))))

    assert document.mask.counts() == {1: 20 * 3000}


def test_a_fill_leaves_one_class_per_pixel_and_keeps_holes():
    ring = Polygon(box(0, 0, 400, 400).exterior, [box(100, 100, 300, 300).exterior])
    document = document_with(np.full((300, 300), 1, np.uint8))
    context = Context(document, 1200, 1040, GRID, class_code=2, selection=(Annotation(ring),))

    document.apply(fill_inside(context))

    assert document.mask.counts() == {1: 90_000 - 30_000, 2: 30_000}


def test_lines_have_no_inside():
    line = Annotation(LineString([(0, 0), (50, 50)]))

    assert isinstance(
        fill_inside(Context(Document(), 1200, 1040, GRID, selection=(line,))), Refusal
    )
