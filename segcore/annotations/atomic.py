"""A file that is either written whole or not at all."""

import os
from collections.abc import Iterator
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
        reason = error.strerror or str(error)
        raise ExportError(
            f"{path.name} could not be written: {reason}; choose another folder or free some space."
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def write_bytes(path: Path, data: bytes) -> None:
    """Write `data` to `path`, whole or not at all; raises ExportError."""
    with replacing(path) as temporary:
        temporary.write_bytes(data)
