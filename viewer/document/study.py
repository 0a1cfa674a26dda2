import os
import re
import sqlite3
import sys
import unicodedata
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from segcore.config import user_data
from segcore.errors import StudyError
from viewer.document import database
from viewer.document.document import Document
from viewer.document.event import Event
from viewer.document.study_file import StudyFile, make, slide_paths
from viewer.document.study_journal import StudyJournal, Write

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class StudySlide:
    """A slide as its study knows it; sizes are those of level 0."""

    id: int
    path: Path
    """Where it was last seen; `Study.locate` tells where it is."""
    fingerprint: str
    width: int
    height: int
    mpp: float | None
    mpp_source: str | None
    """'file' or 'user'."""


class Study:
    """Slides and all that was done to them, in one SQLite file; every edit is one transaction.

    An edit that the file cannot take now waits in memory, is announced on `trouble`, and is written at
    the next edit or `flush`. A study that somebody else has open is a read-only copy of the moment it
    was opened. To be used from one thread only.
    """

    def __init__(self, file: StudyFile) -> None:
        self._file = file
        self._waiting: deque[Write] = deque()
        self._documents: dict[int, Document] = {}
        self._open = True
        self.trouble: Event[str] = Event()
        self.saved: Event[datetime] = Event()

    @classmethod
    def open(cls, path: Path, *, create: bool = False) -> Self:
        """Open a study, or make it if it is absent and `create` is true.

        Raises StudyError for what is no study, damaged, or of a newer version; the file stays as it is.
        """
        path = path.resolve()  # one lock per file, under whichever name it is opened
        if create and not path.exists():
            make(path)
        return cls(StudyFile.open(path))

    @property
    def path(self) -> Path:
        return self._file.path

    @property
    def read_only(self) -> bool:
        return self._file.lock is None

    @property
    def holder(self) -> str | None:
        """Who else has the study open, as `user@host (process 123)`; None if nobody does."""
        return self._file.holder

    @property
    def unsaved(self) -> int:
        """How many edits wait in memory because the file could not be written."""
        return len(self._waiting)

    def document(self, slide_id: int) -> Document:
        """Return the document of a slide, the same one at every call."""
        if slide_id not in self._documents:
            self._slide(slide_id)
            self._documents[slide_id] = Document(StudyJournal(self, slide_id))
        return self._documents[slide_id]

    def slides(self) -> list[StudySlide]:
        rows = self.ask(
            "SELECT id, absolute, fingerprint, width, height, mpp, mpp_source FROM slides ORDER BY id"
        )
        return [StudySlide(key, Path(os.fsdecode(path)), *rest) for key, path, *rest in rows]

    def add_slide(
        self, path: Path, fingerprint: str, width: int, height: int, mpp: float | None
    ) -> int:
        """Return the id of a slide; one with this fingerprint is known already and stays as it is."""
        if known := self.ask("SELECT id FROM slides WHERE fingerprint = ?", fingerprint):
            return known[0][0]
        self._do(
            "INSERT INTO slides VALUES (NULL, ?, ?, ?, ?, ?, ?, ?)",
            *slide_paths(path, self.path),
            *(fingerprint, width, height, mpp, None if mpp is None else "file"),
        )
        return self.ask("SELECT id FROM slides WHERE fingerprint = ?", fingerprint)[0][0]

    def set_mpp(self, slide_id: int, mpp: float) -> None:
        """Note the micrometres per level-0 pixel that a person gave."""
        self._do("UPDATE slides SET mpp = ?, mpp_source = 'user' WHERE id = ?", mpp, slide_id)

    def locate(self, slide_id: int) -> Path | None:
        """Return where a slide is, seen from the study's folder first; None if it is gone."""
        rows = self.ask("SELECT relative FROM slides WHERE id = ?", slide_id)
        relative = os.fsdecode(rows[0][0]) if rows else ""
        beside = [Path(os.path.normpath(self.path.parent / relative))] if relative else []
        found = (each for each in (*beside, self._slide(slide_id).path) if each.exists())
        return next(found, None)

    def relink(self, slide_id: int, path: Path) -> None:
        """Note that a slide lies somewhere else now."""
        relative, absolute = slide_paths(path, self.path)
        query = "UPDATE slides SET relative = ?, absolute = ? WHERE id = ?"
        self._do(query, relative, absolute, slide_id)

    def record_run(self, slide_id: int, provenance: str) -> int:
        """Keep how a result was made, as JSON; return the number of the run."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._do("INSERT INTO runs VALUES (NULL, ?, ?, ?)", slide_id, now, provenance)
        return self.ask("SELECT max(id) FROM runs")[0][0]

    def runs(self, slide_id: int) -> list[str]:
        """Return the provenance of every run on a slide, the oldest first."""
        rows = self.ask("SELECT provenance FROM runs WHERE slide = ? ORDER BY id", slide_id)
        return [provenance for (provenance,) in rows]

    def get_setting(self, key: str, default: str | None = None) -> str | None:
        rows = self.ask("SELECT value FROM settings WHERE key = ?", key)
        return rows[0][0] if rows else default

    def set_setting(self, key: str, value: str) -> None:
        self._do("INSERT OR REPLACE INTO settings VALUES (?, ?)", key, value)

    def flush(self) -> bool:
        """Write what waits, in order; return whether nothing waits any more."""
        before = len(self._waiting)
        try:
            while self._waiting:
                with database.transaction(self._file.connection):
                    self._waiting[0].run(self._file.connection)
                self._waiting.popleft()
        except sqlite3.Error as error:
            _tell(self.trouble, _trouble(error, len(self._waiting)))
        if len(self._waiting) < before:
            _tell(self.saved, datetime.now(UTC))
        return not self._waiting

    def settle(self) -> None:
        """Move what lies in the write-ahead log into the file itself, so that a copy of it is whole."""
        if not self.read_only:
            self.ask("PRAGMA wal_checkpoint(PASSIVE)")

    def save_as(self, path: Path) -> None:
        """Write the study to `path`, replacing what is there, and go on in that file.

        Raises StudyError if that fails; the study then goes on where it was.
        """
        path = path.resolve()
        if path == self.path and not self.read_only:
            self.flush()
            return
        slides = {each.id: self.locate(each.id) or each.path for each in self.slides()}
        file = self._file.save_as(path, slides)
        self._file.close()
        self._file = file
        self.flush()

    def close(self) -> bool:
        """Write what waits and let the file go; return False if edits were lost with it."""
        if self._open:
            self.flush()
            self._file.close()
            self._open = False
        return not self._waiting

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def send(self, write: Write) -> None:
        """Write an edit, or let it wait if the file cannot be written; for journals."""
        self._check_writeable()
        self._waiting.append(write)
        self.flush()

    def waiting(self) -> Iterator[Write]:
        """Yield what is not in the file yet, the latest first; for journals."""
        return reversed(self._waiting)

    def ask(self, query: str, *values: object) -> list[tuple]:
        """Return the rows of a query."""
        self._check_open()
        try:
            return self._file.connection.execute(query, values).fetchall()
        except (sqlite3.Error, UnicodeDecodeError) as error:
            raise StudyError(f"{self.path} cannot be read: {error}; check the disk.") from error

    def _do(self, statement: str, *values: object) -> None:
        self._check_writeable()
        try:
            with database.transaction(self._file.connection):
                self._file.connection.execute(statement, values)
        except sqlite3.Error as error:
            reason = "the disk is full" if _is_full(error) else error
            raise StudyError(f"{self.path} cannot be written: {reason}; use Save as.") from error

    def _slide(self, slide_id: int) -> StudySlide:
        for slide in self.slides():
            if slide.id == slide_id:
                return slide
        raise StudyError(f"The study {self.path} has no slide number {slide_id}.")

    def _check_open(self) -> None:
        if not self._open:
            raise StudyError(f"The study {self.path} is closed; open it again.")

    def _check_writeable(self) -> None:
        self._check_open()
        if self.read_only:
            why = f"it is open by {self.holder}" if self.holder else "its place is write-protected"
            raise StudyError(
                f"The study {self.path} cannot be changed because {why}; use Save as to go on in a "
                "copy."
            )


def default_study_path(slide_path: Path, fingerprint: str) -> Path:
    """Return where the study of a slide lies that was opened without one."""
    stem = unicodedata.normalize("NFKC", slide_path.stem)
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", stem).strip("-.")[:60] or "slide"
    mark = re.sub(r"[^A-Za-z0-9]", "", fingerprint.rpartition("-")[2])[:12]  # after its size
    return user_data() / "studies" / f"{name}-{mark}.acinus"


def _tell(event: Event[T], value: T) -> None:
    try:
        event.emit(value)
    except Exception as failure:  # noqa: BLE001 (the edit is stored; a listener's fault must not make it look refused)
        sys.excepthook(type(failure), failure, failure.__traceback__)


def _is_full(error: sqlite3.Error) -> bool:
    return (getattr(error, "sqlite_errorcode", 0) & 0xFF) == sqlite3.SQLITE_FULL


def _trouble(error: sqlite3.Error, n: int) -> str:
    edits, they, them = ("1 edit is", "it", "it") if n == 1 else (f"{n} edits are", "they", "them")
    if _is_full(error):
        return f"The disk is full: {edits} not saved yet; free some space and {they} will be saved."
    return (
        f"The study cannot be written ({error}): {edits} not saved yet; use Save as to keep {them}."
    )
