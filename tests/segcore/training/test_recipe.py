import pytest
from msgspec.structs import replace

from segcore.errors import DataError
from segcore.models import create_model
from segcore.training import read_recipe, recipe_names
from segcore.training.run import Run
from tests.segcore.training.builders import sample

HEAD = "name = 'x'\narchitecture = 'lightmuseg-v2'\nclasses = ['Tumor', 'Stroma']\n"


@pytest.mark.parametrize("name", recipe_names())
def test_every_recipe_of_the_program_reads_and_names_a_network(name):
    recipe = read_recipe(name)

    assert recipe.name == name
    create_model(recipe.architecture, classes=len(recipe.classes), **recipe.arguments)


@pytest.mark.slow
@pytest.mark.parametrize("name", recipe_names())
def test_every_recipe_of_the_program_can_be_learned_from(name):
    recipe = read_recipe(name)
    depth = {"depth": 50} if name == "hi-net" else {}
    plan = replace(recipe, sources=(), crop=64, batch=2, arguments=depth)
    run = Run(plan, [sample("one"), sample("three")])

    run.start()

    assert run.learn(*run.draw(0)) > 0


def test_the_recipes_of_the_papers_have_their_numbers():
    v2, tumor = read_recipe("lightmuseg-v2"), read_recipe("lightmuseg-v2-tumor")
    assert (v2.crop, v2.epochs, v2.batch, v2.learning_rate, v2.weight_decay) == (
        512, 100, 6, 1e-3, 1e-4,
    )  # fmt: skip
    assert (tumor.epochs, tumor.batch, tumor.loss.name) == (150, 3, "structure")
    assert tumor.augmentation.scale == (0.75, 1.25)
    unet = read_recipe("mobilenetv2-unet")
    assert (unet.crop, unet.epochs, unet.batch, unet.patience) == (224, 100, 16, 10)
    assert (unet.optimiser, unet.momentum, unet.learning_rate) == ("sgd", 0.9, 1e-3)
    assert unet.second is not None
    assert (unet.second.optimiser, unet.second.learning_rate) == ("adam", 1e-4)
    hinet = read_recipe("hi-net")
    assert (hinet.epochs, hinet.batch, hinet.learning_rate) == (70, 6, 1e-4)


def test_painted_sections_that_train_are_never_those_that_validate():
    seeds = [s for s in read_recipe("breast-default").sources if s.kind == "procedural"]

    assert not set(seeds[0].seeds) & set(seeds[0].validation_seeds)


@pytest.mark.parametrize("text", ["", "name = 3", HEAD + "surprise = 1", "[["])
def test_a_recipe_that_is_none_is_refused(tmp_path, text):
    (tmp_path / "r.toml").write_text(text)
    with pytest.raises(DataError, match="recipe"):
        read_recipe(tmp_path / "r.toml")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("counts_as = { Stroma = 'Other' }", "'Other' is not among its classes"),
        ("class_weights = { Fat = 1.0 }", "'Fat' is not among"),
        ("loss = { name = 'structure', foreground = 'Necrosis' }", "'Necrosis' is not among"),
        ("preprocessing = [{ step = 'resize', width = 64, height = 64 }]", "mpp and crop"),
        ("scales = { Fat = [1.0, 2.0] }", "'Fat' is not among"),
        ("augmentation = { sharpen_odds = 0.5, coarse_odds = 0.5 }", "more than 1"),
        ("batch = 0", "batch"),
        ("second = { optimiser = 'adam', learning_rate = 0 }", "learning_rate"),
    ],
)
def test_what_does_not_fit_together_is_told(tmp_path, text, reason):
    (tmp_path / "r.toml").write_text(HEAD + text)
    with pytest.raises(DataError, match=reason):
        read_recipe(tmp_path / "r.toml")


@pytest.mark.parametrize("classes", ["['Tumor']", "['Tumor', 'Unicorn']"])
def test_classes_are_two_at_least_and_of_the_taxonomy(tmp_path, classes):
    text = f"name = 'x'\narchitecture = 'lightmuseg-v2'\nclasses = {classes}\n"
    (tmp_path / "r.toml").write_text(text)
    with pytest.raises(DataError, match=r"two classes|Unicorn"):
        read_recipe(tmp_path / "r.toml")


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(DataError, match="breast-default"):
        read_recipe("nothing")
