"""What leaves the canvas or belongs to it alone: pictures of a view, where files went, labels of the glass."""

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QFileDialog, QPushButton
from shapely.geometry import box

from segcore.annotations import Annotation
from tests.builders import heatmap_of, write_slide
from viewer.document import edits
from viewer.session.ports import PictureOptions
from viewer.settings import Settings
from viewer.widgets.label_dialog import PicturesDialog
from viewer.widgets.legend import Legend, legend_of
from viewer.widgets.messages import Dialogs, short_path

LEFT, RIGHT = (200, 40, 40), (40, 40, 200)


def plain(colour):
    return np.full((800, 1200, 3), colour, np.uint8)


@pytest.fixture
def person(open_window, tmp_path):
    return open_window().opens(write_slide(tmp_path / "left.tif", plain(LEFT)))


def beside(person, path):
    person.session.beside.open(path)
    person.waits()
    pane = person.window.stage.companion.pane
    person.qtbot.waitUntil(lambda: pane.isVisible() and bool(pane.grab()) and pane.complete)
    return pane


def pixels_of(image):
    image = image.convertToFormat(QImage.Format.Format_RGB888)
    raw = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return raw[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).copy()


def button(message, title):
    return next(each for each in message.findChildren(QPushButton) if each.text() == title)


@pytest.mark.parametrize("way", ["export", "copy"])
def test_a_picture_of_two_slides_shows_both_each_with_its_scale_bar(person, tmp_path, way):
    pane = beside(person, write_slide(tmp_path / "right.tif", plain(RIGHT), mpp=0.25))
    left_width = person.canvas.width()

    if way == "export":
        file = tmp_path / "view.png"
        person.canvas.export_picture(file, PictureOptions(finer=2))
        person.waits()
        person.qtbot.waitUntil(file.is_file)
        picture, finer = pixels_of(QImage(str(file))), 2
    else:
        person.does("edit.copy_view")
        picture, finer = pixels_of(QApplication.clipboard().image()), 1

    height, width = picture.shape[0] // finer, picture.shape[1] // finer
    assert (width, height) == person.canvas.picture_size
    assert width > left_width + pane.width()
    starts = {LEFT: 0, RIGHT: width - pane.width()}
    for colour, start in starts.items():
        middle = start + (left_width if start == 0 else pane.width()) // 2
        assert np.abs(picture[finer * height // 2, finer * middle] - np.array(colour)).max() < 8
        card = picture[finer * (height - 20), finer * (start + 20)]
        assert card.max() < 140  # the dark ground of the scale bar


def test_the_legend_names_what_is_shown_and_nothing_else(person):
    tumor = Annotation(box(0, 0, 90, 90), class_name="Tumor")
    person.session.apply(edits.add([tumor, Annotation(box(200, 0, 290, 90), class_name="Vessel")]))
    person.session.set_heatmap(heatmap_of(np.ones((4, 4)), (0, 0, 90, 90), "Stroma"))

    legend = legend_of(person.session, person.canvas)
    assert list(legend.classes) == ["Tumor", "Vessel"]
    assert legend.classes["Tumor"].getRgb()[:3] == person.session.taxonomy.named("Tumor").colour
    assert legend.heatmap.heat.class_name == "Stroma"
    person.does("view.annotations")
    person.session.set_heatmap(None)
    assert legend_of(person.session, person.canvas) == Legend({})


def test_what_was_exported_is_told_with_its_folder_and_the_path_can_be_copied(person, tmp_path):
    person.session.ask.save_path = tmp_path / "out" / "mine.png"
    (tmp_path / "out").mkdir()

    person.does("file.export")
    person.waits()

    message = person.window.stage.messages[-1]
    assert "mine.png" in message.text
    assert message.text.endswith(str(tmp_path / "out"))
    assert button(message, "Show in folder")
    button(message, "Copy path").click()
    assert QApplication.clipboard().text() == str(tmp_path / "out" / "mine.png")


def test_a_home_folder_is_written_short(monkeypatch):
    monkeypatch.setattr(Path, "home", lambda: Path("/home/anna"))

    assert short_path(Path("/home/anna/slides")) == str(Path("~/slides"))
    assert short_path(Path("/srv/slides")) == str(Path("/srv/slides"))


def test_dialogs_begin_where_the_last_slide_was_and_the_last_file_went(
    qtbot, tmp_path, monkeypatch
):
    begun = []

    def answer(given):
        def ask(_parent, _title, start, _pattern):
            begun.append(Path(start))
            return str(given), ""

        return ask

    settings = Settings()
    dialogs = Dialogs(settings)
    settings.remember(tmp_path / "slides" / "a.svs")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", answer(""))
    monkeypatch.setattr(QFileDialog, "getSaveFileName", answer(tmp_path / "b.geojson"))

    dialogs.slide_to_open()
    for _ in range(2):
        dialogs.file_to_save("Export", tmp_path / "slides" / "a.geojson", "*")

    slides = tmp_path / "slides"
    assert begun == [slides, slides / "a.geojson", tmp_path / "a.geojson"]


def test_a_label_is_read_only_after_the_person_agreed_and_is_asked_about_once(person, monkeypatch):
    slide, read = person.session.workspace.slide, []

    def label(name):
        read.append(name)
        return np.zeros((40, 60, 3), np.uint8)

    monkeypatch.setattr(slide, "associated_names", ("label", "thumbnail", "macro"))
    monkeypatch.setattr(slide, "associated", label)
    person.session.ask.yes = False
    person.does("view.label")
    person.waits()
    assert read == []
    assert "patient" in person.session.ask.asked[0]

    person.session.ask.yes = True
    for _ in range(2):
        person.does("view.label")
        person.waits()

    assert read == ["label", "macro"] * 2  # the thumbnail is no secret, and seen anyway
    assert len(person.session.ask.asked) == 2
    dialogs = person.window.findChildren(PicturesDialog)
    assert len(dialogs) == 2
    for dialog in dialogs:
        dialog.close()


def test_that_a_slide_has_no_label_is_said(person):
    person.does("view.label")

    assert person.messages() == ["left carries no label and no macro image."]


def test_an_unknown_pixel_size_is_asked_for_from_the_message_and_kept(open_window, tmp_path):
    path = write_slide(tmp_path / "nameless.tif", mpp=None)
    person = open_window(mpp=0.4).opens(path)
    (message,) = person.window.stage.messages

    button(message, "Set it…").click()

    assert person.session.workspace.slide.mpp == 0.4
    assert not person.window.stage.messages
    person.window.close()
    again = open_window().opens(path)
    assert again.session.workspace.slide.mpp == 0.4
    assert again.messages() == []


def test_display_controls_leave_two_slides_free(person, tmp_path):
    person.window.resize(1500, 900)
    pane = beside(person, write_slide(tmp_path / "right.tif"))
    person.does("view.adjust")
    QApplication.processEvents()
    stage = person.window.stage
    controls = stage.adjustments.geometry()

    for each in (person.canvas, pane):
        corner = each.mapTo(stage, each.rect().topLeft())
        covered = controls.intersected(each.rect().translated(corner))
        assert covered.width() * covered.height() < 0.15 * each.width() * each.height()
    assert stage.rect().contains(controls)
