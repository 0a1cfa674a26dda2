"""Files that are damaged, lie or attack: what is sound in them is read, the rest is told, nothing breaks."""

import gzip
import io
import json
import random
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
import shapely
import shapely.geometry

from segcore.annotations import Annotation, read_annotations_report, write_annotations
from segcore.errors import AnnotationError
from tests.segcore.annotations.hostile_files import check, packed, seeds, slide, spoiled

GOOD = {
    "type": "Feature",
    "geometry": shapely.geometry.mapping(shapely.box(0, 0, 9, 9)),
    "properties": {},
}
GOOD_TEXT = json.dumps(GOOD)


def collection(*features: str) -> bytes:
    """Return a collection of the given features between two good ones."""
    return (
        '{"type":"FeatureCollection","features":['
        + ",".join([GOOD_TEXT, *features, GOOD_TEXT])
        + "]}"
    ).encode()


def polygon(points: object) -> str:
    shape = {"type": "Polygon", "coordinates": [points]}
    return json.dumps({"type": "Feature", "geometry": shape, "properties": {}})


def zipped(**entries: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return stream.getvalue()


def asap(*coordinates: str, head: str = "", tail: str = "") -> bytes:
    good = '<Coordinate Order="0" X="0" Y="0"/><Coordinate Order="1" X="9" Y="0"/><Coordinate Order="2" X="9" Y="9"/>'
    marks = "".join(
        f'<Annotation Type="Polygon" PartOfGroup="Tumor"><Coordinates>{each}</Coordinates></Annotation>'
        for each in (good, *coordinates)
    )
    return f"{head}<ASAP_Annotations><Annotations>{marks}</Annotations>{tail}</ASAP_Annotations>".encode()


def scribble(count: int) -> list[list[float]]:
    return np.random.default_rng(0).uniform(0, 10_000, (count, 2)).round(1).tolist()


def coco(*segmentations: object, name: str = "slide.png") -> bytes:
    members = [
        {"id": at, "image_id": 1, "category_id": 1, "segmentation": each}
        for at, each in enumerate([[[0, 0, 9, 0, 9, 9]], *segmentations])
    ]
    picture = {"id": 1, "file_name": name, "width": 160, "height": 120}
    return json.dumps({"images": [picture], "categories": [], "annotations": members}).encode()


def dsa(*elements: object) -> bytes:
    good = {"type": "point", "center": [1, 2, 0]}
    return json.dumps({"name": "x", "elements": [good, *elements]}).encode()


DEEP = "[" * 100_000 + "]" * 100_000
BOMB = (
    '<!DOCTYPE a [<!ENTITY a0 "aaaaaaaaaa">'
    + "".join('<!ENTITY a{} "{}">'.format(at, f"&a{at - 1};" * 10) for at in range(1, 9))
    + "]>"
)
OUTSIDE = '<!DOCTYPE a [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
BOW_TIE = [[0, 0], [9, 9], [9, 0], [0, 9], [0, 0]]

READ = [  # what, file name, content, how many are read, what the report says
    ("a NaN coordinate", "a.json", collection(polygon([[0, 0], [9, float("nan")], [9, 9]])), 2, "no numbers"),
    ("an infinite coordinate", "a.json", collection(polygon([[0, 0], [9, float("inf")], [9, 9]])), 2, "no numbers"),
    ("1e308", "a.json", collection(polygon([[0, 0], [1e308, 0], [9, 9]])), 2, "outside any slide"),
    ("1e999", "a.json", collection(polygon([[0, 0], [5, 0], [9, 9]]).replace("5", "1e999")), 2, "no numbers"),
    ("a huge integer", "a.json", collection(polygon([[0, 0], [10**40, 0], [9, 9]])), 2, "outside any slide"),
    ("a bow-tie", "a.json", collection(polygon(BOW_TIE)), 3, ""),
    ("two corners", "a.json", collection(polygon([[0, 0], [9, 9]])), 2, "fewer than three corners"),
    ("an unclosed ring", "a.json", collection(polygon([[0, 0], [9, 0], [9, 9]])), 3, ""),
    ("words for numbers", "a.json", collection(polygon([["a", "b"], [9, 0], [9, 9]])), 2, "no numbers"),
    ("no geometry", "a.json", collection('{"type":"Feature","geometry":null,"properties":null}'), 2, "no geometry"),
    ("nothing but null", "a.json", collection("null", "5", '"x"'), 2, ""),
    ("a key twice", "a.json", collection(GOOD_TEXT.replace('"properties"', '"properties":{},"properties"')), 3, ""),
    ("a geometry twice", "a.json", collection(GOOD_TEXT.replace('"geometry"', '"geometry":null,"geometry"')), 3, ""),
    ("an unknown geometry", "a.json", collection(polygon([[0, 0]] * 4).replace("Polygon", "Blob")), 2, "'Blob'"),
    ("a class that is a list", "a.json", collection(GOOD_TEXT.replace("{}", '{"classification":[[]]}')), 3, ""),
    ("an id that is null", "a.json", collection(GOOD_TEXT.replace('"geometry"', '"id":null,"geometry"', 1)), 3, ""),
    ("half a letter", "a.json", collection(GOOD_TEXT.replace("{}", '{"name":"\\ud800"}')), 3, ""),
    ("a zero byte in a name", "a.json", collection(GOOD_TEXT.replace("{}", '{"name":"a\\u0000b"}')), 3, ""),
    ("a scribble of 20 000 corners", "a.json", collection(polygon(scribble(20_000))), 2, "crosses itself"),
    ("more than a million corners", "a.json", collection(polygon([[0, 0]] * 1_000_001)), 2, "more than 1,000,000"),
    ("UTF-16", "a.json", collection().decode().encode("utf-16"), 2, ""),
    ("a byte order mark", "a.json", b"\xef\xbb\xbf" + collection(), 2, ""),
    ("deep nesting in a property", "a.json", collection(GOOD_TEXT.replace("{}", f'{{"x":{"[" * 300}{"]" * 300}}}')), 3, ""),
    ("a JSON that is cut off", "a.json", collection()[:-30], 1, "damaged or cut off in one place"),
    ("a gz that is cut off", "a.json.gz", gzip.compress(collection(GOOD_TEXT) * 1)[:-9], 3, ""),
    ("a gz that is cut off in a feature", "a.json.gz", gzip.compress(collection(polygon(scribble(400))))[:-30], 1, "cut off"),
    ("a fault in the middle", "a.json", collection("{'type': 5}", GOOD_TEXT), 3, "damaged or cut off in one place"),
    ("a bad entry in an archive", "a.zip", zipped(**{"a.json": collection(), "b.json": b"{"}), 2, "b.json"),
    ("climbing names in an archive", "a.zip", zipped(**{"../../x.json": collection(), "/etc/y.json": collection()}), 4, ""),
    ("XML in UTF-16", "a.xml", asap(head='<?xml version="1.0" encoding="utf-16"?>').decode().encode("utf-16"), 1, ""),
    ("a NaN in XML", "a.xml", asap('<Coordinate Order="0" X="nan" Y="0"/>' * 4), 1, "no numbers"),
    ("no numbers in XML", "a.xml", asap('<Coordinate X="a" Y="0"/>' * 4), 1, "no numbers"),
    ("deep XML", "a.xml", asap(tail="<a>" * 100_000 + "</a>" * 100_000), 1, ""),
    ("a climbing picture name", "a.json", coco(name="../../../etc/slide.png"), 1, ""),
    ("odd polygons of COCO", "a.json", coco([[1, 2, 3]], [["a", 1, 2, 3, 4, 5]], "x"), 1, "cannot be read"),
    ("run lengths beyond the picture", "a.json", coco({"size": [10, 10], "counts": [0, 10**9]}), 1, "do not fit"),
    ("run lengths of a huge picture", "a.json", coco({"size": [10**9, 10**9], "counts": [0, 10**11]}), 1, "too large"),
    ("a picture of 10^40 pixels", "a.json", coco({"size": [10**20, 10**20], "counts": [0, 9]}), 1, "do not fit"),
    ("negative run lengths", "a.json", coco({"size": [10, 10], "counts": [-5, 9]}), 1, "cannot be read"),
    ("broken packed run lengths", "a.json", coco({"size": [10, 10], "counts": "~~~~"}), 1, "cannot be read"),
    ("a circle of no size", "a.anot", dsa({"type": "circle", "center": [1, 1, 0], "radius": 0}), 1, "no size"),
    ("a circle of text", "a.anot", dsa({"type": "circle", "center": "x", "radius": "y"}), 1, "empty"),
    ("an element that is none", "a.anot", dsa(5, None, {"type": []}), 1, "no element"),
]  # fmt: skip
REFUSED = [
    ("deep nesting", "a.json", DEEP.encode()),
    ("deep objects", "a.json", b'{"a":' * 100_000),
    ("an entity bomb", "a.xml", asap(head=BOMB, tail="&a8;")),
    ("an entity from outside", "a.xml", asap(head=OUTSIDE, tail="&a;")),
    ("half a gz", "a.json.gz", gzip.compress(collection() * 50)[:40]),
    ("a gz that is none", "a.json.gz", b"hello"),
    ("half a zip", "a.zip", zipped(**{"a.json": collection()})[:60]),
    ("nothing", "a.json", b""),
    ("nothing in XML", "a.xml", b""),
    ("half a PNG", "a.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"),
    ("half a TIFF", "a.tif", b"II*\0\x08\0\0\0\xff\xff"),
    ("a folder in a zip alone", "a.zip", zipped(**{"x/": b""})),
]


@pytest.mark.parametrize(
    ("name", "content", "count", "words"),
    [each[1:] for each in READ],
    ids=[each[0] for each in READ],
)
def test_what_is_sound_is_read_and_the_rest_is_told(
    tmp_path: Path, name: str, content: bytes, count: int, words: str
) -> None:
    (tmp_path / name).write_bytes(content)
    assert check(tmp_path / name) == count
    _, report = read_annotations_report(tmp_path / name, slide=slide())
    assert words in " ".join(report.skipped)
    assert bool(report.skipped) == bool(words)
    assert [each.name for each in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize(
    ("name", "content"), [each[1:] for each in REFUSED], ids=[each[0] for each in REFUSED]
)
def test_what_holds_nothing_sound_is_refused_in_a_sentence(
    tmp_path: Path, name: str, content: bytes
) -> None:
    (tmp_path / name).write_bytes(content)
    assert check(tmp_path / name) is None


def test_a_zip_of_many_zeros_does_not_fill_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("segcore.annotations.documents.LARGEST", 1 << 20)
    half = b" " * (700 << 10)
    (tmp_path / "a.zip").write_bytes(zipped(**{"a.json": half, "b.json": half}))
    with pytest.raises(AnnotationError, match="is larger than"):
        read_annotations_report(tmp_path / "a.zip")


def test_what_is_left_of_our_own_file_lies_where_it_did(tmp_path: Path) -> None:
    """The frame is named at the head of the file, so that a file that is cut off still knows it."""
    scanned = slide()
    scanned.bounds = (7, 11, 100, 100)
    drawn = [Annotation(shapely.box(20, 20, 30, 40)) for _ in range(3)]
    write_annotations(tmp_path / "a.geojson", drawn, slide=scanned)
    text = (tmp_path / "a.geojson").read_bytes()
    (tmp_path / "a.geojson").write_bytes(text[:-40])
    found, report = read_annotations_report(tmp_path / "a.geojson")
    assert [each.geometry.bounds for each in found] == [(20, 20, 30, 40)] * 2
    assert report.skipped == (
        "The file is damaged or cut off in one place; what could be read of it was.",
    )


def test_good_files_of_every_format_are_read(tmp_path: Path) -> None:
    for name, content in seeds():
        (tmp_path / name).write_bytes(content)
        assert check(tmp_path / name), name


def test_a_few_hundred_spoiled_files_break_nothing(tmp_path: Path) -> None:
    chance, good = random.Random(1), seeds()  # noqa: S311 - a test that repeats
    for _ in range(400):
        name, content = chance.choice(good)
        content = spoiled(content, chance)
        if not name.endswith((".tif", ".png")) and chance.random() < 0.2:
            name, content = packed(name, content, chance)
        (tmp_path / name).write_bytes(content)
        started = time.perf_counter()
        check(tmp_path / name)
        assert time.perf_counter() - started < 5
