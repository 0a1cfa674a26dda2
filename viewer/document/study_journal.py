"""The edits of one slide in a study file: every edit, undo and redo is one transaction."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from segcore.errors import StudyError
from viewer.document import codec
from viewer.document.changes import Edit
from viewer.document.codec import PackedEdit, StoredEdit
from viewer.document.grid import MaskGrid
from viewer.document.journal import State


@dataclass(frozen=True, slots=True)
class Write:
    """An edit, undo or redo on its way to the file."""

    slide: int
    number: int
    done: bool
    packed: PackedEdit
    """What changes the state; of an undo, the inverse."""
    payload: bytes | None
    """A new edit for the journal; None for an undo or redo."""
    time: str

    def run(self, connection: sqlite3.Connection) -> None:
        """Write journal and state; to be called within a transaction. May be repeated."""
        if self.payload is None:
            connection.execute(
                "UPDATE journal SET done = ? WHERE slide = ? AND seq = ?",
                (self.done, self.slide, self.number),
            )
        else:
            connection.execute(
                "DELETE FROM journal WHERE slide = ? AND seq >= ?", (self.slide, self.number)
            )
            connection.execute(
                "INSERT INTO journal VALUES (?, ?, ?, ?, 1, ?)",
                (self.slide, self.number, self.packed.name, self.time, self.payload),
            )
        self._write_annotations(connection)
        self._write_mask(connection)

    def _write_annotations(self, connection: sqlite3.Connection) -> None:
        # The file gives places as `AnnotationStack` does: the next one to an id it has never seen.
        connection.executemany(
            """INSERT INTO annotations VALUES (:slide, :id, (
                   SELECT COALESCE(MAX(z) + 1, 0) FROM annotations WHERE slide = :slide
               ), :data) ON CONFLICT (slide, id) DO UPDATE SET data = excluded.data""",
            (
                {"slide": self.slide, "id": key, "data": after}
                for key, _, after in self.packed.changes
            ),
        )

    def _write_mask(self, connection: sqlite3.Connection) -> None:
        tiles = [(self.slide, x, y, after) for x, y, _, after in self.packed.tiles]
        connection.executemany(
            "DELETE FROM mask_tiles WHERE slide = ? AND tile_column = ? AND tile_row = ?",
            [tile[:3] for tile in tiles if tile[3] is None],
        )
        connection.executemany(
            "INSERT OR REPLACE INTO mask_tiles VALUES (?, ?, ?, ?)",
            [tile for tile in tiles if tile[3] is not None],
        )
        if self.packed.grid is None:
            return
        connection.execute("DELETE FROM mask_grid WHERE slide = ?", (self.slide,))
        if (grid := self.packed.grid[1]) is not None:
            connection.execute(
                "INSERT INTO mask_grid VALUES (?, ?, ?)", (self.slide, grid.scale, grid.mpp)
            )


class Outbox(Protocol):
    """What a journal needs of the study that holds it."""

    def send(self, write: Write) -> None:
        """Write to the file now, or as soon as it can be written. Raises StudyError if never."""
        ...

    def waiting(self) -> Iterator[Write]:
        """Yield what is not in the file yet, the latest first."""
        ...

    def ask(self, query: str, *values: object) -> list[tuple]:
        """Return the rows of a query. Raises StudyError if the file cannot be read."""
        ...


class StudyJournal:
    """A Journal in a study file."""

    def __init__(self, outbox: Outbox, slide: int) -> None:
        self._outbox = outbox
        self._slide = slide

    def load(self) -> State:
        return load_state(self._outbox, self._slide)

    def read(self, number: int) -> Edit:
        return codec.unpack_edit(self._packed(number))

    def record(self, edit: Edit, number: int, stored: StoredEdit | None = None) -> None:
        stored = stored or codec.store_edit(edit)
        self._outbox.send(
            Write(self._slide, number, True, stored.packed, stored.payload, _now())  # noqa: FBT003 (a record's fields in order)
        )

    def mark(self, number: int, *, done: bool) -> Edit:
        packed = self._packed(number)
        edit = codec.unpack_edit(packed)  # before anything is written, as it may be damaged
        self._outbox.send(
            Write(self._slide, number, done, packed if done else packed.inverse(), None, _now())
        )
        return edit

    def _packed(self, number: int) -> PackedEdit:
        for write in self._outbox.waiting():
            if (write.slide, write.number) == (self._slide, number) and write.payload is not None:
                return write.packed
        query = "SELECT payload FROM journal WHERE slide = ? AND seq = ?"
        rows = self._outbox.ask(query, self._slide, number)
        if not rows:
            raise StudyError("The study lacks a step of its history; open a backup copy instead.")
        return codec.decode_edit(rows[0][0])


def load_state(outbox: Outbox, slide: int) -> State:
    """Read the present state of one slide."""
    rows = outbox.ask("SELECT id, data FROM annotations WHERE slide = ? ORDER BY z", slide)
    present = iter(codec.decode_annotations([data for _, data in rows if data is not None]))
    grid = outbox.ask("SELECT scale, mpp FROM mask_grid WHERE slide = ?", slide)
    tiles = outbox.ask("SELECT tile_column, tile_row, data FROM mask_tiles WHERE slide = ?", slide)
    steps = outbox.ask("SELECT name, done FROM journal WHERE slide = ? ORDER BY seq", slide)
    decoded = {(x, y): codec.decode_tile(data) for x, y, data in tiles}
    return State(
        tuple((key, None if data is None else next(present)) for key, data in rows),
        MaskGrid(*grid[0]) if grid else None,
        {key: tile for key, tile in decoded.items() if tile is not None},
        tuple(name for name, _ in steps),
        sum(done for _, done in steps),
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
