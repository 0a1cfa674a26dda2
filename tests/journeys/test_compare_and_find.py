"""Turn the slide, change how it is shown, keep places, compare with a second slide, take a picture home."""

import numpy as np
import pytest
from PIL import Image, ImageCms
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from tests.builders import write_slide
from viewer.rendering import Adjustment
from viewer.session.ports import PictureOptions


@pytest.fixture
def person(open_window, slide):
    return open_window().opens(slide)


def colours(canvas):
    image = canvas.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    raw = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return raw[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).astype(int)


def ready(person):
    person.qtbot.waitUntil(lambda: person.canvas.grab() and person.canvas.complete, timeout=10_000)


def test_a_turned_slide_is_drawn_and_pointed_at_where_it_lies(person):
    person.does("view.full")
    ready(person)
    x, y = 400.0, 300.0
    before = colours(person.canvas)[person.at(x, y).y(), person.at(x, y).x()]

    person.does("view.turn_right")
    person.does("view.mirror")
    ready(person)

    place = person.at(x, y)
    assert np.abs(colours(person.canvas)[place.y(), place.x()] - before).max() <= 12
    person.region(300, 200, 500, 420)
    assert person.session.region.geometry.bounds == pytest.approx((300, 200, 500, 420), abs=2)
    person.does("view.upright")
    assert person.canvas.viewport.is_upright


def test_on_a_finer_screen_finer_tiles_are_read(person, monkeypatch):
    layer = person.canvas.slide_layer
    layer.forget()  # the finer ones may have been read before
    person.session.view.set_scale(2.0)
    ready(person)
    assert layer.needed(person.canvas.viewport, 2.0)

    monkeypatch.setattr(person.canvas, "devicePixelRatioF", lambda: 2.0)
    QApplication.sendEvent(person.canvas, QEvent(QEvent.Type.DevicePixelRatioChange))

    person.qtbot.waitUntil(lambda: not layer.needed(person.canvas.viewport, 2.0))


def test_an_arrow_pans_alone_and_turns_with_alt(person):
    person.does("view.full")
    person.canvas.setFocus()
    before = person.canvas.viewport

    QTest.keyClick(person.canvas, Qt.Key.Key_Right)
    panned = person.canvas.viewport
    QTest.keyClick(person.canvas, Qt.Key.Key_Right, Qt.KeyboardModifier.AltModifier)

    assert panned.x > before.x
    assert (person.canvas.viewport.turn, person.canvas.viewport.x) == (90, panned.x)


def test_colours_change_for_the_eye_and_never_for_the_export(person, tmp_path):
    ready(person)
    before = colours(person.canvas)

    person.session.adjust(Adjustment(brightness=0.3))
    assert colours(person.canvas).mean() > before.mean() + 5
    scanned = person.session.workspace.slide.read(0, 0, 0, 64, 64)
    person.does("view.own_colours")

    assert (colours(person.canvas) == before).mean() > 0.999
    assert (person.session.workspace.slide.read(0, 0, 0, 64, 64) == scanned).all()


def test_bookmarks_and_the_last_view_are_there_again_after_reopening(person, open_window, slide):
    person.does("view.full")
    person.does("view.bookmark")
    kept = person.canvas.viewport
    person.does("view.fit")
    person.does("view.next_bookmark")
    assert (person.canvas.viewport.x, person.canvas.viewport.scale) == (kept.x, kept.scale)
    person.session.view.look(kept.zoomed(1.7, 10, 10))
    last = person.canvas.viewport
    person.window.close()

    again = open_window().opens(slide)

    assert [each.name for each in again.session.workspace.places.bookmarks] == ["View 1"]
    now = again.canvas.viewport
    assert (now.x, now.y, now.scale) == pytest.approx((last.x, last.y, last.scale))


@pytest.mark.parametrize(
    ("words", "expected"),
    [("100, 50", (200, 100)), ("400 300 px", (400, 300)), ("x 10.5 y 20 µm", (21, 40))],
)
def test_a_position_that_is_typed_comes_to_the_middle(person, words, expected):
    person.session.ask.words = words  # the slide has 0.5 µm per pixel

    person.does("view.go_to")

    assert (person.canvas.viewport.x, person.canvas.viewport.y) == expected


def test_what_is_no_position_is_said_and_nothing_moves(person):
    before = person.canvas.viewport
    person.session.ask.words = "over there"

    person.does("view.go_to")

    assert "no position" in person.messages()[-1]
    assert person.canvas.viewport == before


