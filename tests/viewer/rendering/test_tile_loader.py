import numpy as np
import pytest

from segcore.errors import SlideError
from segcore.slides.array import ArraySlide
from viewer.rendering import tile_loader
from viewer.rendering.tile_loader import TileLoader
from viewer.rendering.tiles import TileKey


class Flaky(ArraySlide):
    """Fails while `broken`."""

    broken = True

    def read(self, *args, **kwargs):
        if self.broken:
            raise SlideError("The slide cannot be read: the drive is gone. Connect it again.")
        return super().read(*args, **kwargs)


def ramp(height, width):
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[..., 0] = np.arange(width) * 255 // max(width - 1, 1)
    return pixels


@pytest.fixture
def loader(qtbot):
    made = []

    def make(slide, **more):
        made.append(TileLoader(slide, **more))
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_wanted_tiles_arrive_with_the_pixels_of_their_place(loader, qtbot):
    pixels = ramp(700, 1200)
    reader = loader(ArraySlide(pixels, mpp=0.5))

    with qtbot.waitSignal(reader.loaded) as arrived:
        reader.want([TileKey(0, 1, 0)])

    key, image = arrived.args
    assert key == TileKey(0, 1, 0)
    assert (image.width(), image.height()) == (512, 512)
    assert image.pixelColor(0, 0).red() == pixels[0, 512, 0]


def test_tiles_at_the_rim_end_where_the_slide_ends(loader):
    reader = loader(ArraySlide(ramp(700, 1200), mpp=0.5))

    assert reader.read(TileKey(0, 2, 1)).shape == (700 - 512, 1200 - 1024, 3)


def test_a_coarse_tile_of_a_slide_with_one_level_is_made_of_its_children(loader):
    slide = ArraySlide(ramp(8000, 9000), mpp=0.5)
    slide.levels = slide.levels[:1]
    reader = loader(slide)

    tile = reader.read(TileKey(4, 0, 0))

    expected = np.arange(512) * 16 + 8
    assert np.abs(tile[100, :, 0].astype(int) - expected * 255 / 8999).max() <= 2


def test_a_slide_that_fails_is_told_once_and_read_again_when_it_comes_back(loader, qtbot):
    slide = Flaky(ramp(600, 600), mpp=0.5)
    reader = loader(slide, threads=1)
    told = []
    reader.failed.connect(told.append)

    with qtbot.waitSignal(reader.failed):
        reader.want([TileKey(0, 0, 0)])
    slide.broken = False
    with qtbot.waitSignal(reader.recovered, timeout=5000):
        reader.want([TileKey(0, 0, 0), TileKey(0, 1, 0)])

    assert told == ["The slide cannot be read: the drive is gone. Connect it again."]


def test_what_failed_is_read_without_asking_once_the_slide_is_back(loader, qtbot, monkeypatch):
    monkeypatch.setattr(tile_loader, "RETRY_SECONDS", (0.02,))
    slide = Flaky(ramp(600, 1600), mpp=0.5)
    reader = loader(slide, threads=1)
    arrived = set()
    reader.loaded.connect(lambda key, _: arrived.add(key))
    wanted = [TileKey(0, column, 0) for column in range(4)]

    with qtbot.waitSignal(reader.failed):
        reader.want(wanted)
    qtbot.wait(200)  # every tile has failed by now
    slide.broken = False

    qtbot.waitUntil(lambda: arrived == set(wanted))


class Damaged(ArraySlide):
    """Has one place that cannot be read."""

    def read(self, x, *args):
        if 512 <= x < 1024:
            raise SlideError("Corrupt JPEG data.")
        return super().read(x, *args)


def test_one_damaged_tile_is_told_once_and_hides_no_other(loader, qtbot, monkeypatch):
    monkeypatch.setattr(tile_loader, "RETRY_SECONDS", (0.02,))
    slide = Damaged(ramp(600, 2000), mpp=0.5)
    reader = loader(slide, threads=1)
    arrived, told = set(), []
    reader.loaded.connect(lambda key, _: arrived.add(key))
    reader.failed.connect(told.append)
    reader.recovered.connect(lambda: told.append("recovered"))
    wanted = [TileKey(0, column, 0) for column in range(4)]

    for _ in range(3):  # as often as the hand moves
        reader.want(wanted)
        qtbot.wait(150)

    assert arrived == set(wanted) - {TileKey(0, 1, 0)}
    assert len(told) == 1
    assert "is damaged" in told[0]
