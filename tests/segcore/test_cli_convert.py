"""`segcore convert` in every direction, and what it says."""

import json

import numpy as np
import pytest
import shapely

from segcore.annotations import FORMATS, Annotation, read_annotations, write_annotations
from segcore.cli import main
from segcore.slides import ArraySlide
from segcore.slides.base import Glass

WRITABLE = [each for each in FORMATS if each.can_write]
DRAWN = [
    Annotation(shapely.box(10, 10, 60, 60).difference(shapely.box(20, 20, 30, 30)), "Tumor"),
    Annotation(shapely.box(70, 10, 90, 50), "Stroma"),
]


@pytest.fixture
def slide(monkeypatch):
    made = ArraySlide(np.zeros((100, 120, 3), np.uint8), mpp=0.5, path="case 1.ndpi")
    made.glass = Glass(1000.0, 2000.0, 0.5, 0.5)
    monkeypatch.setattr("segcore.cli.convert.checked_slide", lambda path, mpp: made)
    return made


@pytest.mark.parametrize("source", WRITABLE, ids=lambda each: each.name)
@pytest.mark.parametrize("target", WRITABLE, ids=lambda each: each.name)
def test_every_format_becomes_every_other(tmp_path, slide, capsys, source, target):
    first, second = tmp_path / f"a{source.suffixes[0]}", tmp_path / f"b{target.suffixes[0]}"
    write_annotations(first, DRAWN, slide=slide, format=source)

    command = ["convert", str(first), str(second), "--slide", "s", "--to", target.name, "--json"]
    assert main(command) == 0

    said = json.loads(capsys.readouterr().out)
    assert (said["read"], said["written"], said["found_again"], said["differences"]) == (
        2,
        2,
        2,
        [],
    )
    assert said["format"] == source.title
    areas = {each.class_name: each.geometry.area for each in read_annotations(second, slide=slide)}
    assert areas == pytest.approx({"Tumor": 2400, "Stroma": 800}, abs=1)


def test_the_receipt_says_what_was_read_written_and_found_again(tmp_path, capsys):
    (tmp_path / "a.json").write_text(json.dumps([
        {"type": "Feature", "geometry": shapely.geometry.mapping(DRAWN[0].geometry)},
        {"type": "Feature", "geometry": None},
    ]))  # fmt: skip
    assert main(["convert", str(tmp_path / "a.json"), str(tmp_path / "b.xml")]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines() == [
        f"{tmp_path / 'a.json'} (GeoJSON (QuPath)): 1 read, 1 left out, 0 repaired.",
        f"{tmp_path / 'b.xml'}: 1 written.",
        "The file was read again and compared: 1 of 1 shapes, their classes and areas are as they should be.",
    ]
    assert err == "Feature 2 was left out: it has no geometry.\n"


@pytest.mark.parametrize(
    ("target", "options", "words"),
    [
        ("b.doc", [], "is known here; use one of"),
        ("b.ndpa", [], "Hamamatsu NDPA is measured by its slide; give --slide."),
        ("b.png", [], "Mask (PNG) is measured by its slide; give --slide."),
        ("a.geojson", [], "exists already"),
        ("none/b.geojson", [], "No such file or directory"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_sentence(tmp_path, capsys, target, options, words):
    write_annotations(tmp_path / "a.geojson", DRAWN)
    assert main(["convert", str(tmp_path / "a.geojson"), str(tmp_path / target), *options]) == 1
    err = capsys.readouterr().err
    assert words in err
    assert err.count("\n") == 1


def test_a_format_may_be_named_where_the_name_does_not_say_it(tmp_path):
    write_annotations(tmp_path / "a.geojson", DRAWN)
    target = tmp_path / "b.xml"
    assert main(["convert", str(tmp_path / "a.geojson"), str(target), "--to", "imagescope"]) == 0
    assert b"<Annotations>" in target.read_bytes()
    assert main(["convert", str(target), str(tmp_path / "c.anot")]) == 0
    assert b'"elements"' in (tmp_path / "c.anot").read_bytes()
