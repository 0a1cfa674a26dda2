"""Open a slide, outline a region, segment it, correct it, export it, and find everything again."""

import json

import numpy as np
import pytest
from PySide6.QtCore import Qt
from shapely.geometry import box, shape

from segcore.annotations import Annotation
from segcore.data import read_tiles
from tests.builders import heatmap_of
from viewer.document import edits


def code_at(person, x, y):
    grid = person.session.workspace.document.mask.grid
    column, row = int(x / grid.scale), int(y / grid.scale)
    return int(person.session.workspace.document.mask.read(column, row, 1, 1)[0, 0])


@pytest.fixture
def segmented(person, slide):
    person.opens(slide)
    person.region(100, 100, 1100, 700)
    person.key(Qt.Key.Key_S)
    person.waits()
    return person


def test_a_region_drawn_and_segmented_has_the_classes_of_the_tissue(segmented):
    assert code_at(segmented, 250, 400) == 1
    assert code_at(segmented, 600, 400) == 2
    assert code_at(segmented, 1000, 400) == 5
    assert code_at(segmented, 50, 50) == 0


def test_areas_and_the_ratio_of_tumor_to_stroma_appear(segmented):
    areas = segmented.session.composition.areas_mm2()

    # 300 x 600 pixels of tumor and 400 x 600 of stroma lie in the region, at 0.5 µm.
    assert areas[1] == pytest.approx(300 * 600 * 0.25e-6, rel=0.03)
    assert areas[2] == pytest.approx(400 * 600 * 0.25e-6, rel=0.03)
    texts = [
        label.text() for label in segmented.window.findChildren(type(segmented.window.status.place))
    ]
    assert "0.75" in texts


def test_the_overlay_streams_in_before_the_result(person, slide):
    person.opens(slide)
    person.region(100, 100, 1100, 700)
    seen = []
    person.session.streamed.connect(
        lambda keys: seen.append((len(keys), bool(person.session.workspace.document.mask.tiles)))
    )

    person.does("segment.region")
    person.waits()

    assert seen[0][0] > 0
    assert seen[0][1] is False


