"""QuPath's projects, read only: which images, which classes, and what is marked on each image.

What a person has drawn lies in `data/<n>/data.qpdata` (see `formats.qpdata`). Where that cannot be read the
way out is an export as GeoJSON, which is found beside the project, the entry or the image.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any
from urllib.parse import unquote, urlsplit

import msgspec

from segcore.annotations.documents import as_utf8
from segcore.annotations.files import read_annotations_report
from segcore.annotations.formats import Found
from segcore.annotations.qupath_classes import NamedColour, read_qupath_classes
from segcore.annotations.reports import ReadReport
from segcore.annotations.taxonomy import Taxonomy
from segcore.errors import AnnotationError
from segcore.progress import Report, silent
from segcore.slides.base import Slide

SUFFIX = ".qpproj"
_PROJECT = "project.qpproj"
_DATA = "data.qpdata"
_CLASSES = ("classifiers/classes.json", "classifiers/pathclasses.json")
_ENDINGS = (".geojson", ".geojson.gz", ".geojson.zip", ".json", ".json.gz")
_FOLDERS = ("", "annotations", "export", "exports", "geojson")
_DEEPEST = 16
_LARGEST = 256 << 20

Path_ = PurePosixPath | PureWindowsPath


@dataclass(frozen=True)
class ProjectImage:
    """One image of a project."""

    name: str
    path: Path | None
    """Where it was found; None where it is in none of the places that were tried."""
    tried: tuple[str, ...]
    """The places that were looked at, in their order."""
    annotation_files: tuple[Path, ...] = ()
    """Where its annotations may be, the likeliest first; `read_project_annotations` reads them."""
    description: str = ""
    metadata: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Project:
    """What could be read of a QuPath project."""

    name: str
    images: tuple[ProjectImage, ...]
    classes: tuple[NamedColour, ...]
    unread: tuple[str, ...]
    """A sentence for each thing that could not be read."""


def read_project(path: str | Path) -> Project:
    """Read `project.qpproj`, or the folder that holds it. Nothing is written, and no image is opened.

    Images are looked for at their old place, at the same place relative to the project, and beside it.
    Raises AnnotationError where there is no project.
    """
    path = Path(path)
    file = path / _PROJECT if path.is_dir() else path
    document = _json(file)
    entries = document.get("images") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise AnnotationError(f"{file.name} is no QuPath project; choose its project.qpproj.")
    folder = file.parent
    old_folder = _old_place(document.get("uri"))
    unread: list[str] = []
    images = []
    for number, entry in enumerate(entries, 1):
        if isinstance(entry, dict):
            image = _image(entry, folder, old_folder.parent if old_folder else None)
            images.append(image)
            unread += _remarks(image)
        else:
            unread.append(f"Entry {number} of the project is no image.")
    classes, remarks = _classes(folder)
    return Project(folder.absolute().name, tuple(images), classes, (*unread, *remarks))


def read_project_annotations(
    image: ProjectImage,
    *,
    slide: Slide | None = None,
    taxonomy: Taxonomy | None = None,
    report: Report = silent,
) -> Found:
    """Read the annotations of an image, which is `slide`, from the first of its files that can be read.

    They are in level-0 pixels of the full slide where `slide` is given, else in QuPath's frame. What could
    not be read is listed; without any file there are none. Raises AnnotationError where no file can be read.
    """
    failures: list[str] = []
    for file in image.annotation_files:
        try:
            found, read = read_annotations_report(
                file, slide=slide, taxonomy=taxonomy, report=report
            )
        except AnnotationError as error:
            failures.append(str(error))
        else:
            return found, replace(read, skipped=(*failures, *read.skipped))
    if failures:
        raise AnnotationError(
            f"The annotations of {image.name} cannot be read; in QuPath, export them as GeoJSON to "
            f"{Path(image.name).stem}.geojson beside the project."
        )
    return [], ReadReport(0)


def _json(file: Path) -> Any:
    try:
        with file.open("rb") as stream:
            text = stream.read(_LARGEST + 1)
        if len(text) > _LARGEST:
            raise AnnotationError(f"{file.name} is too large for a file of a project.")
        return msgspec.json.decode(as_utf8(text).decode(errors="replace"))
    except OSError as error:
        reason = error.strerror or str(error)
        raise AnnotationError(
            f"{file.name} cannot be read: {reason}; choose the project.qpproj in a project's folder."
        ) from error
    except (msgspec.MsgspecError, RecursionError) as error:
        raise AnnotationError(f"{file.name} is no sound JSON, or it is cut off.") from error


def _image(entry: dict[str, Any], folder: Path, old_folder: Path_ | None) -> ProjectImage:
    uris = list(_uris(entry.get("serverBuilder")))
    said = entry.get("imageName") or _server_name(entry) or "image"
    name = _last(str(said)) or "image"
    places = list(dict.fromkeys(_places(uris, name, folder, old_folder)))
    found = next((place for place in places if _is_file(place)), None)
    metadata = entry.get("metadata")
    members = metadata.items() if isinstance(metadata, dict) else ()
    return ProjectImage(
        name=name,
        path=found,
        tried=tuple(map(str, places)),
        annotation_files=tuple(_annotation_files(entry, name, folder, found)),
        description=str(entry.get("description") or ""),
        metadata=tuple((str(key), str(value)) for key, value in members),
    )


def _server_name(entry: dict[str, Any]) -> Any:
    builder = entry.get("serverBuilder")
    metadata = builder.get("metadata") if isinstance(builder, dict) else None
    return metadata.get("name") if isinstance(metadata, dict) else None


def _uris(builder: Any, depth: int = 0) -> Iterator[str]:
    """Yield the URIs in a builder; one that turns or crops an image holds the builder of that."""
    if isinstance(builder, dict) and depth < _DEEPEST:
        for key, value in builder.items():
            if key == "uri" and isinstance(value, str):
                yield value
            elif isinstance(value, dict):
                yield from _uris(value, depth + 1)


def _places(uris: list[str], name: str, folder: Path, old_folder: Path_ | None) -> Iterator[Path]:
    """Yield where an image may lie: as it was, moved along with the project, beside the project."""
    olds = [old for uri in uris if (old := _old_place(uri))]
    for old in olds:
        yield Path(str(old))
        if old_folder and (moved := _moved(old, old_folder, folder)):
            yield moved
    for file in dict.fromkeys([*(old.name for old in olds), name]):
        for place in (folder, folder.parent, folder / "images"):
            yield place / file


def _old_place(uri: Any) -> Path_ | None:
    """Return the path in a file URI, of whichever system wrote it."""
    if not isinstance(uri, str) or "\0" in uri:
        return None
    try:
        parts = urlsplit(uri)
    except ValueError:
        return None
    if parts.scheme not in {"file", ""}:
        return None
    path = unquote(parts.path)
    if "\0" in path or not path.strip("/"):
        return None
    if re.match(r"/[A-Za-z]:", path):
        return PureWindowsPath(path[1:])
    return PureWindowsPath(f"//{parts.netloc}{path}") if parts.netloc else PurePosixPath(path)


def _moved(old: Path_, old_folder: Path_, folder: Path) -> Path | None:
    """Return where a file lies that moved together with the project."""
    if type(old) is not type(old_folder):
        return None
    up = 0
    while not old.is_relative_to(old_folder):
        if old_folder == old_folder.parent:
            return None
        old_folder, up = old_folder.parent, up + 1
    absolute = folder.absolute()
    if up > len(absolute.parents):
        return None
    base = absolute.parents[up - 1] if up else absolute
    return base.joinpath(*old.relative_to(old_folder).parts)


def _last(name: str) -> str:
    """Return the last part of a name; one that climbs out of its folder loses the rest."""
    last = PureWindowsPath(PurePosixPath(name.replace("\0", "")).name).name
    return "" if last in {".", ".."} else last


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _entry_folder(entry: dict[str, Any], folder: Path) -> Path | None:
    number = entry.get("entryID")
    return folder / "data" / str(number) if isinstance(number, int) and number >= 0 else None


def _annotation_files(
    entry: dict[str, Any], name: str, folder: Path, image: Path | None
) -> Iterator[Path]:
    """Yield the data of the entry, exports in its folder, and those called as the image beside it or the project."""
    own = _entry_folder(entry, folder)
    if own and _is_file(own / _DATA):
        yield own / _DATA
    if own and own.is_dir():
        yield from sorted(
            each
            for each in own.iterdir()
            if each.name.lower().endswith((".geojson", ".geojson.gz"))
        )
    stems = dict.fromkeys([name, Path(name).stem, name.split(".", maxsplit=1)[0]])
    places = [folder / each for each in _FOLDERS] + ([image.parent] if image else [])
    names = [f"{stem}{ending}" for stem in stems for ending in _ENDINGS]
    beside = (place / each for place in places for each in names)
    yield from dict.fromkeys(each for each in beside if _is_file(each))


def _remarks(image: ProjectImage) -> Iterator[str]:
    if image.path is None:
        yield f"The image {image.name} is in none of the places that the project names; put it beside the project."
    if not image.annotation_files:
        yield f"There is no file of annotations of {image.name}."


def _classes(folder: Path) -> tuple[tuple[NamedColour, ...], tuple[str, ...]]:
    """Return the classes of a project, with a sentence where the file of them is no such file."""
    file = next((folder / each for each in _CLASSES if _is_file(folder / each)), None)
    if file is None:
        return (), ()
    try:
        return tuple(read_qupath_classes(file)), ()
    except AnnotationError as error:
        return (), (f"The classes of the project were left out: {error}",)
