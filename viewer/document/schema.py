"""The tables of a study file, how they came to be, and how a file is told to be a study."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from segcore.errors import StudyError
from viewer.document import database

APPLICATION_ID = 0x4143494E  # "ACIN"; at byte 68 of the file, where `file` and we look for it

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE slides (
            id INTEGER PRIMARY KEY,
            relative BLOB NOT NULL, -- path from the study's folder with '/', '' on another drive
            absolute BLOB NOT NULL, -- bytes, since file names need not be text
            fingerprint TEXT NOT NULL UNIQUE,
            width INTEGER NOT NULL,
            height INTEGER NOT NULL,
            mpp REAL,
            mpp_source TEXT -- 'file' or 'user'
        ) STRICT""",
        """CREATE TABLE annotations (
            slide INTEGER NOT NULL REFERENCES slides (id),
            id TEXT NOT NULL,
            z INTEGER NOT NULL,
            data BLOB, -- NULL: deleted, but an undo puts it back at its place
            PRIMARY KEY (slide, id),
            UNIQUE (slide, z)
        ) STRICT""",
        """CREATE TABLE mask_tiles (
            slide INTEGER NOT NULL REFERENCES slides (id),
            tile_column INTEGER NOT NULL,
            tile_row INTEGER NOT NULL,
            data BLOB NOT NULL, -- zlib of 256 x 256 class codes
            PRIMARY KEY (slide, tile_column, tile_row)
        ) STRICT""",
        """CREATE TABLE mask_grid (
            slide INTEGER PRIMARY KEY REFERENCES slides (id),
            scale REAL NOT NULL,
            mpp REAL NOT NULL
        ) STRICT""",
        """CREATE TABLE journal (
            slide INTEGER NOT NULL REFERENCES slides (id),
            seq INTEGER NOT NULL, -- from 0 without gaps
            name TEXT NOT NULL,
            time TEXT NOT NULL,
            done INTEGER NOT NULL CHECK (done IN (0, 1)),
            payload BLOB NOT NULL, -- zlib of msgpack: what was before and what is after
            PRIMARY KEY (slide, seq)
        ) STRICT""",
        """CREATE TABLE runs (
            id INTEGER PRIMARY KEY,
            slide INTEGER NOT NULL REFERENCES slides (id),
            time TEXT NOT NULL,
            provenance TEXT NOT NULL -- JSON
        ) STRICT""",
        "CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT",
    ),
)
"""MIGRATIONS[n] turns version n (`user_version`) into n + 1; what was released is never edited."""

_TABLES = {"slides", "annotations", "mask_tiles", "mask_grid", "journal", "runs", "settings"}


def create(path: Path) -> None:
    """Make an empty study; appears whole or not at all. Raises sqlite3.Error or OSError."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    part.unlink(missing_ok=True)
    try:
        with closing(database.connect(part, "rwc")) as connection:
            connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
            migrate(connection)
        database.put_in_place(part, path)
    finally:
        part.unlink(missing_ok=True)


def check_header(path: Path) -> None:
    """Refuse what is no study or a newer one by its first 100 bytes, before SQLite may touch it."""
    try:
        with path.open("rb") as file:
            header = file.read(100)
    except FileNotFoundError:
        raise StudyError(f"There is no study {path}; choose another file.") from None
    except OSError as error:
        reason = error.strerror or error
        raise StudyError(f"The study {path} cannot be read: {reason}; check the file.") from error
    ours = header[68:72] == APPLICATION_ID.to_bytes(4, "big")
    if len(header) < 100 or not header.startswith(b"SQLite format 3\0") or not ours:
        raise StudyError(f"{path} is not an Acinus study; choose a file that ends in .acinus.")
    _refuse_newer(int.from_bytes(header[60:64], "big"), path)


def check_length(path: Path) -> None:
    """Refuse a study that lost its end; true only while no log or journal lies beside it.

    SQLite itself reads zeros in the place of a missing part of the last page.
    """
    with path.open("rb") as file:
        header = file.read(100)
        length = file.seek(0, os.SEEK_END)
    page = int.from_bytes(header[16:18], "big")
    page = 65536 if page == 1 else page
    if length < page * int.from_bytes(header[28:32], "big"):
        raise damaged(path)


def check(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse a damaged study; reads every page."""
    try:
        (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        found = dict(connection.execute("SELECT name, type FROM sqlite_schema"))
    except sqlite3.OperationalError:
        raise  # locked or unreadable: the file itself may be sound
    except (
        sqlite3.DatabaseError,
        UnicodeDecodeError,
    ) as error:  # the latter: a verdict that quotes it
        raise damaged(path) from error
    # Views and triggers are code, and we store none: a file with some was tampered with.
    tampered = {"view", "trigger"} & set(found.values())
    if verdict != "ok" or tampered or not found.keys() >= _TABLES:
        raise damaged(path)
    _refuse_newer(version(connection), path)


def damaged(path: Path) -> StudyError:
    return StudyError(f"The study {path} is damaged; open a backup copy of it instead.")


def version(connection: sqlite3.Connection) -> int:
    return connection.execute("PRAGMA user_version").fetchone()[0]


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the tables to the present version, one transaction per step."""
    for number in range(version(connection), len(MIGRATIONS)):
        with database.transaction(connection):
            for statement in MIGRATIONS[number]:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version={number + 1}")


def _refuse_newer(found: int, path: Path) -> None:
    if found > len(MIGRATIONS):
        raise StudyError(
            f"The study {path} was written by a newer Acinus (format {found}, this one reads "
            f"{len(MIGRATIONS)}); update Acinus to open it."
        )
