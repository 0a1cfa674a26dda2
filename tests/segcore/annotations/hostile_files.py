"""Annotation files that lie: small good ones of every format, and ways to spoil them."""

import gzip
import io
import json
import random
import re
import zipfile
from pathlib import Path

import numpy as np
import shapely

from segcore.annotations import FORMATS, Annotation, read_annotations_report
from segcore.annotations.formats import Task
from segcore.errors import AnnotationError
from segcore.slides import ArraySlide
from segcore.slides.base import Glass
from tests.segcore.annotations.java_streams import qpdata


def slide():
    """Return a slide that every format can be written for."""
    made = ArraySlide(np.zeros((120, 160, 3), np.uint8), mpp=0.5, path="slide.ndpi")
    made.glass = Glass(1000.0, -2000.0, 0.5, 0.5)
    return made


def marks():
    ring = shapely.box(10, 10, 60, 60).difference(shapely.box(20, 20, 30, 30))
    return [
        Annotation(ring, class_name="Tumor", name="a", measurements={"Area": 2400.0}),
        Annotation(shapely.Point(80, 40).buffer(9), ellipse=True, class_name="Stroma"),
        Annotation(shapely.LineString([(1, 1), (50, 60), (70, 3)]), name="line"),
        Annotation(shapely.MultiPoint([(90, 90), (95, 99)]), class_name="Nerve: Big"),
    ]


def seeds():
    """Return (file name, content) of a good file of each format."""
    task = Task(slide(), "full")
    found = []
    for known in (each for each in FORMATS if each.write):
        stream = io.BytesIO()
        known.write(stream, marks(), task)
        found.append((f"a{known.suffixes[0]}", stream.getvalue()))
    return [*found, ("a.json", RUN_LENGTHS), ("a.qpdata", qpdata())]


def check(path: Path) -> int | None:
    """Read a file; return how many are found, None where it is refused in one sentence; all is sound."""
    try:
        found, report = read_annotations_report(path, slide=slide())
    except AnnotationError as error:
        text = str(error)
        assert text.endswith("."), text
        assert "\n" not in text, text
        return None
    assert all(shapely.is_valid([each.geometry for each in found]))
    assert np.isfinite(
        shapely.total_bounds([each.geometry for each in found] or [shapely.Point(0, 0)])
    ).all()
    assert all(each.endswith(".") for each in (*report.skipped, *report.doubts))
    return len(found)


RUN_LENGTHS = (
    b'{"images":[{"id":1,"file_name":"slide.png","width":20,"height":10}],"categories":[{"id":1,"name":"Tumor"}],'
    b'"annotations":[{"id":1,"image_id":1,"category_id":1,"iscrowd":1,"segmentation":{"size":[10,20],'
    b'"counts":[12,4,6,4]}},{"id":2,"image_id":1,"category_id":1,"segmentation":{"size":[10,20],"counts":"<464"}}]}'
)
NASTY = [
    b"NaN", b"-Infinity", b"1e308", b"-1e999", b"1e-320", b"99999999999999999999999", b"-0", b"null", b"true", b"{}",
    b"[]", b'""', b'"x"', b'"\\ud800"', b'"\\u0000"', b"[[[]]]", b"[" * 500, b"[" * 60_000, b'{"a":' * 3000, b"0x10",
    b"'", b"\x00", b"\xff\xfe", b"\xf0\x9f", b"&b;", b"<![CDATA[", b"<!--", b"]]>", b"../../etc/passwd", b"1,2", b"",
    b'"type":"Polygon","type":"Point",', b"x" * 5000,
]  # fmt: skip
_TOKEN = re.compile(rb"-?\d+(?:\.\d+)?|\"[^\"]*\"|[\[\]{}<>]")


def spoiled(content: bytes, chance: random.Random) -> bytes:
    """Return the content with one to four faults."""
    for _ in range(chance.randint(1, 4)):
        content = chance.choice(FAULTS)(content, chance)
    return content


def _flip(content, chance):
    if not content:
        return content
    at = chance.randrange(len(content))
    return content[:at] + bytes([chance.randrange(256)]) + content[at + 1 :]


def _cut(content, chance):
    return content[: chance.randrange(len(content) + 1)]


def _replace(content, chance):
    tokens = list(_TOKEN.finditer(content))
    if not tokens:
        return content
    start, end = chance.choice(tokens).span()
    return content[:start] + chance.choice(NASTY) + content[end:]


def _delete(content, chance):
    at = chance.randrange(len(content) + 1)
    return content[:at] + content[at + chance.randrange(40) :]


def _repeat(content, chance):
    at = chance.randrange(len(content) + 1)
    piece = content[at : at + chance.randrange(300)]
    return content[:at] + piece * chance.randrange(1, 50) + content[at:]


def _swap(content, chance):
    tokens = list(_TOKEN.finditer(content))
    if len(tokens) < 2:
        return content
    one, other = sorted(chance.sample(tokens, 2), key=lambda token: token.start())
    return (
        content[: one.start()] + other.group() + content[one.end() : other.start()] + one.group()
        + content[other.end() :]
    )  # fmt: skip


def _encoded(content, chance):
    encoding = chance.choice(["utf-16", "utf-16-le", "utf-32", "utf-8-sig", "utf-7"])
    return content.decode(errors="replace").encode(encoding, "replace")


ODD = [
    None, True, -1, 0, 1e308, -1e308, 1e-320, 10**40, float("nan"), float("inf"), "", "x", "\ud800", "\0", "../../x", [],
    {}, [[]], [[[]]], [None], [1, 2], [[0, 0], [9, 9], [9, 0], [0, 9]], {"type": "Polygon"}, "Feature", "Polygon",
    "MultiPolygon", "GeometryCollection", "polyline", [0] * 2000,
]  # fmt: skip


def _odd_value(content, chance):
    """Replace a value of a JSON document, or of an attribute in XML, and leave the document sound."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        attributes = list(re.finditer(rb'="([^"]*)"', content))
        if not attributes:
            return content
        start, end = chance.choice(attributes).span(1)
        odd = chance.choice(
            [b"", b"nan", b"1e308", b"-1e999", b"x", b"2", b"&#65;", b"None", b"9" * 40]
        )
        return content[:start] + odd + content[end:]
    node = document
    while isinstance(node, dict | list) and node:
        key = chance.choice(list(node) if isinstance(node, dict) else range(len(node)))
        if not isinstance(node[key], dict | list) or not node[key] or chance.random() < 0.2:
            node[key] = chance.choice(ODD)
            break
        node = node[key]
    return json.dumps(document).encode()


FAULTS = [_flip, _cut, _replace, _replace, _delete, _repeat, _swap, _encoded] + [_odd_value] * 12


def packed(name: str, content: bytes, chance: random.Random) -> tuple[str, bytes]:
    """Return a name and the content packed, and sometimes damaged thereby."""
    if chance.random() < 0.5:
        data, name = gzip.compress(content, 1, mtime=0), f"{name}.gz"
    else:
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w") as archive:
            archive.writestr(
                chance.choice([name, f"../../{name}", f"/etc/{name}", f"C:\\{name}"]), content
            )
        data, name = stream.getvalue(), "a.zip"
    return name, chance.choice(
        [lambda d: d, lambda d: _cut(d, chance), lambda d: _flip(d, chance)]
    )(data)
