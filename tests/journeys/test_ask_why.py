"""Ask why, read the map, check it, take it home."""

import numpy as np
import pytest
import tifffile
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage

from tests.builders import OneBundle, heatmap_of
from tests.segcore.explain.networks import tiny_bundle
from viewer.widgets.why_panel import WhyPanel


@pytest.fixture
def asking(person, slide):
    person.opens(slide)
    person.region(100, 100, 900, 700)
    person.why = person.window.findChild(WhyPanel)
    return person


def test_uncertainty_is_shown_with_its_unit_and_the_status_bar_reads_it(asking):
    asking.does("explain.uncertainty")
    asking.waits()

    heat = asking.session.workspace.heatmap.heat
    assert heat.bounds == pytest.approx((100, 100, 900, 700), abs=8)
    assert asking.why.shown.title.text() == "Uncertainty"
    assert asking.why.shown.high.text() == "1.58 bits: all alike"
    assert asking.why.shown.note.text() == "Attention, not diagnosis"
    asking.qtbot.waitUntil(lambda: not asking.why.shown.note.visibleRegion().isEmpty())
    asking.window.status.point((250, 400))
    value = heat.at(250, 400) * np.log2(3)
    assert f"Uncertainty: {value:.2f} bits" in asking.window.status.under.text()
    asking.window.status.point((1150, 50))
    assert "Uncertainty" not in asking.window.status.under.text()


def test_grad_cam_by_one_key_then_another_layer_and_class_by_the_panel(asking):
    asking.session.models = OneBundle(tiny_bundle())

    asking.key(Qt.Key.Key_Y)
    asking.waits()
    first = asking.session.workspace.heatmap
    assert first.heat.title == "Grad-CAM for Tumor"
    assert [asking.why.layer.itemData(i) for i in range(2)] == ["second", "first"]
    assert first.layer == "second"

    asking.why.layer.setCurrentIndex(1)
    asking.why.layer.activated.emit(1)
    assert asking.session.workspace.heatmap is first, "the old map stays until the new one is there"
    asking.waits()
    assert asking.session.workspace.heatmap.layer == "first"

    asking.why.class_name.setCurrentText("Stroma")
    asking.why.class_name.activated.emit(1)
    asking.waits()
    assert asking.session.workspace.heatmap.heat.class_name == "Stroma"
    assert asking.why.shown.title.text() == "Grad-CAM for Stroma"


def test_the_map_that_is_asked_for_last_is_the_one_that_is_shown(asking):
    first = asking.does("explain.robustness")
    last = asking.does("explain.uncertainty")
    asking.waits()

    assert (first.state, last.state) == ("cancelled", "succeeded")
    assert asking.session.workspace.heatmap.heat.quantity == "entropy"


def test_checking_a_map_tells_whether_it_matters_to_the_network(asking):
    # The right map: what is tumor by its colour. The wrong one marks the stroma.
    right = np.zeros((60, 80), np.float32)
    right[:, :30] = 1
    verdicts = {}
    for name, values in (("right", right), ("wrong", 1 - right)):
        asking.session.set_heatmap(heatmap_of(values, (100, 100, 900, 700)))
        asking.does("explain.check")
        asking.waits()
        verdicts[name] = asking.session.workspace.heatmap.readout.deletion.gain
        assert asking.why.shown.readout.isVisibleTo(asking.window)
        assert asking.why.shown.readout.values[0].text().startswith(f"{verdicts[name]:+.2f}")

    assert verdicts["right"] > verdicts["wrong"]
    assert "do not rely on it" in asking.why.shown.readout.flags.text()


def test_a_map_of_all_classes_cannot_be_checked_and_says_why(asking):
    asking.session.set_heatmap(heatmap_of([[0.5]], (100, 100, 900, 700), None, quantity="entropy"))

    asking.window._run(action("explain.check"))

    assert "Only a map of one class can be checked" in asking.messages()[-1]
    assert not asking.why.shown.check.isVisibleTo(asking.window)


def test_a_check_of_a_map_that_has_gone_meanwhile_brings_nothing_back(asking):
    asking.session.set_heatmap(heatmap_of(np.ones((6, 8)), (100, 100, 900, 700)))

    asking.does("explain.check")
    asking.does("explain.clear")
    asking.waits()

    assert asking.session.workspace.heatmap is None


def test_the_exported_map_holds_the_numbers_and_its_picture_lies_beside_it(asking, tmp_path):
    values = np.linspace(0, 1, 48, dtype=np.float32).reshape(6, 8)
    asking.session.set_heatmap(heatmap_of(values, (100, 100, 900, 700)))
    asking.session.ask.save_path = tmp_path / "why.ome.tif"

    asking.does("explain.export")
    asking.waits()

    assert (tifffile.imread(tmp_path / "why.ome.tif") == values).all()
    assert not QImage(str(tmp_path / "why.png")).isNull()
    assert "why.png" in asking.messages()[-1]


def test_a_class_that_the_model_does_not_know_is_told(asking):
    asking.key(Qt.Key.Key_4)

    asking.key(Qt.Key.Key_Y)
    asking.waits()

    assert "does not know the class Necrosis" in asking.messages()[-1]
    assert asking.session.workspace.heatmap is None


def action(name):
    from viewer.actions import action_named

    return action_named(name)
