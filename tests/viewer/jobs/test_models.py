import pytest

from segcore.errors import ModelError
from viewer.jobs.models import Models


def test_what_is_prepared_is_there_when_it_is_wanted(monkeypatch):
    loads = []
    monkeypatch.setattr("segcore.models.load_bundle", lambda name: loads.append(name) or object())
    models = Models()

    models.prepare("mine")
    first = models.get("mine")

    assert models.get("mine") is first
    assert loads == ["mine"]


def test_a_model_that_is_missing_is_told_when_it_is_wanted_not_before(tmp_path):
    models = Models()

    models.prepare(tmp_path / "nothing")

    with pytest.raises(ModelError):
        models.get(tmp_path / "nothing")
