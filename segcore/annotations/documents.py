"""The documents in a file: itself, what is packed in a .gz, or the entries of a .zip."""

import gzip
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

from segcore.errors import AnnotationError
from segcore.progress import Report, silent

LARGEST = 2 << 30
"""Bytes of a file, unpacked, all its entries together."""
_BLOCK = 16 << 20
_MOST_ENTRIES = 10_000
_DAMAGE = (OSError, EOFError, zlib.error, zipfile.BadZipFile, RuntimeError, NotImplementedError)


def documents(
    path: Path, suffixes: tuple[str, ...], report: Report = silent
) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of each document in `path`, unpacked in memory, never to a place on disk.

    Of an archive, the entries whose names end in `suffixes`. Raises AnnotationError.
    """
    try:
        if path.suffix.lower() == ".zip":
            yield from _entries(path, suffixes, report)
            return
        with path.open("rb") as file:
            packed = path.suffix.lower() == ".gz"
            name = path.name[:-3] if packed else path.name
            size = None if packed else path.stat().st_size
            stream = gzip.GzipFile(fileobj=file) if packed else file
            yield name, as_utf8(_limited(path, stream, LARGEST, report, size))
    except _DAMAGE as error:
        reason = getattr(error, "strerror", None) or str(error) or "it is damaged"
        raise AnnotationError(
            f"{path.name} cannot be read: {reason}; check that it is there and whole."
        ) from error


def _entries(path: Path, suffixes: tuple[str, ...], report: Report) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(path) as archive:
        names = [each for each in archive.namelist() if each.lower().endswith(suffixes)]
        if not names:
            raise AnnotationError(f"{path.name} holds no annotation file; choose another.")
        if len(names) > _MOST_ENTRIES:
            raise AnnotationError(
                f"{path.name} holds more than {_MOST_ENTRIES:,} files; import them in parts."
            )
        room = LARGEST
        for name in names:
            with archive.open(name) as file:
                data = _limited(path, file, room, report)
            room -= len(data)
            yield name, as_utf8(data)


def _limited(path: Path, file: Any, room: int, report: Report, size: int | None = None) -> bytes:
    data = bytearray()
    while block := _block(file, data):
        data += block
        if len(data) > room:
            raise AnnotationError(
                f"{path.name} is larger than {LARGEST >> 30} GB; export it in parts."
            )
        report(0.1 * len(data) / size if size else 0.05, "Reading the file")
    return bytes(data)


def _block(file: Any, before: bytearray) -> bytes:
    """Return what comes next; nothing where a file that was cut off ends, of which something was read."""
    try:
        return file.read1(_BLOCK)
    except (EOFError, zlib.error):
        if before:
            return b""
        raise


def as_utf8(data: bytes) -> bytes:
    """Return a text in UTF-8 without a byte order mark; XML, which says its encoding itself, stays as it is."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = data.decode("utf-16", "replace")
        return data if text.lstrip().startswith("<") else text.encode(errors="replace")
    return data.removeprefix(b"\xef\xbb\xbf")


@contextmanager
def packing(path: Path, file: BinaryIO, inner: str) -> Iterator[BinaryIO]:
    """Give what is to be written to so that `file`, which becomes `path`, is packed as its name says.

    `inner` is the name of the document in a .zip.
    """
    if path.suffix.lower() == ".gz":
        with gzip.GzipFile(
            filename="", fileobj=file, mode="wb", compresslevel=6, mtime=0
        ) as stream:
            yield cast("BinaryIO", stream)
    elif path.suffix.lower() == ".zip":
        with (
            zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive,
            archive.open(inner, "w", force_zip64=True) as stream,
        ):
            yield cast("BinaryIO", stream)
    else:
        yield file
