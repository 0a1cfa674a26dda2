import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from viewer.document import Document, MaskGrid
from viewer.tools import Context, MaskPreview, Pointer, tool_named
from viewer.tools.stroke import capsule_spans

GRID = MaskGrid(scale=2.0, mpp=0.5)


def stroke(document, tool, path, *, brush_px=20.0, scale=1.0, code=1, alt=False, grid=GRID):
    context = Context(
        document, 4000, 3000, grid, class_name="Tumor", class_code=code, brush_px=brush_px
    )
    gesture = tool_named(tool).begin(Pointer("press", *path[0], scale, alt=alt), context)
    previews = [next(gesture)]
    for point in path[1:]:
        previews.append(gesture.send(Pointer("drag", *point, scale)))
    with pytest.raises(StopIteration) as end:
        gesture.send(Pointer("release", *path[-1], scale))
    return previews, end.value.value


def swept(path, radius, shape):
    """Return by brute force which mask pixels have their centre within `radius` of the path (mask pixels)."""
    rows, columns = np.indices(shape) + 0.5
    inside = np.zeros(shape, bool)
    for (x0, y0), (x1, y1) in zip([path[0], *path], path, strict=False):
        length = (x1 - x0) ** 2 + (y1 - y0) ** 2
        t = ((columns - x0) * (x1 - x0) + (rows - y0) * (y1 - y0)) / length if length else 0.0
        t = np.clip(t, 0, 1)
        gap = np.hypot(columns - x0 - t * (x1 - x0), rows - y0 - t * (y1 - y0))
        inside |= gap <= radius
    return inside


coordinate = st.floats(0, 600)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(coordinate, coordinate), min_size=1, max_size=5), st.floats(4, 200))
def test_a_stroke_paints_exactly_the_pixels_whose_centres_the_disc_passes(path, brush_px):
    document = Document()

    _, edit = stroke(document, "brush", path, brush_px=brush_px)
    document.apply(edit)

    in_mask = [(x / GRID.scale, y / GRID.scale) for x, y in path]
    expected = swept(in_mask, max(brush_px / 2 / GRID.scale, 0.5), (512, 512))
    painted = document.mask.read(0, 0, 512, 512) == 1
    # A centre on the very rim may fall either way by rounding.
    rim = swept(in_mask, max(brush_px / 2 / GRID.scale, 0.5) + 1e-6, (512, 512)) & ~swept(
        in_mask, max(brush_px / 2 / GRID.scale, 0.5) - 1e-6, (512, 512)
    )
    assert not ((painted != expected) & ~rim).any()


def test_spans_of_a_disc_are_its_chords():
    rows = np.array([-6.0, -3.0, 0.0, 4.0])

    first, last = capsule_spans(rows, (10, 0), (10, 0), 5.0)

    assert first.tolist() == [np.inf, 6.0, 5.0, 7.0]
    assert last.tolist() == [-np.inf, 14.0, 15.0, 13.0]


def test_the_footprint_follows_the_zoom():
    near, far = Document(), Document()

    near.apply(stroke(near, "brush", [(1000, 1000)], scale=1.0, brush_px=40)[1])
    far.apply(stroke(far, "brush", [(1000, 1000)], scale=4.0, brush_px=40)[1])

    ratio = far.mask.counts()[1] / near.mask.counts()[1]
    assert ratio == pytest.approx(16, rel=0.05)


def test_the_eraser_takes_away_what_the_brush_painted():
    document = Document()
    document.apply(stroke(document, "brush", [(300, 300), (500, 300)])[1])

    document.apply(stroke(document, "erase", [(300, 300), (500, 300)])[1])

    assert document.mask.counts() == {}


def test_alt_makes_the_brush_an_eraser():
    document = Document()
    document.apply(stroke(document, "brush", [(300, 300)])[1])

    document.apply(stroke(document, "brush", [(300, 300)], alt=True)[1])

    assert document.mask.counts() == {}


def test_undo_after_the_first_stroke_leaves_neither_mask_nor_grid():
    document = Document()
    document.apply(stroke(document, "brush", [(300, 300)])[1])

    document.undo()

    assert document.mask.grid is None
    assert not document.mask.tiles


def test_the_document_is_untouched_until_the_button_is_released():
    document = Document()
    context = Context(document, 4000, 3000, GRID)
    gesture = tool_named("brush").begin(Pointer("press", 100, 100), context)

    preview = next(gesture)
    gesture.close()

    assert isinstance(preview, MaskPreview)
    assert preview.tiles[0, 0].any()
    assert not document.mask.tiles


def test_a_stroke_over_what_is_already_so_is_no_edit():
    document = Document()
    document.apply(stroke(document, "brush", [(300, 300)])[1])

    _, again = stroke(document, "brush", [(300, 300)])

    assert again.is_empty


def test_nothing_is_painted_beyond_the_slide():
    document = Document()

    document.apply(stroke(document, "brush", [(3990, 2990)], brush_px=100)[1])

    labels = document.mask.read(0, 0, 2300, 1700)
    assert labels[1400:1500, 1900:2000].any()
    assert not labels[1500:].any()
    assert not labels[:, 2000:].any()


def test_the_name_of_a_stroke_says_how_many_pixels_it_changed():
    document = Document()

    _, edit = stroke(document, "brush", [(300, 300)], brush_px=40)
    document.apply(edit)

    assert edit.name == f"Brush tumor, {document.mask.counts()[1]:,} px"
