import pytest

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
