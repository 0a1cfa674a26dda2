import json
from types import SimpleNamespace

import msgspec
import numpy as np
import pytest

from segcore.cli import main
from segcore.data import Sample
from segcore.errors import DataError
from segcore.models import create_model, model_names
from segcore.progress import Cancelled
from segcore.training import ablations
from segcore.training.ablation_table import Ablations, ablation_table
from segcore.training.ablations import ablate
from segcore.training.recipe import Recipe, read_recipe, recipe_names
from segcore.training.variants import GROUPS, VARIANTS, choose, variant
from tests.segcore.assessment.answers import STROMA, TUMOR, AnswerBundle, answered

RECIPE = Recipe("base", "lightmuseg-v2", ("Tumor", "Stroma"), steps=1, batch=1, crop=32)


def test_every_variant_is_a_network_and_has_a_baseline():
    baselines = {group.name: group.baseline for group in GROUPS}

    assert len({each.name for each in VARIANTS}) == len(VARIANTS)
    for each in VARIANTS:
        assert variant(baselines[each.group]).group == each.group
        assert each.architecture in model_names()
        if each.weights_of:
            trained = variant(each.weights_of)
            assert trained.recipe(RECIPE).architecture == each.architecture
            assert trained.recipe(RECIPE).preprocessing == each.recipe(RECIPE).preprocessing
            assert each.refinement is not None


@pytest.mark.parametrize("each", [v for v in VARIANTS if v.group != "hi-net"], ids=lambda v: v.name)
def test_the_networks_take_the_arguments(each):
    create_model(each.architecture, classes=2, **each.arguments)


def test_a_variant_changes_nothing_but_what_it_says():
    changed = variant("v2-without-frfm").recipe(RECIPE)

    assert changed.arguments == {"frfm": False}
    assert msgspec.structs.replace(changed, name="base", arguments={}) == RECIPE
    assert variant("unet-preprocessed").recipe(RECIPE).preprocessing == (
        read_recipe("mobilenetv2-unet").preprocessing
    )
    assert "ablations" not in recipe_names()


def test_variants_are_chosen_by_name_and_by_group():
    assert choose() == VARIANTS
    assert [each.name for each in choose(("unet", "lightmuseg-v1"))] == [
        "lightmuseg-v1",
        *(each.name for each in VARIANTS if each.group == "unet"),
    ]
    with pytest.raises(DataError, match="'nonsense'"):
        choose(("unet", "nonsense"))


@pytest.fixture
def workshop(monkeypatch):
    """Takes the place of training: a variant's bundle is as good as its name is listed here."""
    wrong = {"lightmuseg-v2": 4, "v2-without-frfm": 10, "unet-plain": 6}
    shop = SimpleNamespace(trained=[], interrupt=False, wrong=wrong)

    def sample(case):
        reference = np.full((40, 40), TUMOR)
        reference[:, 20:] = STROMA
        return answered(reference, reference - 1, case=case)

    class Off(AnswerBundle):
        """Takes the first columns of stroma for tumor."""

        def __init__(self, columns):
            super().__init__()
            self.columns = columns

        def predict(self, tiles):
            tiles = tiles.copy()
            tiles[:, :, 20 : 20 + self.columns, 0] = 0
            return super().predict(tiles)

    def train(_recipe, _samples, out, *_args, **_options):
        if shop.interrupt:
            raise Cancelled
        shop.trained.append(out.parent.name)

    def read_sources(recipe, _data):
        return [sample("t")], [sample(f"v{i}") for i in range(7)]

    monkeypatch.setattr(ablations, "train", train)
    monkeypatch.setattr(ablations, "publish", lambda *_args, **_options: None)
    monkeypatch.setattr(ablations, "read_sources", read_sources)
    monkeypatch.setattr(
        ablations, "load_bundle", lambda folder, _device: Off(shop.wrong[folder.parent.name])
    )
    return shop


def test_variants_are_trained_assessed_and_compared(workshop, tmp_path):
    found = ablate(RECIPE, tmp_path, tmp_path, only=("lightmuseg-v2", "v2-without-frfm"))

    assert workshop.trained == ["lightmuseg-v2", "v2-without-frfm"]
    whole, without = found.rows
    assert whole.iou["Tumor"].value == pytest.approx(20 / 24)
    assert without.iou["Tumor"].value == pytest.approx(20 / 30)
    assert whole.gain is None
    # Mean IoU with 4 and with 10 of 20 columns wrong, alike in all seven cases.
    expected = (20 / 30 + 10 / 20) / 2 - (20 / 24 + 16 / 20) / 2
    assert without.gain.difference == pytest.approx(expected)
    assert without.gain.p_value == pytest.approx(2 / 2**7)
    assert whole.parameters > without.parameters
    assert (tmp_path / "v2-without-frfm" / "report" / "worst.png").is_file()


