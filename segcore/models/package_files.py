"""The files of a model package: a folder or a zip, read by name into memory and never unpacked."""

import hashlib
import re
import struct
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from segcore.errors import ModelError
from segcore.models.bundle_files import LARGEST

_LARGEST_DIRECTORY = 1 << 20
"""Bytes of a zip's list of files, all of which Python makes objects of."""
LONGEST = 200  # characters of a file's name, folders included
_END, _END_64 = b"PK\x05\x06", b"PK\x06\x07"


class PackageFiles:
    """Reads files of the package at `path`; every failure is a ModelError that names it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.exists():
            raise ModelError(f"There is no package {path}; check the name.")
        self._root = "" if path.is_dir() else _only_folder(path)

    def read(self, name: str, *, most: int, sha256: str | None = None) -> bytes:
        """Return the content of a file of at most `most` bytes, whose hash must be `sha256` where given."""
        _check_name(name, self.path)
        content = (
            self._from_folder(name, most) if self.path.is_dir() else self._from_zip(name, most)
        )
        if content is None:
            raise ModelError(f"The package {self.path.name} holds no {name!r}; get it again.")
        if len(content) > most:
            raise ModelError(f"The file {name!r} in {self.path.name} is larger than it may be.")
        if sha256 is not None and hashlib.sha256(content).hexdigest() != sha256:
            raise ModelError(
                f"The file {name!r} in {self.path.name} is not the one described (sha256 differs)."
            )
        return content

    def find(self, names: tuple[str, ...]) -> str | None:
        """Return the first of `names` that the package holds."""
        if self.path.is_dir():
            return next((name for name in names if (self.path / name).is_file()), None)
        with zipfile.ZipFile(self.path) as package:
            return next((name for name in names if self._root + name in package.NameToInfo), None)

    def _from_folder(self, name: str, most: int) -> bytes | None:
        file = self.path / name
        try:
            inside = file.resolve().is_relative_to(self.path.resolve())
            if not inside or not file.is_file():  # a link may lead out of the package
                return None
            with file.open("rb") as content:
                return content.read(most + 1)
        except OSError as error:
            raise ModelError(f"The file {file} cannot be read: {error.strerror}.") from error

    def _from_zip(self, name: str, most: int) -> bytes | None:
        try:
            with zipfile.ZipFile(self.path) as package:
                if self._root + name not in package.NameToInfo:
                    return None
                with package.open(self._root + name) as content:
                    return content.read(most + 1)
        except (
            zipfile.BadZipFile,
            zlib.error,
            OSError,
            EOFError,
            RuntimeError,
            ValueError,
        ) as error:
            raise ModelError(f"The package {self.path.name} is damaged; get it again.") from error


def _only_folder(path: Path) -> str:
    """Return the folder in which all files of a zip lie, as "name/", "" where they lie side by side."""
    _check_directory(path)
    with zipfile.ZipFile(path) as package:
        tops = {"".join(name.partition("/")[:2]) for name in package.NameToInfo}
    tops.discard("__MACOSX/")
    return tops.pop() if len(tops) == 1 and next(iter(tops)).endswith("/") else ""


def _check_directory(path: Path) -> None:
    """Refuse what is no zip, or whose list of files alone would fill the memory."""
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - (1 << 16) - 42))
        tail = file.read()
    at = tail.rfind(_END)
    if at < 0 or len(tail) < at + 22 or size > 2 * LARGEST or not zipfile.is_zipfile(path):
        raise ModelError(f"{path.name} is no model package: it is neither a folder nor a zip.")
    (listed,) = struct.unpack_from("<I", tail, at + 12)
    if listed > _LARGEST_DIRECTORY or _END_64 in tail:
        raise ModelError(f"The package {path.name} holds too many files for a model.")
    try:
        zipfile.ZipFile(path).close()
    except (zipfile.BadZipFile, ValueError, OSError) as error:
        raise ModelError(f"The package {path.name} is damaged; get it again.") from error


def _check_name(name: str, path: Path) -> None:
    if re.match(r"[a-z]+://", name):
        raise ModelError(
            f"The package {path.name} keeps {name[:80]!r} on the network; download it whole, as a zip."
        )
    parts = PurePosixPath(name).parts
    if len(name) > LONGEST or not name.isprintable():
        raise ModelError(f"The package {path.name} names a file as none is named: {name[:80]!r}.")
    if not parts or ".." in parts or name.startswith("/") or re.search(r"[\\:\x00]", name):
        raise ModelError(f"The package {path.name} names a file outside itself: {name[:80]!r}.")
