from types import SimpleNamespace

import numpy as np
import pytest
import shapely

from segcore.annotations import Annotation
from segcore.slides import open_slide
from tests.builders import write_slide
from tests.fakes import Answers, Heard
from viewer.document import edits
from viewer.jobs import JobRunner
from viewer.rendering.viewport import Viewport
from viewer.session import Session
from viewer.session.workspace import OpenedSlide
from viewer.settings import Settings

WIDTH, HEIGHT, MPP = 1200, 800, 0.5


class Bench:
    """A session without a window, on a slide of 1200 x 800 pixels of 0.5 µm."""

    def __init__(self, folder):
        self.folder = folder
        self.session = Session(settings=Settings(), jobs=JobRunner(), tell=Heard(), ask=Answers())
        view = Viewport(600, 400, 2.0, 600, 400)
        self.session.view = SimpleNamespace(viewport=view)
        self.opens("slide")

    def opens(self, name, mpp=MPP):
        path = write_slide(
            self.folder / f"{name}.tif", np.full((HEIGHT, WIDTH, 3), 255, np.uint8), mpp
        )
        opened = OpenedSlide(open_slide(path), name, np.zeros((4, 6, 3), np.uint8))
        self.session.adopt(opened, None)

    def has(self, *shapes, selected=True, **fields):
        """Put annotations onto the slide and select them; return them."""
        added = [Annotation(each, **fields) for each in shapes]
        self.session.apply(edits.add(added))
        if selected:
            self.selects(*added)
        return added

    def selects(self, *annotations):
        self.session.select(frozenset(each.id for each in annotations))

    def answers(self, text):
        self.session.ask = Answers(text=text)

    @property
    def document(self):
        return self.session.workspace.document

    @property
    def shapes(self):
        return [each.geometry for each in self.document.annotations.values()]

    @property
    def told(self):
        return [text for _, text in self.session.tell.said]


@pytest.fixture
def bench(qapp, tmp_path):
    bench = Bench(tmp_path)
    yield bench
    bench.session.jobs.wait_idle(10)
    bench.session.close()


@pytest.fixture
def two_squares():
    return shapely.box(100, 100, 300, 300), shapely.box(200, 200, 350, 350)
