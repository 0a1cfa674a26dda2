"""GeoJSON as files: read and written a thousand features at a time, so that a million fit into memory."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

import msgspec

from segcore.annotations.formats.format import Format, Found, Offset, Source, Task
from segcore.annotations.formats.salvage import salvaged
from segcore.annotations.geojson_geometry import FARTHEST
from segcore.annotations.geojson_reading import annotations_from, with_own_ids
from segcore.annotations.geojson_writing import features_from
from segcore.annotations.model import Annotation
from segcore.annotations.reports import ReadReport, Written
from segcore.errors import AnnotationError

_CHUNK = 5000
_TOKENS = re.compile(rb'"(?:[^"\\]|\\.)*+"|-?\b(?:NaN|Infinity)\b', re.DOTALL)
_OURS = re.compile(rb'"acinus":(\{"offset":\[-?\d+(?:\.\d+)?,-?\d+(?:\.\d+)?\]\})')
_FEATURE = re.compile(rb'"type"\s*:\s*"(?:Feature|FeatureCollection)"')


class _Collection(msgspec.Struct):
    type: str
    features: list[msgspec.Raw]
    acinus: Any = None


def read(source: Source, task: Task) -> Found:
    """Read GeoJSON in any of QuPath's containers; `Task.offset` and the file's own word move it."""
    text = _sound(source.data)
    features, kind, ours = _members(text)
    skipped: list[str] = []
    whole: Any = None
    if features is None:
        whole, ours, damage = _whole(text)
        skipped += damage
    named = None if task.origin else _named_offset(ours)
    offset = named or task.offset("bounds")
    found: list[Annotation] = []
    repaired, seen = 0, 0
    for fraction, document in _parts(whole, features, kind):
        some, report = annotations_from(document, task.taxonomy, offset=offset, first=seen + 1)
        found += some
        skipped += report.skipped
        repaired += report.repaired
        seen += report.features
        task.report(0.1 + 0.9 * fraction, f"Reading annotations: {seen:,}")
    return with_own_ids(found), ReadReport(seen, tuple(skipped), repaired)


def _whole(text: bytes) -> tuple[Any, Any, list[str]]:
    """Return a document that is no list of text, our own word, and a sentence where it is damaged."""
    try:
        document = _parsed(text)
    except AnnotationError:
        found, damage = salvaged(text.decode(errors="replace"))
        head = _OURS.search(text)
        ours = msgspec.json.decode(head.group(1)) if head else None
        return {"type": "FeatureCollection", "features": found}, ours, [damage]
    return document, document.get("acinus") if isinstance(document, dict) else None, []


def _parts(
    whole: Any, features: list[msgspec.Raw] | None, kind: str
) -> Iterator[tuple[float, Any]]:
    """Yield the document in parts that are documents too, and the fraction that is read with each."""
    if features is None:
        yield 1.0, whole
        return
    count = max(len(features), 1)
    for start in range(0, count, _CHUNK):
        part: Any = _parsed(b"[" + b",".join(features[start : start + _CHUNK]) + b"]")
        yield min(1.0, (start + _CHUNK) / count), {"type": kind, "features": part} if kind else part


def _members(text: bytes) -> tuple[list[msgspec.Raw] | None, str, Any]:
    """Return the members of a collection or list, still as text, the type of the collection, and our own word.

    None where the document is neither, or not to be read by a strict reader.
    """
    try:
        if text.lstrip()[:1] == b"[":
            return msgspec.json.decode(text, type=list[msgspec.Raw]), "", None
        collection = msgspec.json.decode(text, type=_Collection)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None, "", None
    whole = collection.type == "FeatureCollection"
    return collection.features if whole else None, collection.type, collection.acinus


def _named_offset(ours: Any) -> Offset | None:
    """Return the offset that our own files name, None where it is none that a slide can have."""
    offset = ours.get("offset") if isinstance(ours, dict) else None
    if not isinstance(offset, list) or len(offset) != 2:
        return None
    if not all(type(each) in {int, float} and abs(each) <= FARTHEST for each in offset):
        return None
    return offset[0], offset[1]


def _sound(text: bytes) -> bytes:
    """Put the bare NaN and Infinity, which QuPath writes up to 0.4, between quotes."""
    if b"NaN" not in text and b"Infinity" not in text:
        return text
    try:
        msgspec.json.decode(text, type=msgspec.Raw)
    except (msgspec.MsgspecError, RecursionError):
        return _TOKENS.sub(_quoted, text)
    return text


def _quoted(token: re.Match[bytes]) -> bytes:
    found = token.group()
    return found if found.startswith(b'"') else b'"' + found + b'"'


def _parsed(text: bytes) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass  # strict and six times as quick, but some files hold letters that are none
    try:
        document = json.loads(text.decode(errors="replace"))
        # Half a surrogate pair can be read but never be written again.
        whole = json.dumps(document, ensure_ascii=False).encode(errors="replace")
        return json.loads(whole)
    except (ValueError, RecursionError) as error:
        raise AnnotationError("it is no JSON, or it is cut off") from error


def write(file: BinaryIO, annotations: Sequence[Annotation], task: Task) -> Written:
    """Write a FeatureCollection that every QuPath from 0.4 to 0.7 reads."""
    x, y = task.offset("bounds")
    # QuPath ignores members that it does not know; ours says which frame this is.
    ours = msgspec.json.encode({"offset": [x, y]})
    file.write(b'{"type":"FeatureCollection","acinus":' + ours + b',"features":[')
    count, dropped = 0, []
    for start in range(0, len(annotations), _CHUNK):
        chunk = annotations[start : start + _CHUNK]
        features, written = features_from(chunk, task.taxonomy, offset=(-x, -y))
        if features:
            file.write((b"," if count else b"") + msgspec.json.encode(features)[1:-1])
        count += written.features
        dropped += written.dropped
        done = start + len(chunk)
        task.report(done / len(annotations), f"Writing annotations: {done:,}")
    file.write(b"]}")
    return Written(count, tuple(dropped))


FORMAT = Format(
    name="geojson",
    title="GeoJSON (QuPath)",
    suffixes=(
        ".geojson", ".json", ".geojson.gz", ".json.gz", ".geojson.zip", ".json.zip", ".zip",
    ),
    about="Keeps everything; QuPath 0.4 and later read it.",
    recognises=lambda head: bool(_FEATURE.search(head)),
    read=read,
    write=write,
    origin="bounds",
    moves=True,
    keeps=frozenset(
        {"name", "locked", "kind", "ellipse", "colour", "measurements", "metadata", "id"}
    ),
)  # fmt: skip