def test_a_brush_stroke_corrects_the_mask_and_undo_takes_it_back(segmented):
    segmented.key(Qt.Key.Key_B)
    segmented.key(Qt.Key.Key_4)
    before = segmented.session.composition.areas_mm2()

    segmented.drags((250, 300), (250, 350), (260, 420))

    assert code_at(segmented, 250, 350) == 4
    assert segmented.session.composition.areas_mm2()[4] > 0
    segmented.key(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert code_at(segmented, 250, 350) == 1
    assert segmented.session.composition.areas_mm2() == before
    segmented.key(
        Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    )
    assert code_at(segmented, 250, 350) == 4


def test_escape_in_the_middle_of_a_stroke_leaves_no_trace(segmented):
    segmented.key(Qt.Key.Key_B)
    segmented.key(Qt.Key.Key_4)
    history = list(segmented.session.workspace.document.history)

    segmented.qtbot.mousePress(
        segmented.canvas, Qt.MouseButton.LeftButton, pos=segmented.at(250, 350)
    )
    segmented.qtbot.keyClick(segmented.canvas, Qt.Key.Key_Escape)
    segmented.qtbot.mouseRelease(
        segmented.canvas, Qt.MouseButton.LeftButton, pos=segmented.at(250, 350)
    )

    assert code_at(segmented, 250, 350) == 1
    assert list(segmented.session.workspace.document.history) == history


def test_everything_is_there_again_after_closing_and_opening(segmented, open_window, slide):
    segmented.key(Qt.Key.Key_B)
    segmented.key(Qt.Key.Key_3)
    segmented.drags((600, 300), (640, 420))
    document = segmented.session.workspace.document
    history, tiles = list(document.history), dict(document.mask.tiles)
    regions = dict(document.annotations)

    segmented.window.close()
    again = open_window().opens(slide)

    document = again.session.workspace.document
    assert list(document.history) == history
    assert dict(document.annotations) == regions
    assert {k: t.tobytes() for k, t in document.mask.tiles.items()} == {
        k: t.tobytes() for k, t in tiles.items()
    }
    again.does("edit.undo")
    assert code_at(again, 620, 360) == 2


def test_the_export_for_qupath_holds_the_region_and_each_class(segmented, tmp_path):
    segmented.session.ask.save_path = tmp_path / "out.geojson"

    segmented.does("file.export")
    segmented.waits()

    features = json.loads((tmp_path / "out.geojson").read_text())["features"]
    classes = {f["properties"].get("classification", {}).get("name") for f in features}
    assert {"Tumor", "Stroma", "Other"} <= classes
    tumor = [
        shape(f["geometry"])
        for f in features
        if f["properties"].get("classification", {}).get("name") == "Tumor"
    ]
    mm2 = sum(each.area for each in tumor) * 0.25e-6
    assert mm2 == pytest.approx(segmented.session.composition.areas_mm2()[1], rel=0.01)
    assert any(
        "1 annotation and 3 mask areas are in out.geojson" in t for t in segmented.messages()
    )


def test_training_tiles_come_with_their_masks_and_a_manifest(segmented, tmp_path):
    segmented.session.ask.folder = tmp_path / "tiles"

    segmented.does("file.export_tiles")
    segmented.waits()

    tiles = list(read_tiles(tmp_path / "tiles"))
    assert tiles
    colours = np.concatenate([tile.image[..., 0].ravel() for tile in tiles])
    codes = np.concatenate([tile.codes.ravel() for tile in tiles])
    assert (codes[(colours < 150) & (codes > 0)] == 1).mean() > 0.98
    assert (codes[colours > 240] != 1).all()


def test_a_heatmap_is_shown_over_the_region_and_hidden_again(segmented):
    def colours():
        image = segmented.canvas.grab().toImage()
        return [image.pixelColor(segmented.at(x, y)).getRgb() for x, y in ((250, 400), (60, 60))]

    segmented.qtbot.waitUntil(lambda: bool(colours()) and segmented.canvas.complete)
    inside, outside = colours()

    segmented.session.set_heatmap(heatmap_of(np.ones((10, 10)), (100, 100, 1100, 700)))
    explained, still = colours()
    segmented.does("explain.clear")

    # The brightest end of magma is pale yellow, unlike tumor under its mask.
    assert explained[1] - inside[1] > 60
    assert still == outside
    assert colours() == [inside, outside]


def test_segmenting_without_a_region_says_what_to_do(person, slide):
    person.opens(slide)

    person.key(Qt.Key.Key_S)

    assert person.messages() == ["Draw a region first: press R and drag over the tissue."]


def test_a_slide_without_a_pixel_size_asks_once_and_remembers(open_window, tmp_path):
    from tests.builders import write_slide

    slide = write_slide(tmp_path / "plain.tif", mpp=None)
    person = open_window(mpp=0.5).opens(slide)
    person.region(100, 100, 700, 600)

    person.does("segment.region")
    person.waits()

    assert len(person.session.ask.asked) == 1
    assert person.session.workspace.document.mask.tiles
    person.window.close()
    again = open_window().opens(slide)
    assert again.session.workspace.slide.mpp == 0.5
    assert again.session.ask.asked == []


def test_without_an_answer_nothing_is_guessed(open_window, tmp_path):
    from tests.builders import write_slide

    person = open_window(mpp=None).opens(write_slide(tmp_path / "plain.tif", mpp=None))
    person.region(100, 100, 700, 600)

    person.does("segment.region")

    assert not person.session.jobs.running
    assert "needs the pixel size" in person.messages()[-1]


def test_a_saved_study_opens_its_slide_and_goes_on_where_it_was(
    segmented, open_window, slide, tmp_path
):
    segmented.session.ask.save_path = tmp_path / "case 7.acinus"
    segmented.does("file.save_as")
    segmented.key(Qt.Key.Key_B)
    segmented.drags((250, 300), (250, 350))
    history = list(segmented.session.workspace.document.history)
    segmented.window.close()

    again = open_window().opens(tmp_path / "case 7.acinus")

    assert again.session.workspace.slide.path == slide
    assert list(again.session.workspace.document.history) == history


def moved_study(segmented, slide, folder):
    """Save the study, close, and move its slide; return where both are now."""
    segmented.session.ask.save_path = folder / "case 7.acinus"
    segmented.does("file.save_as")
    segmented.window.close()
    return folder / "case 7.acinus", slide.rename(slide.with_name("moved.tif"))


def test_a_slide_that_moved_is_asked_for_by_name_and_opens_with_its_mask(
    segmented, open_window, slide, tmp_path
):
    study, moved = moved_study(segmented, slide, tmp_path)

    again = open_window(open_path=moved).opens(study)

    assert "three fields.tif is not in" in again.session.ask.asked[0]
    assert again.session.workspace.document.mask.tiles


def test_a_slide_that_nobody_finds_opens_nothing(segmented, open_window, slide, tmp_path):
    study, _ = moved_study(segmented, slide, tmp_path)

    again = open_window(open_path=None).opens(study)

    assert again.session.workspace is None


def test_segmenting_again_keeps_what_was_corrected_by_hand(segmented):
    segmented.key(Qt.Key.Key_B)
    segmented.key(Qt.Key.Key_4)
    segmented.drags((250, 300), (250, 350))
    segmented.key(Qt.Key.Key_E)
    segmented.drags((600, 500), (620, 520))

    for _ in range(2):
        segmented.does("segment.region")
        segmented.waits()

    assert code_at(segmented, 250, 320) == 4
    assert code_at(segmented, 610, 510) == 0
    assert code_at(segmented, 700, 300) == 2
    assert any("corrected by hand" in text for text in segmented.messages())


def test_a_stroke_painted_while_a_segmentation_runs_is_kept(segmented):
    job = segmented.does("segment.region")
    segmented.key(Qt.Key.Key_B)
    segmented.key(Qt.Key.Key_4)
    segmented.drags((250, 300), (250, 350))
    segmented.waits()

    assert job.state == "succeeded"
    assert code_at(segmented, 250, 320) == 4


def test_the_mask_becomes_locked_annotations_of_its_classes_by_one_edit(person, slide):
    person.opens(slide)
    person.region(100, 100, 400, 300)
    person.does("segment.region")
    person.waits()
    before = len(person.session.workspace.document.annotations)
    person.session.select(frozenset())

    person.does("mask.to_annotations")
    person.waits()

    document = person.session.workspace.document
    outlines = list(document.annotations.values())[before:]
    mpp2 = document.mask.grid.scale**2
    painted = sum(document.mask.counts().values()) * mpp2
    assert outlines
    assert all(each.locked and each.class_name for each in outlines)
    assert sum(each.geometry.area for each in outlines) == pytest.approx(painted)
    document.undo()
    assert len(document.annotations) == before


def test_a_drawn_shape_fills_the_mask_with_the_active_class(person, slide):
    person.opens(slide)
    person.region(100, 100, 200, 180)
    person.key(Qt.Key.Key_2)

    person.key(Qt.Key.Key_F, Qt.KeyboardModifier.ShiftModifier)

    document = person.session.workspace.document
    area = sum(each.geometry.area for each in document.annotations.values())
    assert set(document.mask.counts()) == {2}
    assert document.mask.counts()[2] * document.mask.grid.scale**2 == pytest.approx(area, rel=0.05)


def test_annotations_paint_the_mask_with_their_own_classes(person, slide):
    person.opens(slide)
    one = Annotation(box(100, 100, 200, 200), class_name="Tumor")
    other = Annotation(box(200, 100, 260, 200), class_name="Stroma")
    person.session.apply(edits.add([one, other, Annotation(box(300, 300, 350, 350))]))

    person.does("mask.from_annotations")

    counts = person.session.workspace.document.mask.counts()
    assert set(counts) == {1, 2}
    assert counts[1] / counts[2] == pytest.approx(100 / 60, rel=0.02)


def test_all_tissue_is_outlined_and_segmented_by_one_command(person, slide):
    person.opens(slide)

    person.does("segment.tissue")
    person.waits()
    person.waits()

    document = person.session.workspace.document
    (tissue,) = document.annotations.values()
    assert tissue.name == "Tissue"
    assert tissue.locked
    area = sum(document.mask.counts().values()) * document.mask.grid.scale**2
    assert area == pytest.approx(tissue.geometry.area, rel=0.05)


def test_several_selected_regions_are_segmented_together(person, slide):
    person.opens(slide)
    one, other = Annotation(box(100, 100, 220, 200)), Annotation(box(400, 300, 500, 420))
    person.session.apply(edits.add([one, other]))
    person.session.select(frozenset({one.id, other.id}))

    person.does("segment.region")
    person.waits()

    document = person.session.workspace.document
    area = sum(document.mask.counts().values()) * document.mask.grid.scale**2
    assert area == pytest.approx(120 * 100 + 100 * 120, rel=0.05)
    assert person.session.composition.name == "2 regions"
    assert person.session.workspace.selection == {one.id, other.id}
