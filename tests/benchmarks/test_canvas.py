"""How smooth the canvas is, beside the viewer that anybody would write first. They measure; they do not judge."""

import json
import os
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtWidgets import QApplication

from segcore.slides import open_slide
from tests.benchmarks.large_slide import write_large_slide
from tests.benchmarks.naive_viewer import NaiveViewer
from viewer.rendering.viewport import Viewport
from viewer.widgets.slide_pane import SlidePane

FRAME = 1 / 60
SIZE = 1600, 900
MINUTE, BEGINNING = 3600, 300  # frames
NAPARI = Path(__file__).with_name("napari_viewer.py")


def motion(size, scale, frames):
    """Pan in long strokes, zoom out and in again, as one who searches a slide of that size does."""
    width, height = size
    view, finest, speed = Viewport(width / 2, height / 2, scale, *SIZE), scale, 22.0
    for step in range(frames):
        phase = step / frames * 2 * np.pi
        zoom = 1.02 if step % 240 < 60 else 1 / 1.02 if 120 <= step % 240 < 180 else 1.0
        view = view.panned(speed * np.cos(5 * phase), speed * np.sin(3 * phase))
        view = replace(view, scale=min(max(view.scale * zoom, finest), finest * 12))
        yield replace(view, x=folded(view.x, width), y=folded(view.y, height))


def folded(place, length):
    """Return where a way that turns back at both ends of a length has got to."""
    return length - abs(place % (2 * length) - length)


def frame_times(widget, views):
    """Show the views at 60 a second and return the milliseconds that each of them held up the main thread."""
    times, due = [], time.perf_counter()
    for view in views:
        began = time.perf_counter()
        widget.look(view)
        (widget.viewport if callable(widget.viewport) else lambda: widget)().repaint()
        QApplication.processEvents()
        times.append(1000 * (time.perf_counter() - began))
        due = max(due + FRAME, time.perf_counter())
        while time.perf_counter() < due:
            QApplication.processEvents()
            time.sleep(0.001)
    return times


def told(times):
    return "p50 {:5.1f}  p95 {:5.1f}  max {:6.1f} ms".format(
        *np.percentile(times, (50, 95)), max(times)
    )


@pytest.fixture(params=["a real slide", "100 000 x 80 000 pixels"])
def slide(request, tmp_path):
    if request.param == "a real slide":
        data = request.getfixturevalue("shared_data")
        path = data / "slides" / "her2st-C2-pyramid.tif"
    else:
        path = write_large_slide(tmp_path / "large.tif", 100_000, 80_000)
    with open_slide(path) as opened:
        yield request.param, opened


@pytest.mark.benchmark
def test_frames_of_a_minute_of_panning_and_zooming(qtbot, slide, tmp_path):
    name, opened = slide
    views = list(motion(opened.dimensions, 1.0, MINUTE))
    pane, naive = SlidePane(384 << 20), NaiveViewer(opened)
    for widget in (pane, naive):
        qtbot.addWidget(widget)
        widget.resize(*SIZE)
        widget.show()
    pane.show_slide(opened)
    print(f"\n{name}: a minute at 60 frames a second; what is marked *: its first five seconds")
    cold = frame_times(pane, views)
    print(f"  Acinus, cold: {told(cold)}")
    print(f"  Acinus, cold *: {told(cold[:BEGINNING])}")
    print(f"  Acinus, warm *: {told(frame_times(pane, views[:BEGINNING]))}")
    pane.drop_slide()
    theirs = frame_times(naive, views[:BEGINNING])
    print(f"  one item per tile, read at once, cold *: {told(theirs)}")
    python = os.environ.get("ACINUS_BENCH_NAPARI")  # an interpreter that has napari
    if python:
        for state, times in napari_times(python, opened.path, views[:BEGINNING], tmp_path).items():
            print(f"  napari, {state} *: {told(times)}")


def napari_times(python, slide, views, folder):
    """Show the same views in napari, on the display that is there."""
    asked = folder / "motion.json"
    asked.write_text(json.dumps([(view.x, view.y, view.scale) for view in views]))
    command = [python, str(NAPARI), str(slide), str(asked)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, timeout=600)
    return json.loads(done.stdout)


def resident_mb():
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


@pytest.mark.soak
def test_memory_stays_flat_over_20_000_steps(qtbot, tmp_path):
    path = write_large_slide(tmp_path / "large.tif", 100_000, 80_000)
    with open_slide(path) as opened:
        pane = SlidePane(128 << 20)
        qtbot.addWidget(pane)
        pane.resize(*SIZE)
        pane.show()
        pane.show_slide(opened)
        sizes = []
        for step, view in enumerate(motion(opened.dimensions, 2.0, 20_000)):
            pane.look(view)
            pane.repaint()
            QApplication.processEvents()
            if step % 1000 == 0:
                sizes.append(resident_mb())
        pane.drop_slide()
    print("\nMB every 1000 steps:", " ".join(f"{size:.0f}" for size in sizes))
    assert sizes[-1] < 1.15 * np.median(sizes[5:10])
