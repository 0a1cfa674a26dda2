from types import SimpleNamespace

import numpy as np
import pytest

from segcore.slides import Slide
from segcore.slides.base import Level
from tests.fakes import Answers, Heard
from viewer.jobs import JobRunner
from viewer.rendering.viewport import Viewport
from viewer.session import Session
from viewer.session.workspace import OpenedSlide
from viewer.settings import Settings


class Paper(Slide):
    """A slide that costs nothing to open."""

    levels = (Level(4000, 3000, 1.0),)
    mpp, bounds, magnification, vendor = 0.5, (0, 0, 4000, 3000), 20.0, "none"

    def __init__(self, path):
        self.path = path

    def read(self, x, y, level, width, height):
        return np.full((height, width, 3), 230, np.uint8)

    def close(self):
        pass


@pytest.fixture
def session(qtbot, tmp_path):
    """A session with a slide open, without its window."""
    session = Session(settings=Settings(), jobs=JobRunner(), tell=Heard(), ask=Answers())
    shown = []
    session.view = SimpleNamespace(
        viewport=Viewport(), shown=shown, show_region=lambda *region: shown.append(region)
    )
    slide = Paper(tmp_path / "paper.tif")
    session.adopt(OpenedSlide(slide, "f", np.zeros((8, 12, 3), np.uint8)), None)
    yield session
    session.jobs.wait_idle(20)
    session.close()
