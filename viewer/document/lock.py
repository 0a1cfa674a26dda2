"""Who writes a study: a lock the operating system drops with the process that held it."""

import getpass
import os
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Self

_FAR = 1 << 30
"""Where Windows locks: a locked byte cannot be read by others, and the holder's name must be."""


class StudyLock:
    """The right to write one study, held from `take` until `release` or the end of the process.

    A file beside the study says who holds it. The file itself is no lock: after a crash it may lie
    there, held by nobody.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path = path
        self._descriptor: int | None = descriptor

    @classmethod
    def take(cls, study: Path) -> Self | None:
        """Return the lock of a study, or None if another holds it.

        Raises OSError where the folder cannot be written or its file system knows no locks.
        """
        path = _beside(study)
        while True:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o644)
            try:
                if not _locked(descriptor):
                    os.close(descriptor)
                    return None
                if _is_at(descriptor, path):
                    _sign(descriptor)
                    return cls(path, descriptor)
            except BaseException:
                os.close(descriptor)
                raise
            os.close(descriptor)  # its former holder removed this file meanwhile: try the new one

    def release(self) -> None:
        """Give the study free and remove the file."""
        if self._descriptor is None:
            return
        remove: Callable[[], None] = self._path.unlink
        with suppress(OSError):  # Windows removes no open file; a file left behind does no harm
            remove()
        os.close(self._descriptor)
        self._descriptor = None
        if sys.platform == "win32":
            with suppress(OSError):
                remove()


def holder(study: Path) -> str:
    """Return who last took the lock of a study, as `user@host (process 123)`."""
    try:
        text = _beside(study).read_bytes()[:200].decode("utf-8", "replace").strip()
    except OSError:
        text = ""
    who, _, process = text.partition(" ")
    return f"{who} (process {process})" if who and process.isdigit() else "another program"


def _beside(study: Path) -> Path:
    return study.with_name(f"{study.name}.lock")


def _sign(descriptor: int) -> None:
    with suppress(OSError):  # on a full disk the lock holds all the same, only without a name
        os.ftruncate(descriptor, 0)
        os.lseek(descriptor, 0, os.SEEK_SET)
        os.write(descriptor, f"{_user()}@{socket.gethostname()} {os.getpid()}\n".encode())


def _user() -> str:
    try:
        return getpass.getuser().replace(" ", "_")
    except (OSError, KeyError, ImportError):  # no account is known for this user number
        return "somebody"


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


if sys.platform == "win32":
    import msvcrt

    def _locked(descriptor: int) -> bool:
        os.lseek(descriptor, _FAR, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except PermissionError:
            return False
        return True

else:
    import fcntl

    def _locked(descriptor: int) -> bool:
        # flock, not lockf: the latter is lost as soon as this process closes any handle of the file.
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
