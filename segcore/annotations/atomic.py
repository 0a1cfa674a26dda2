"""Files and folders that are either written whole or not at all."""

import os
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from segcore.errors import ExportError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path` to write to; it becomes `path` when the block ends well.

    What was there before stays untouched until then. Raises ExportError where writing fails.
    """
    temporary = path.with_name(f".{uuid4().hex}.part")
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())  # else a crash may leave the new name on an empty file
        temporary.replace(path)
    except OSError as error:
        raise _not_written(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)


def write_bytes(path: Path, data: bytes) -> None:
    """Write `data` to `path`, whole or not at all; raises ExportError."""
    with replacing(path) as temporary:
        temporary.write_bytes(data)


@contextmanager
def new_folder(path: Path, *, replace: Collection[str] = ()) -> Iterator[Path]:
    """Give a temporary folder beside `path` to fill; it becomes `path` when the block ends well.

    A folder in its place is refused unless it is empty or holds nothing but files named in `replace`,
    which then go. Raises ExportError.
    """
    path = path.absolute()
    temporary = path.with_name(f".{uuid4().hex}.part")
    try:
        _check_place(path, replace)
        temporary.mkdir(parents=True)
        yield temporary
        _put_in_place(temporary, path)
    except OSError as error:
        raise _not_written(path, error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _check_place(path: Path, replace: Collection[str]) -> None:
    if path.exists() and not path.is_dir():
        raise ExportError(f"{path} is a file; choose another folder.")
    there = sorted(each.name for each in path.iterdir()) if path.exists() else []
    if kept := [name for name in there if name not in replace]:
        raise ExportError(
            f"The folder {path} already holds {kept[0]!r}; choose an empty or a new folder."
        )


def _put_in_place(temporary: Path, path: Path) -> None:
    aside = path.with_name(f".{uuid4().hex}.old")
    if path.exists():
        path.rename(aside)
    try:
        temporary.rename(path)
    except OSError:
        if aside.exists():
            aside.rename(path)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def _not_written(path: Path, error: OSError) -> ExportError:
    reason = error.strerror or str(error)
    return ExportError(
        f"{path.name} could not be written: {reason}; choose another folder or free some space."
    )
