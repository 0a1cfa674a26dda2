"""`segcore dataset`, as it is typed."""

import json

import pytest

from segcore.cli import main
from segcore.data import building
from segcore.data.formats import FORMATS
from tests.builders import write_slide
from tests.segcore.data import trees

TREES = {
    "bcss": trees.bcss,
    "bcss-wsss": trees.bcss_wsss,
    "breakhis": trees.breakhis,
    "glas": trees.glas,
    "camelyon": trees.camelyon,
    "bach": trees.bach,
}


def run(capsys, *arguments):
    code = main(["dataset", *map(str, arguments)])
    out, err = capsys.readouterr()
    return code, out, err


@pytest.mark.parametrize("name", TREES)
def test_each_format_becomes_a_sound_folder(tmp_path, capsys, name):
    (tmp_path / "in").mkdir()
    source, out = TREES[name](tmp_path / "in"), tmp_path / "out"
    code, text, _ = run(
        capsys, name, source, "--out", out, "--mpp", "0.5", "--tile", "128", "--json"
    )
    assert code == 0
    document = json.loads(text)
    assert document["pictures"] == sum(document["splits"].values()) > 0
    code, text, err = run(capsys, "check", out, "--json")
    assert (code, err) == (0, "")
    checked = json.loads(text)
    assert sum(part["pictures"] for part in checked["parts"].values()) == document["pictures"]


def test_the_help_lists_every_format(capsys):
    _, out, _ = run(capsys, "--help")
    for each in FORMATS:
        assert f"    {each.name}" in out


def test_what_is_left_out_is_told_and_the_end_summed_up(tmp_path, capsys):
    source = trees.breakhis(tmp_path / "in")
    code, out, err = run(capsys, "breakhis", source, "--out", tmp_path / "out")
    assert code == 0
    assert out == f"Written to {tmp_path / 'out'}: 4 pictures of 2 cases (4 train).\n"
    assert err == "cover: It is not named as BreakHis names pictures.\n"


def test_hinet_splits_by_case_at_its_end(tmp_path, capsys):
    (tmp_path / "in").mkdir()
    for at in range(4):
        write_slide(tmp_path / "in" / f"s{at}.tif", trees.fields(256, 256))
        trees.asap(tmp_path / "in" / f"s{at}.xml", ("tumor", (64, 64, 128, 256)))
    arguments = ("--mpp", "0.5", "--tile", "128", "--no-stain", "--json")
    code, out, _ = run(capsys, "hinet", tmp_path / "in", "--out", tmp_path / "out", *arguments)
    document = json.loads(out)
    assert code == 0
    assert document["cases"] == 4
    each = document["pictures"] // 4
    assert document["splits"] == {"train": 2 * each, "val": each, "test": each}


def test_split_and_check_go_together(tmp_path, capsys):
    folder = trees.canonical(tmp_path / "set", {str(at): "train" for at in range(10)})
    _, out, _ = run(capsys, "split", folder, "--ratios", "8:1:1", "--json")
    assert json.loads(out)["parts"] == {
        "train": {"cases": 8, "pictures": 16},
        "val": {"cases": 1, "pictures": 2},
        "test": {"cases": 1, "pictures": 2},
    }
    run(capsys, "split", folder, "--folds", "3")
    code, out, _ = run(capsys, "check", folder)
    lines = out.splitlines()
    assert code == 0
    assert [line.split()[:4] for line in lines[1:4]] == [
        ["fold", str(at), "3", "6"] for at in range(3)
    ]
    assert lines[4].split()[:3] == ["test", "1", "2"]
    assert lines[5].split() == ["all", "10", "20", "50.0%", "50.0%", "0.0%", "0.0%", "0.0%"]
    _, out, _ = run(capsys, "check", folder, "--cases")
    assert len(out.splitlines()) == 12


def test_check_says_what_is_wrong_and_ends_with_1(tmp_path, capsys):
    folder = trees.canonical(tmp_path / "set", {"a": "train"})
    (folder / "images" / "a-0.png").unlink()
    code, out, err = run(capsys, "check", folder, "--json")
    assert code == 1
    assert json.loads(out)["problems"] == [err.strip()]


def test_an_interrupted_run_says_how_to_go_on(tmp_path, capsys, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(building, "build", interrupt)
    folder = trees.canonical(tmp_path / "set", {"a": "train"})
    code, _, err = run(capsys, "tiles", folder, "--out", tmp_path / "out")
    assert code == 130
    assert err == "Interrupted; the same command goes on where it was.\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ("glas", "x", "--out", "y", "--rest", "Bone"),
        ("glas", "x", "--out", "y", "--tile", "7"),
        ("folder", "x", "--out", "y", "--codes", "a=Tumor"),
        ("split", "x", "--ratios", "8"),
        ("split", "x", "--folds", "1"),
        ("split", "x"),
        ("unknown", "x"),
    ],
)
def test_wrong_arguments_end_with_2(capsys, arguments):
    code, _, err = run(capsys, *arguments)
    assert code == 2
    assert "Traceback" not in err


def test_a_wrong_folder_ends_with_1_and_one_sentence(tmp_path, capsys):
    code, out, err = run(capsys, "camelyon", tmp_path, "--out", tmp_path / "out")
    assert (code, out) == (1, "")
    assert err.count("\n") == 1
    assert not (tmp_path / "out").exists()
