import json

from viewer.settings import Settings


def test_what_is_set_is_there_in_the_next_run(tmp_path):
    file = tmp_path / "settings.json"
    Settings(file)["mask.opacity"] = 0.7

    assert Settings(file)["mask.opacity"] == 0.7


def test_only_what_differs_from_the_default_is_stored(tmp_path):
    file = tmp_path / "settings.json"
    settings = Settings(file)
    settings["theme"] = "light"
    settings["theme"] = "dark"

    assert json.loads(file.read_text()) == {}


def test_a_damaged_file_gives_defaults_and_a_sentence(tmp_path):
    file = tmp_path / "settings.json"
    file.write_text("{not json")

    settings = Settings(file)

    assert settings["theme"] == "dark"
    assert str(file) in settings.damaged


def test_a_value_of_the_wrong_kind_is_ignored(tmp_path):
    file = tmp_path / "settings.json"
    file.write_text('{"recent": 5, "mask.opacity": 1, "unknown": 2}')

    settings = Settings(file)

    assert settings["recent"] == []
    assert settings["mask.opacity"] == 1


def test_the_slide_opened_last_is_first_and_stands_only_once(tmp_path):
    settings = Settings(tmp_path / "settings.json")
    for name in ("a.svs", "b.svs", "a.svs"):
        settings.remember(tmp_path / name)

    assert settings["recent"] == [str(tmp_path / "a.svs"), str(tmp_path / "b.svs")]