def test_what_is_finished_is_not_trained_again(workshop, tmp_path):
    first = ablate(RECIPE, tmp_path, tmp_path, only=("lightmuseg-v2", "v2-without-frfm"))
    second = ablate(RECIPE, tmp_path, tmp_path, only=("v2-without-frfm", "unet-plain"))

    assert workshop.trained == ["lightmuseg-v2", "v2-without-frfm", "unet-plain"]
    assert second.rows[:2] == first.rows  # and stays in the table


def test_an_encoder_cannot_be_brought_in_later(workshop, tmp_path):
    ablate(RECIPE, tmp_path, tmp_path, only=("lightmuseg-v2",))

    with pytest.raises(DataError, match="without an encoder"):
        ablate(RECIPE, tmp_path, tmp_path, only=("lightmuseg-v2",), encoder={})


def test_an_interrupted_study_goes_on_where_it_was(workshop, tmp_path):
    ablate(RECIPE, tmp_path, tmp_path, only=("lightmuseg-v2",))
    workshop.interrupt = True
    with pytest.raises(Cancelled):
        ablate(RECIPE, tmp_path, tmp_path, only=("lightmuseg-v2", "unet-plain"))
    table = msgspec.json.decode((tmp_path / "ablations.json").read_bytes(), type=Ablations)
    assert [row.name for row in table.rows] == ["lightmuseg-v2"]

    workshop.interrupt = False
    ablate(RECIPE, tmp_path, tmp_path, only=("lightmuseg-v2", "unet-plain"))

    assert workshop.trained == ["lightmuseg-v2", "unet-plain"]


def test_more_steps_train_on_and_another_recipe_is_refused(workshop, tmp_path):
    ablate(RECIPE, tmp_path, tmp_path, only=("unet-plain",))
    longer = msgspec.structs.replace(RECIPE, steps=2)
    other = msgspec.structs.replace(RECIPE, learning_rate=0.5)

    assert ablate(longer, tmp_path, tmp_path, only=("unet-plain",)).steps == 2
    assert workshop.trained == ["unet-plain", "unet-plain"]
    with pytest.raises(DataError, match="another recipe"):
        ablate(other, tmp_path, tmp_path, only=("unet-plain",))


def test_propagation_shares_the_weights_that_it_refines(workshop, tmp_path):
    found = ablate(RECIPE, tmp_path, tmp_path, only=("unet-propagated",))

    assert workshop.trained == ["unet-plain"]
    assert [row.name for row in found.rows] == ["unet-propagated"]
    assert found.rows[0].gain is None  # its baseline was not asked for


def test_without_validation_there_is_nothing_to_compare(monkeypatch, tmp_path):
    one = answered(np.ones((8, 8)), np.zeros((8, 8)))
    monkeypatch.setattr(ablations, "read_sources", lambda *_: ([one], []))

    with pytest.raises(DataError, match="validation"):
        ablate(RECIPE, tmp_path, tmp_path)


def test_the_table_for_people_says_what_was_found(workshop, tmp_path):
    found = ablate(
        RECIPE, tmp_path, tmp_path, only=("lightmuseg-v2", "v2-without-frfm", "unet-plain")
    )

    text = (tmp_path / "ablations.md").read_text()

    assert text == ablation_table(found)
    assert "| v2-without-frfm | no FRFM: 1x1 as in a U-Net |" in text
    assert "## LightMuSeg" in text
    assert "## HI-Net" not in text
    assert "p = 0.0156: lightmuseg-v2 is better" in text


def noise(case):
    codes = np.ones((48, 48), np.uint8)
    codes[:, 24:] = 2
    image = np.where(codes[..., None] == 1, (120, 40, 140), (240, 170, 200)).astype(np.uint8)
    return Sample(case, "A", image, codes)


@pytest.mark.slow
def test_two_networks_are_really_trained_and_the_command_goes_on(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(ablations, "read_sources", lambda *_: ([noise("t")], [noise("v")]))
    file = tmp_path / "tiny.toml"
    file.write_text(
        'name = "tiny"\narchitecture = "lightmuseg-v2"\nclasses = ["Tumor", "Stroma"]\n'
        "crop = 32\nbatch = 2\nsteps = 9\n[card]\ntile = 32\nhalo = 8\n"
    )
    words = [
        "ablate",
        "--recipe",
        str(file),
        "--data",
        str(tmp_path),
        "--out",
        str(tmp_path / "out"),
    ]
    words += ["--only", "v2-without-msffm,unet-preprocessed", "--steps", "1", "--device", "cpu"]

    assert main([*words, "--json"]) == 0
    first = json.loads(capsys.readouterr().out)
    assert main(words) == 0

    assert [row["name"] for row in first["rows"]] == ["v2-without-msffm", "unet-preprocessed"]
    assert first["steps"] == 1
    assert "unet-preprocessed" in capsys.readouterr().out
    assert (tmp_path / "out" / "v2-without-msffm" / "bundle" / "model.safetensors").is_file()
