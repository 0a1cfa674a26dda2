"""Annotations as text, for the clipboard: GeoJSON, as QuPath copies and pastes it."""

from io import BytesIO
from pathlib import Path

from segcore.annotations.documents import as_utf8
from segcore.annotations.files import read_source
from segcore.annotations.formats import Found, Origin, Source, Task
from segcore.annotations.formats.geojson import FORMAT
from segcore.annotations.model import Annotation
from segcore.annotations.taxonomy import Taxonomy, load_taxonomy
from segcore.slides.base import Slide

_NAME = "The clipboard"


def annotations_from_text(
    text: str | bytes,
    *,
    slide: Slide | None = None,
    origin: Origin | None = None,
    taxonomy: Taxonomy | None = None,
) -> Found:
    """Read what was pasted, of any format that is text; the frame is as in `read_annotations`.

    Raises AnnotationError.
    """
    data = text.encode(errors="replace") if isinstance(text, str) else text
    task = Task(slide, origin, taxonomy or load_taxonomy())
    return read_source(Source(Path(f"{_NAME}.geojson"), _NAME, as_utf8(data)), task)


def text_from_annotations(
    annotations: list[Annotation],
    *,
    slide: Slide | None = None,
    origin: Origin = "bounds",
    taxonomy: Taxonomy | None = None,
) -> str:
    """Return GeoJSON that QuPath pastes; it and `annotations_from_text` know its frame."""
    stream = BytesIO()
    assert FORMAT.write  # noqa: S101 - GeoJSON can be written
    FORMAT.write(stream, annotations, Task(slide, origin, taxonomy or load_taxonomy()))
    return stream.getvalue().decode()
