"""How long each event of a gesture takes; figures are printed with `-s`."""

import time
from pathlib import Path

import numpy as np
import pytest
from shapely import Polygon

from segcore.annotations import Annotation
from segcore.slides import open_slide
from segcore.slides.base import read_scaled
from tests.gestures import along
from viewer.document import Document, MaskGrid, edits
from viewer.tools import Context, tool_named

pytestmark = pytest.mark.benchmark
SLIDE = 24_000
GRID = MaskGrid(2.0, 0.5)


def ragged(vertices: int) -> Polygon:
    """A shape as large as the slide with a ragged border."""
    turns = np.linspace(0, 2 * np.pi, vertices, endpoint=False)
    rng = np.random.default_rng(0)
    return Polygon(at_border(turns, rng.normal(0, 0.1, vertices)))


def at_border(turns: np.ndarray, off: np.ndarray | float) -> np.ndarray:
    reach = 10_000 + 200 * np.sin(37 * turns) + off
    return SLIDE / 2 + (reach * [np.cos(turns), np.sin(turns)]).T


def strokes(count: int, events: int) -> list[list[tuple[float, float]]]:
    """Strokes that wander over the border of that shape, 10 pixels an event."""
    rng = np.random.default_rng(1)
    starts = at_border(rng.uniform(0, 2 * np.pi, count), -5.0)
    ways = rng.normal(0, 1, (count, 1, 2)) + rng.normal(0, 0.5, (count, events, 2))
    ways *= 10 / np.hypot(*ways.transpose(2, 0, 1))[..., None]
    return [
        list(map(tuple, start + way.cumsum(0))) for start, way in zip(starts, ways, strict=True)
    ]


def timed(tool: str, events, context: Context) -> tuple[list[float], object]:
    """Return the milliseconds of this thread that each event took, and what the gesture came to."""
    gesture = tool_named(tool).begin(events[0], context)
    assert gesture is not None
    took = []
    for event in (None, *events[1:]):
        start = time.thread_time()
        try:
            next(gesture) if event is None else gesture.send(event)
        except StopIteration as end:
            return [*took, 1000 * (time.thread_time() - start)], end.value
        took.append(1000 * (time.thread_time() - start))
    raise AssertionError("The gesture did not end.")


def told(what: str, took) -> float:
    """Print the figures and return the 95th percentile."""
    median, p95 = np.percentile(took, [50, 95])
    print(f"\n{what}: p50 {median:.1f} ms, p95 {p95:.1f} ms, worst {max(took):.1f} ms")
    return float(p95)


@pytest.mark.parametrize("tool", ["brush", "erase"])
def test_the_brush_on_a_shape_of_100_000_vertices_takes_at_most_16_ms_per_event(tool):
    shape = Annotation(ragged(100_000))
    document = Document()
    document.apply(edits.add([shape]))
    took, last = [], []
    for path in strokes(count=20, events=30):
        selected = tuple(document.annotations.values())
        context = Context(document, SLIDE, SLIDE, on_mask=False, selection=selected)
        found, edit = timed(tool, along(*path, shift=True), context)
        took += found
        last.append(found[-1])
        document.apply(edit)

    assert told(f"{tool}, press and release included", took) <= 16
    told(f"{tool}, release alone", last)


class SlidePixels:
    def __init__(self, slide):
        self.slide = slide

    def pixels(self, left, top, side, scale):
        return read_scaled(self.slide, left=left, top=top, scale=scale, width=side, height=side)


@pytest.mark.parametrize("scale", [0.5, 1.0, 2.3])
@pytest.mark.parametrize("on_mask", [True, False])
def test_the_wand_takes_at_most_30_ms_per_event(shared_data: Path, scale, on_mask):
    with open_slide(shared_data / "slides" / "bcss-1015-pyramid.tif") as slide:
        width, height = slide.dimensions
        path = [(600 + 8 * scale * k, 700 + 40 * np.sin(k / 4)) for k in range(60)]
        context = Context(
            Document(), width, height, GRID, on_mask=on_mask, tissue=SlidePixels(slide)
        )
        timed("wand", along(*path[:2], scale=scale), context)  # what is loaded once
        took, _ = timed("wand", along(*path, scale=scale), context)

    assert told(f"wand at {scale}, {'mask' if on_mask else 'annotation'}", took) <= 30
