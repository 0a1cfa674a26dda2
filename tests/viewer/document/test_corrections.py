import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from viewer.document import Document, MaskGrid, corrected_pixels, edits

GRID = MaskGrid(1.0, 0.5)
SIDE = 300

step = st.tuples(
    st.sampled_from(["Brush tumor, 9 px", "Erase, 9 px", "Fill stroma, 9 px", "Segment ROI 1"]),
    st.integers(0, 250), st.integers(0, 250), st.integers(0, 3),
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.lists(step, max_size=8), st.integers(0, 3))
def test_a_pixel_is_corrected_where_a_stroke_was_the_last_to_change_it(steps, undone):
    document = Document()
    writers = [np.zeros((SIDE, SIDE), int)]  # per history position: 0 nobody, 1 model, 2 hand
    labels = [np.zeros((SIDE, SIDE), np.uint8)]
    for name, x, y, code in steps:
        patch = np.full((50, 50), code, np.uint8)
        grid = GRID if document.mask.grid is None else None
        edit = edits.paint(document.mask, patch, x, y, name=name, grid=grid)
        if edit.is_empty or not edit.tiles:
            continue
        document.apply(edit)
        after, writer = labels[-1].copy(), writers[-1].copy()
        after[y : y + 50, x : x + 50] = code
        writer[after != labels[-1]] = 1 if name.startswith("Segment") else 2
        labels.append(after)
        writers.append(writer)
    for _ in range(min(undone, document.position)):
        document.undo()

    keys = frozenset((c, r) for c in range(2) for r in range(2))
    found = np.zeros((512, 512), bool)
    for (column, row), mine in corrected_pixels(document, keys).items():
        found[row * 256 : row * 256 + 256, column * 256 : column * 256 + 256] = mine

    assert (found[:SIDE, :SIDE] == (writers[document.position] == 2)).all()
