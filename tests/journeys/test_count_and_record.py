"""Count what was segmented and corrected, write it down, and find out later how it was made."""

import csv
import json

import pytest
import shapely
from PySide6.QtCore import Qt

from segcore.annotations import read_annotations
from segcore.inference import TissueScore
from segcore.slides.fingerprint import fingerprint
from viewer.widgets.composition_panel import CompositionPanel

ROI = 200, 200, 550, 450
TUMOR_MM2 = 200 * 250 * 0.25e-6
STROMA_MM2 = 150 * 250 * 0.25e-6


@pytest.fixture
def segmented(person, slide):
    person.opens(slide)
    person.region(*ROI)
    person.does("segment.region")
    person.waits()
    return person


@pytest.fixture
def corrected(segmented):
    """A person makes a square in the tumor necrotic."""
    segmented.key(Qt.Key.Key_B)
    segmented.key(Qt.Key.Key_4)
    segmented.drags((250, 300), (250, 350), (300, 350))
    return segmented


def necrosis(person):
    return person.session.composition.areas_mm2()[4]


def table(window):
    rows = [window.table.topLevelItem(i) for i in range(window.table.topLevelItemCount())]
    return {row.text(0): [row.text(column) for column in (1, 2, 3)] for row in rows}


def opens_counts(person):
    person.does("measure.counts")
    person.waits()
    return person.window.windows.open_ones["counts"]


def test_the_window_of_figures_shows_them_before_and_after_correction(corrected):
    window = opens_counts(corrected)

    shown = table(window)
    assert float(shown["Area Tumor"][0]) == pytest.approx(TUMOR_MM2, rel=0.03)
    assert float(shown["Area Necrosis"][0]) == 0
    assert float(shown["Area Necrosis"][1]) == pytest.approx(necrosis(corrected), abs=6e-5)
    assert shown["Tumor nests"][1] == "1"
    assert float(shown["Tumor to Necrosis"][1]) == pytest.approx(necrosis(corrected), abs=6e-5)
    assert "A person changed" in window.changed.text()
    window.reject()


def test_the_figures_follow_the_next_stroke_and_its_undo(corrected):
    window = opens_counts(corrected)
    before = table(window)

    corrected.drags((250, 400), (350, 400))
    corrected.qtbot.waitUntil(lambda: table(window) != before, timeout=5000)
    assert float(table(window)["Area Necrosis"][1]) == pytest.approx(necrosis(corrected), abs=6e-5)

    corrected.does("edit.undo")
    corrected.qtbot.waitUntil(lambda: table(window) == before, timeout=5000)
    window.reject()


def test_a_segmentation_that_is_undone_is_none_any_more(corrected):
    window = opens_counts(corrected)
    corrected.does("edit.undo")
    corrected.does("edit.undo")
    corrected.drags((250, 300), (300, 350))

    corrected.qtbot.waitUntil(lambda: "all of it is by hand" in window.changed.text(), timeout=5000)

    assert table(window)["Area Necrosis"][0] == ""
    window.reject()


def test_the_panel_shows_the_ratios_and_says_what_they_mean(segmented):
    panel = segmented.window.findChild(CompositionPanel)

    assert float(panel.ratio.text()) == pytest.approx(TUMOR_MM2 / STROMA_MM2, abs=0.02)
    assert panel.tumor.text() == "57 %"
    assert panel.til.text() == "0 %"


@pytest.mark.parametrize("suffix", [".csv", ".json"])
def test_exported_figures_say_where_they_come_from(corrected, tmp_path, suffix, slide):
    path = corrected.session.ask.save_path = tmp_path / f"figures{suffix}"

    corrected.does("measure.export_counts")
    corrected.waits()

    text = path.read_text(encoding="utf-8")
    mine = necrosis(corrected)
    if suffix == ".csv":
        rows = {row["name"]: row for row in csv.DictReader(text.splitlines())}
        assert float(rows["Area Necrosis"]["now"]) == pytest.approx(mine)
        assert float(rows["Area Necrosis"]["segmented"]) == 0
        assert rows["Weights SHA-256"]["now"] == "0" * 64
        assert rows["Slide fingerprint"]["now"] == fingerprint(slide)
    else:
        found = json.loads(text)
        assert found["now"]["area_mm2"]["Necrosis"] == pytest.approx(mine)
        assert found["segmented"]["area_mm2"]["Necrosis"] == 0
        assert found["runs"][0]["weights_sha256"] == "0" * 64
        whole = sum(found["now"]["area_mm2"].values())
        assert found["edited"]["by_person"] == pytest.approx(mine / whole)


def test_a_run_is_kept_with_all_that_is_needed_to_make_it_again(segmented, slide):
    workspace = segmented.session.workspace
    run = json.loads(workspace.study.runs(workspace.slide_id)[-1])

    assert run["weights_sha256"] == "0" * 64
    assert run["mpp"] == 0.5
    assert run["slide"]["fingerprint"] == fingerprint(slide)
    assert shapely.geometry.shape(run["region"]["geometry"]).equals(
        segmented.session.region.geometry
    )
    assert run["refinement"]["alpha"] == segmented.session.settings["refine.alpha"]
    assert run["device"] == "CPU fp32"
    assert run["versions"]["acinus"]
    assert slide.stem not in json.dumps(run), "the slide's name may name a patient"


def test_areas_of_the_mask_carry_the_model_into_annotations_and_files(segmented, tmp_path):
    path = segmented.session.ask.save_path = tmp_path / "out.geojson"
    segmented.does("file.export")
    segmented.waits()
    segmented.session.select(frozenset())
    segmented.does("mask.to_annotations")
    segmented.waits()

    ours = segmented.session.workspace.document.annotations.values()
    for annotations in (read_annotations(path), ours):
        areas = [each for each in annotations if each.class_name]
        assert len(areas) == 2
        assert {each.metadata["Acinus weights SHA-256"] for each in areas} == {"0" * 64}
        assert all(each.metadata["Acinus run"].startswith("20") for each in areas)


def test_bare_glass_is_asked_about_once_for_each_slide(person, slide, open_window):
    person.opens(slide)
    person.region(900, 100, 1150, 300)

    person.does("segment.region")
    person.waits()
    message = person.window.stage.messages[-1]
    assert "bare glass. Run anyway?" in message.text
    assert not person.session.workspace.document.mask.tiles

    next(each for each in message.offers if each.title == "Run anyway").verb()
    person.waits()
    assert person.session.workspace.document.mask.counts().keys() == {5}

    person.window.close()
    again = open_window().opens(slide)
    again.region(850, 400, 1050, 550)
    again.does("segment.region")
    again.waits()
    assert not any("Run anyway" in text for text in again.messages())


def test_the_score_of_the_tissue_is_shown_where_the_model_has_one(person, slide, monkeypatch):
    score = TissueScore(
        "Malignant", 0.87, {"Benign": 0.13, "Malignant": 0.87}, ("Tumor",), TUMOR_MM2
    )
    monkeypatch.setattr("segcore.inference.classify_tissue", lambda *_: score)
    person.opens(slide)
    person.region(*ROI)
    person.does("segment.region")
    person.waits()

    panel = person.window.findChild(CompositionPanel)
    texts = [each.text() for each in panel.findChildren(type(panel.ratio)) if each.isVisible()]
    assert "Malignant, 87 %" in texts
