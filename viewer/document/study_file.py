"""A study's file: found to be sound, locked, connected; and the copy that *Save as* makes."""

import errno
import os
import sqlite3
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from segcore.errors import StudyError
from viewer.document import database, schema
from viewer.document.lock import StudyLock, holder


@dataclass(frozen=True, slots=True)
class StudyFile:
    """An open study file; `lock` is None where it is read only, then a copy of how it was."""

    path: Path
    connection: sqlite3.Connection
    lock: StudyLock | None
    holder: str | None
    """Who else has it open."""

    @classmethod
    def open(cls, path: Path) -> Self:
        """Raise StudyError for what is no study, damaged or of a newer version; it stays as it is."""
        schema.check_header(path)
        try:
            lock, held_by = _locked(path)
            try:
                connection = _writeable(path) if lock else _read_only(path)
            except BaseException:
                if lock:
                    lock.release()
                raise
        except (sqlite3.Error, OSError) as error:
            raise StudyError(f"The study {path} cannot be opened: {error}; try again.") from error
        except UnicodeDecodeError as error:  # SQLite's complaint quotes the damaged bytes
            raise schema.damaged(path) from error
        return cls(path, connection, lock, held_by)

    def save_as(self, path: Path, slides: Mapping[int, Path]) -> Self:
        """Write a copy to `path` and open it; `slides` says where the slides lie.

        Raises StudyError if that fails.
        """
        try:
            connection, lock = _copied(self.connection, path, slides)
        except (sqlite3.Error, OSError) as error:
            raise StudyError(
                f"The study cannot be saved as {path}: {error}; choose another place."
            ) from error
        return type(self)(path, connection, lock, None)

    def close(self) -> None:
        with suppress(sqlite3.Error):  # a failing disk: what could be written was
            self.connection.close()
        if self.lock:
            self.lock.release()


def make(path: Path) -> None:
    """Make an empty study where there is none. Raises StudyError if that fails."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = StudyLock.take(path)
        if lock is None:
            return  # another process is making it this very moment
        try:
            if not path.exists():
                schema.create(path)
        finally:
            lock.release()
    except (sqlite3.Error, OSError) as error:
        raise StudyError(
            f"The study {path} cannot be made: {error}; choose another place."
        ) from error


def slide_paths(slide: Path, study: Path) -> tuple[bytes, bytes]:
    """Return a slide's path from the study's folder ('' on another drive) and its absolute one."""
    slide = slide.absolute()
    try:
        relative = Path(os.path.relpath(slide, study.parent)).as_posix()
    except ValueError:
        relative = ""
    return os.fsencode(relative), os.fsencode(slide)


def _locked(path: Path) -> tuple[StudyLock | None, str | None]:
    """Return the lock of a study, or who has it; neither where the place is write-protected."""
    if not os.access(path, os.W_OK):
        return None, None
    try:
        lock = StudyLock.take(path)
    except (PermissionError, FileNotFoundError):
        return None, None
    except OSError as error:
        if error.errno == errno.EROFS:
            return None, None
        raise
    return lock, None if lock else holder(path)


def _writeable(path: Path) -> sqlite3.Connection:
    with closing(_for_checking(path)) as connection:
        schema.check(connection, path)
    connection = database.connect(path, "rw")
    try:
        database.tune(connection, path)
        if (old := schema.version(connection)) < len(schema.MIGRATIONS):
            database.copy_to(connection, path.with_name(f"{path.stem}.version-{old}{path.suffix}"))
            schema.migrate(connection)
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except BaseException:
        connection.close()
        raise
    return connection


def _for_checking(path: Path) -> sqlite3.Connection:
    """Open a study such that looking at it leaves no trace, unless a crash left work to finish."""
    sidecars = [path.with_name(path.name + suffix) for suffix in ("-wal", "-journal")]
    left = [each for each in sidecars if each.exists()]
    if not left:
        schema.check_length(path)
        return database.connect(path, "ro", immutable=True)
    # An unfinished transaction of a rollback journal can only be taken back by a writer.
    return database.connect(path, "rw" if left[0] == sidecars[1] else "ro")


def _read_only(path: Path) -> sqlite3.Connection:
    connection = database.snapshot(path)
    try:
        schema.check(connection, path)
        schema.migrate(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _copied(
    source: sqlite3.Connection, path: Path, slides: Mapping[int, Path]
) -> tuple[sqlite3.Connection, StudyLock]:
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = StudyLock.take(path)
    if lock is None:
        raise StudyError(f"{path} is open by {holder(path)}; choose another name.")
    try:
        database.copy_to(source, path)
        connection = database.connect(path, "rw")
        try:
            database.tune(connection, path)
            with database.transaction(connection):
                connection.executemany(
                    "UPDATE slides SET relative = ?, absolute = ? WHERE id = ?",
                    [(*slide_paths(slide, path), key) for key, slide in slides.items()],
                )
        except BaseException:
            connection.close()
            raise
    except BaseException:
        lock.release()
        raise
    return connection, lock
