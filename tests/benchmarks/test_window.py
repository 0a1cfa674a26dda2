"""How smooth the window is. These measure and print; they do not judge by the clock."""

import numpy as np
import pytest
from PySide6.QtCore import QElapsedTimer, QTimer
from PySide6.QtWidgets import QApplication

from tests.builders import ColourBundle, OneBundle, write_slide
from viewer.app import build
from viewer.settings import Settings

pytestmark = pytest.mark.benchmark


def percentiles(values):
    return "p50 {:.1f} ms, p95 {:.1f} ms, p99.9 {:.1f} ms, max {:.1f} ms".format(
        *np.percentile(values, (50, 95, 99.9)), max(values)
    )


@pytest.fixture
def opened(qtbot, tmp_path):
    def make(path, bundle=None):
        session, window = build(Settings())
        if bundle is not None:
            session.models = OneBundle(bundle)
        qtbot.addWidget(window)
        window.resize(1600, 960)
        window.show()
        session.open(path)
        session.jobs.wait_idle()
        return session, window

    return make


def noise_slide(path, side=6000):
    rng = np.random.default_rng(0)
    coarse = rng.integers(90, 250, (side // 20, side // 20, 3), dtype=np.uint8)
    return write_slide(path, coarse.repeat(20, 0).repeat(20, 1))


def test_frame_times_of_panning_and_zooming_while_tiles_load(opened, tmp_path):
    _, window = opened(noise_slide(tmp_path / "noise.tif"))
    canvas, frames, clock = window.canvas, [], QElapsedTimer()
    canvas.set_scale(2.0)
    for step in range(1500):
        clock.start()
        if step % 300 < 200:
            sign = -1 if step // 300 % 2 else 1
            canvas.look(canvas.viewport.panned(-14 * sign, 9 * sign))
        else:
            canvas.look(canvas.viewport.zoomed(1.01 if step % 2 else 1 / 1.012, 500, 400))
        canvas.repaint()
        QApplication.processEvents()
        frames.append(clock.nsecsElapsed() / 1e6)
    print("\nframes:", percentiles(frames))


def test_event_loop_gaps_while_a_segmentation_runs(opened, tmp_path):
    from shapely.geometry import box

    from segcore.annotations import Annotation
    from viewer.actions import action_named
    from viewer.document import edits
    from viewer.jobs.models import Models

    session, _ = opened(noise_slide(tmp_path / "noise.tif", 3000), ColourBundle())
    session.models = Models()
    session.apply(edits.add([Annotation(box(0, 0, 2500, 2500), name="ROI 1")]))
    gaps, clock = [], QElapsedTimer()
    beat = QTimer(interval=5)
    beat.timeout.connect(lambda: gaps.append(clock.restart()))
    clock.start()
    beat.start()
    action_named("segment.region").run(session)
    session.jobs.wait_idle()
    beat.stop()
    print(
        "\nevent loop gaps:",
        percentiles(gaps),
        f"under 100 ms: {np.mean(np.array(gaps) < 100):.4f}",
    )