def test_two_slides_move_together_in_micrometres_until_they_are_let_apart(person, tmp_path):
    other = write_slide(tmp_path / "other.tif", mpp=0.25)
    person.session.beside.open(other)
    person.waits()
    pane = person.window.stage.companion.pane
    person.qtbot.waitUntil(lambda: pane.slide is not None and pane.isVisible())
    person.qtbot.waitUntil(
        lambda: pane.viewport.scale == pytest.approx(2 * person.canvas.viewport.scale)
    )
    before = pane.viewport

    person.canvas.look(person.canvas.viewport.panned(-10, 0))
    step = 10 * person.canvas.viewport.scale * 2  # half the pixel size: twice as many pixels
    assert pane.viewport.x == pytest.approx(before.x + step)
    person.does("view.link")
    held = pane.viewport
    person.canvas.look(person.canvas.viewport.panned(5, 5))
    assert pane.viewport == held
    person.does("file.close_beside")
    assert not person.window.stage.companion.isVisible()


def test_a_view_is_exported_as_fine_as_asked_with_what_lies_over_it(person, tmp_path):
    person.region(100, 100, 300, 300)
    file = tmp_path / "view.png"

    person.canvas.export_picture(file, PictureOptions(finer=2))
    person.waits()
    person.qtbot.waitUntil(file.is_file)

    with Image.open(file) as picture:
        assert picture.size == (2 * person.canvas.width(), 2 * person.canvas.height())
        assert round(picture.info["dpi"][0]) == 300
        edge = person.at(100, 200)
        near = np.asarray(picture.convert("RGB"))[2 * edge.y(), 2 * edge.x() - 3 : 2 * edge.x() + 4]
    yellow = (near[:, 0].astype(int) > 180) & (near[:, 2].astype(int) < 120)
    assert yellow.any()  # the selected outline


def test_a_picture_that_cannot_be_written_is_said(person, tmp_path):
    person.canvas.export_picture(tmp_path / "no" / "view.png", PictureOptions())
    person.waits()

    person.qtbot.waitUntil(lambda: any("cannot be written" in m for m in person.messages()))


def test_a_slide_that_was_thrown_glides_on_and_stops_at_a_press(person):
    person.does("view.full")
    start = person.canvas.viewport.x
    person.canvas.grab_at(QPoint(400, 300))
    for step in range(1, 6):
        person.canvas.drag_to(QPoint(400 - 6 * step, 300))
    person.canvas.let_go()
    released = person.canvas.viewport.x

    person.qtbot.waitUntil(lambda: person.canvas.viewport.x > released + 3, timeout=3000)
    person.qtbot.mousePress(person.canvas, Qt.MouseButton.LeftButton, pos=QPoint(300, 300))
    stopped = person.canvas.viewport.x
    person.qtbot.mouseRelease(person.canvas, Qt.MouseButton.LeftButton, pos=QPoint(300, 300))
    person.qtbot.wait(60)

    assert start < released < stopped == person.canvas.viewport.x


def test_a_profile_changes_what_is_seen_and_is_named_until_it_is_switched_off(
    open_window, tmp_path
):
    # A "scanner" whose red and blue primaries are exchanged: its profile must exchange them on the screen.
    pixels = np.full((600, 800, 3), (200, 60, 60), np.uint8)
    file = tmp_path / "profile.png"
    Image.fromarray(pixels).save(file, icc_profile=exchanged_primaries(), dpi=(50_800, 50_800))
    person = open_window().opens(file)
    ready(person)
    middle = np.s_[person.canvas.height() // 2, person.canvas.width() // 2]

    red, _, blue = colours(person.canvas)[middle]
    assert blue > red + 80
    overview = person.session.workspace.thumbnail[0, 0].astype(int)
    assert overview[2] > overview[0] + 80
    assert "ICC profile" in person.window.status.display.text()
    assert tuple(person.session.workspace.slide.read(0, 0, 0, 1, 1)[0, 0]) == (200, 60, 60)

    person.does("view.colour_profile")
    ready(person)
    person.qtbot.waitUntil(lambda: tuple(colours(person.canvas)[middle]) == (200, 60, 60))
    assert person.window.status.display.text() == ""


def exchanged_primaries():
    """Return an sRGB profile whose red and blue colorants are exchanged."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = int.from_bytes(data[128:132], "big")
    entries = {bytes(data[132 + 12 * i : 136 + 12 * i]): 132 + 12 * i for i in range(count)}
    red, blue = entries[b"rXYZ"], entries[b"bXYZ"]
    data[red : red + 4], data[blue : blue + 4] = data[blue : blue + 4], data[red : red + 4]
    return bytes(data)


@pytest.mark.parametrize(("name", "mpp_on_screen"), [("view.5x", 2.0), ("view.40x", 0.25)])
def test_an_objective_shows_its_micrometres_per_screen_pixel(person, name, mpp_on_screen):
    person.does(name)

    scale = person.canvas.viewport.scale
    assert scale * person.session.workspace.slide.mpp == pytest.approx(mpp_on_screen)
