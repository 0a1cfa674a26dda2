import numpy as np
import pytest
from msgspec.structs import replace
from PIL import Image

from segcore.errors import DataError
from segcore.training import read_sources
from segcore.training.recipe import Source
from tests.segcore.training.builders import recipe, write_data


def test_a_recipe_without_sources_takes_the_data_set_itself(tmp_path):
    training, validation = read_sources(recipe(), write_data(tmp_path / "data"))

    assert [s.case for s in training] == ["case 0", "case 1"]
    assert [s.case for s in validation] == ["case 2"]
    assert {s.source for s in training} == {"A"}


def test_pictures_come_at_the_recipes_pixel_size(tmp_path):
    training, _ = read_sources(recipe(mpp=0.5), write_data(tmp_path / "data", mpp=0.25))

    assert training[0].codes.shape == (32, 32)


def test_a_source_gives_its_name_to_its_pictures(tmp_path):
    write_data(tmp_path / "data")
    source = Source("Ours", "manifest", 1.0, folder="data", only="A")
    other = Source("None", "manifest", 1.0, folder="data", only="B")

    training, _ = read_sources(recipe(sources=(source, other)), tmp_path)

    assert {s.source for s in training} == {"Ours"}


def test_a_class_that_counts_as_another_has_its_code(tmp_path):
    plan = recipe(classes=("Tumor", "Other"), counts_as={"Stroma": "Other"})

    training, validation = read_sources(plan, write_data(tmp_path / "data"))

    for each in (*training, *validation):
        assert set(each.codes.ravel().tolist()) == {1, 5}


def test_cases_that_are_held_out_neither_train_nor_validate(tmp_path):
    plan = recipe(held_out=("case 1", "case 2"))

    training, validation = read_sources(plan, write_data(tmp_path / "data"))

    assert [s.case for s in training] == ["case 0"]
    assert not validation


def test_a_case_to_hold_out_that_is_not_there_is_named(tmp_path):
    with pytest.raises(DataError, match="case 9"):
        read_sources(recipe(held_out=("case 9",)), write_data(tmp_path / "data"))


def test_bright_places_of_class_tiles_are_other_where_the_recipe_says_so(tmp_path):
    image = np.full((80, 80, 3), (200, 120, 180), np.uint8)
    image[20:60, 10:50] = 245
    (tmp_path / "tiles" / "TUM").mkdir(parents=True)
    Image.fromarray(image).save(tmp_path / "tiles" / "TUM" / "1.png")
    plain = Source("Plain", "tiles", 1.0, folder="tiles", codes={"TUM": 1})
    holes = replace(plain, name="Holes", holes=True)

    (first, second), _ = read_sources(recipe(sources=(plain, holes)), tmp_path)

    assert (first.codes == 1).all()
    assert (second.codes[30:50, 20:40] == 5).all()
    assert (second.codes[:10] == 1).all()


def test_nuclei_are_told_by_all_masked_pictures_of_a_source_together(tmp_path):
    rng = np.random.default_rng(0)
    nuclei = rng.random((80, 80)) < 0.8
    pictures = {"lymph": np.where(nuclei, 70, 220), "collagen": rng.integers(205, 225, (80, 80))}
    for folder in ("images", "masks"):
        (tmp_path / "m" / folder).mkdir(parents=True)
    for name, red in pictures.items():
        image = np.stack([red, np.full_like(red, 120), np.full_like(red, 170)], 2).astype(np.uint8)
        Image.fromarray(image).save(tmp_path / "m" / "images" / f"{name}.png")
        Image.fromarray(np.zeros((80, 80), np.uint8)).save(tmp_path / "m" / "masks" / f"{name}.png")
    source = Source("M", "masks", 1.0, folder="m", codes={"0": 3}, dense=(3,))

    training, _ = read_sources(recipe(sources=(source,)), tmp_path)

    kept = {each.case: bool(each.codes.any()) for each in training}
    assert kept == {"lymph": True, "collagen": False}


def test_painted_sections_for_validation_are_never_those_for_training(tmp_path, monkeypatch):
    monkeypatch.setattr("segcore.training.sources.SECTION", 256)
    source = Source("P", "procedural", 1.0, seeds=(1, 2), validation_seeds=(3,))

    training, validation = read_sources(recipe(sources=(source,)), tmp_path)

    assert [s.case for s in training] == ["procedural-1", "procedural-2"]
    assert [s.case for s in validation] == ["procedural-3"]
    assert {s.source for s in training + validation} == {"P"}


def test_an_unknown_kind_of_source_is_named(tmp_path):
    plan = recipe(sources=(Source("X", "telepathy", 1.0),))
    with pytest.raises(DataError, match="telepathy"):
        read_sources(plan, tmp_path)


def test_a_data_set_without_training_pictures_is_refused(tmp_path):
    with pytest.raises(DataError, match="split train"):
        read_sources(recipe(), write_data(tmp_path / "data", splits=("val", "test")))
