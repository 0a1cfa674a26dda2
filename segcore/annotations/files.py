"""Annotation files by name: .geojson and .json, plain, .gz or in a .zip."""

import gc
import gzip
import io
import json
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import msgspec

from segcore.annotations.atomic import write_bytes
from segcore.annotations.geojson_geometry import Offset
from segcore.annotations.geojson_reading import ReadReport, annotations_from
from segcore.annotations.geojson_writing import Written, features_from
from segcore.annotations.model import Annotation
from segcore.annotations.taxonomy import Taxonomy, load_taxonomy
from segcore.errors import AnnotationError
from segcore.slides.base import Slide

Origin = Literal["bounds", "full"]
"""Where a file has its (0, 0): at the corner of the scanned region, as QuPath, or of the full slide."""

LARGEST = 2 << 30
"""Bytes of a file, unpacked."""
_PLAIN = (".geojson", ".json")
_READABLE = (*_PLAIN, *(f"{each}.gz" for each in _PLAIN), ".zip")


def read_annotations(
    path: str | Path, *, slide: Slide | None = None, origin: Origin | None = None
) -> list[Annotation]:
    """Read an annotation file into level-0 pixels of the full slide; features that are unsound are left out.

    Without `origin` the frame is the one that the file names (ours do), else QuPath's where `slide` is
    given, else that of the full slide. Raises AnnotationError.
    """
    return read_annotations_report(path, slide=slide, origin=origin)[0]


def read_annotations_report(
    path: str | Path,
    *,
    slide: Slide | None = None,
    origin: Origin | None = None,
    taxonomy: Taxonomy | None = None,
) -> tuple[list[Annotation], ReadReport]:
    """Read as `read_annotations` does, and also tell what was left out or repaired."""
    path = Path(path)
    taxonomy = taxonomy or load_taxonomy()
    found: list[Annotation] = []
    reports = []
    with _collector_paused():
        for text in _texts(path):
            try:
                annotations, report = _read(text, slide, origin, taxonomy)
            except AnnotationError as error:
                raise AnnotationError(
                    f"{path.name} cannot be read: {error}; export it again as GeoJSON."
                ) from error
            found += annotations
            reports.append(report)
    skipped = tuple(line for each in reports for line in each.skipped)
    features, repaired = (
        sum(each.features for each in reports),
        sum(each.repaired for each in reports),
    )
    return found, ReadReport(features, skipped, repaired)


def _read(
    text: bytes, slide: Slide | None, origin: Origin | None, taxonomy: Taxonomy
) -> tuple[list[Annotation], ReadReport]:
    document = _parsed(text)
    named = None if origin else _named_offset(document)
    offset = named or _offset(slide, origin or "bounds")
    return annotations_from(document, taxonomy, offset=offset)


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Keep the garbage collector from walking millions of new lists: 0.6 s instead of 5 s for 85 MB."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def write_annotations(
    path: str | Path,
    annotations: Iterable[Annotation],
    *,
    slide: Slide | None = None,
    origin: Origin = "bounds",
    taxonomy: Taxonomy | None = None,
) -> Written:
    """Write annotations for QuPath, whole or not at all; returns how many and which came to nothing.

    The frame is QuPath's (the scanned region) where `slide` is given and `origin` is "bounds", else the
    full slide. Raises AnnotationError for a name that says no known format, ExportError where writing fails.
    """
    path = Path(path)
    kind = _kind(path)
    x, y = _offset(slide, origin)
    features, written = features_from(
        list(annotations), taxonomy or load_taxonomy(), offset=(-x, -y)
    )
    # QuPath ignores members that it does not know; ours says which frame this is.
    document = {"type": "FeatureCollection", "acinus": {"offset": [x, y]}, "features": features}
    write_bytes(path, _packed(path, kind, msgspec.json.encode(document)))
    return written


def _offset(slide: Slide | None, origin: Origin) -> Offset:
    return slide.bounds[:2] if slide and origin == "bounds" else (0, 0)


def _named_offset(document: Any) -> Offset | None:
    """Return the offset that our own files name."""
    ours = document.get("acinus") if isinstance(document, dict) else None
    offset = ours.get("offset") if isinstance(ours, dict) else None
    if not isinstance(offset, list) or [type(each) in {int, float} for each in offset] != [
        True,
        True,
    ]:
        return None
    return offset[0], offset[1]


def _kind(path: Path) -> str:
    """Return ".geojson", ".gz" or ".zip"; raises AnnotationError for any other name."""
    name = path.name.lower()
    if name.endswith(_PLAIN):
        return ".geojson"
    if name.endswith(_READABLE):
        return path.suffix.lower()
    raise AnnotationError(
        f"{path.name} is no annotation file that is known here; use one of {', '.join(_READABLE)}."
    )


def _texts(path: Path) -> list[bytes]:
    """Return the documents in a file, unpacked."""
    kind = _kind(path)
    try:
        if kind == ".zip":
            return _zip_texts(path)
        with path.open("rb") as file:
            return [_limited(path, gzip.GzipFile(fileobj=file) if kind == ".gz" else file)]
    except (
        OSError,
        EOFError,
        zlib.error,
        zipfile.BadZipFile,
        RuntimeError,
        NotImplementedError,
    ) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise AnnotationError(
            f"{path.name} cannot be read: {reason}; check that it is there and whole."
        ) from error


def _zip_texts(path: Path) -> list[bytes]:
    with zipfile.ZipFile(path) as archive:
        names = [each for each in archive.namelist() if each.lower().endswith(_PLAIN)]
        if not names:
            raise AnnotationError(f"{path.name} holds no .geojson or .json file; choose another.")
        texts = []
        for name in names:
            with archive.open(name) as file:
                texts.append(_limited(path, file))
        return texts


def _limited(path: Path, file: Any) -> bytes:
    text = file.read(LARGEST + 1)
    if len(text) > LARGEST:
        raise AnnotationError(f"{path.name} is larger than {LARGEST >> 30} GB; export it in parts.")
    return text


def _parsed(text: bytes) -> Any:
    if text.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = text.decode("utf-16", "replace").encode()
    text = text.removeprefix(b"\xef\xbb\xbf")
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass  # strict and six times as quick, but QuPath up to 0.4 writes a bare NaN
    try:
        document = json.loads(text.decode(errors="replace"))
        # Half a surrogate pair can be read but never be written again.
        whole = json.dumps(document, ensure_ascii=False).encode(errors="replace")
        return json.loads(whole)
    except (ValueError, RecursionError) as error:
        raise AnnotationError("it is no JSON, or it is cut off") from error


def _packed(path: Path, kind: str, text: bytes) -> bytes:
    if kind == ".gz":
        return gzip.compress(text, 6, mtime=0)
    if kind == ".geojson":
        return text
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{path.stem}.geojson", text)
    return packed.getvalue()
