"""Annotations, tiles and edits as bytes, and back without the loss of a bit."""

import json
import zlib
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import shapely
from shapely.errors import ShapelyError
from shapely.geometry.base import BaseGeometry

from segcore.annotations import Annotation
from segcore.annotations.labelmap import Labels
from segcore.errors import StudyError
from segcore.progress import Report, silent
from viewer.document.changes import Change, Edit, GridChange, TileChange
from viewer.document.grid import MASK_TILE, MaskGrid

_TILE_BYTES = MASK_TILE * MASK_TILE
_LARGEST_EDIT = 2**31 - 1  # bytes unpacked; what claims more was not written by us
_FAST = 1  # zlib level: masks shrink 50-fold at any level, and the brush waits for it
_OFTEN = 1000  # changes between two reports
_DAMAGED = "The study is damaged: {what} cannot be read; open a backup copy instead."


class PackedAnnotation(msgspec.Struct, array_like=True, frozen=True):
    """The stored form of an annotation; new fields come last and have defaults."""

    geometry: bytes
    id: str
    class_name: str | None
    name: str | None
    locked: bool
    kind: str
    ellipse: bool
    colour: tuple[int, int, int] | None
    measurements: dict[str, float]
    metadata: dict[str, str]
    extra: str
    """JSON by the standard library, which knows NaN and whole numbers of any size; '' if empty."""


class PackedEdit(msgspec.Struct, array_like=True, frozen=True):
    """The stored form of an edit: every part with what was before and what is after."""

    name: str
    changes: list[tuple[str, bytes | None, bytes | None]]
    tiles: list[tuple[int, int, bytes | None, bytes | None]]
    grid: tuple[MaskGrid | None, MaskGrid | None] | None = None

    def inverse(self) -> "PackedEdit":
        return PackedEdit(
            self.name,
            [(key, after, before) for key, before, after in reversed(self.changes)],
            [(x, y, after, before) for x, y, before, after in reversed(self.tiles)],
            self.grid and (self.grid[1], self.grid[0]),
        )


_ANNOTATION = msgspec.msgpack.Decoder(PackedAnnotation)
_EDIT = msgspec.msgpack.Decoder(PackedEdit)


def encode_annotation(annotation: Annotation) -> bytes:
    """Return an annotation as msgpack around its WKB.

    `extra` must hold JSON values. Raises StudyError for what could not be read back.
    """
    return _encoded(annotation, _wkb([annotation.geometry])[0])


def _encoded(annotation: Annotation, wkb: bytes) -> bytes:
    try:
        data = msgspec.msgpack.encode(_packed_annotation(annotation, wkb))
        _ANNOTATION.decode(data)  # values of a wrong type must fail now, not at the next start
    except (TypeError, ValueError, OverflowError, RecursionError, msgspec.MsgspecError) as error:
        name = annotation.name or annotation.id
        raise StudyError(
            f"The annotation {name!r} cannot be stored ({error}); remove what is unusual about it."
        ) from error
    return data


def _packed_annotation(annotation: Annotation, wkb: bytes) -> PackedAnnotation:
    return PackedAnnotation(
        wkb,
        annotation.id,
        annotation.class_name,
        annotation.name,
        annotation.locked,
        annotation.kind,
        annotation.ellipse,
        annotation.colour,
        {key: float(value) for key, value in annotation.measurements.items()},
        annotation.metadata,
        json.dumps(annotation.extra) if annotation.extra else "",
    )


def decode_annotations(data: Sequence[bytes]) -> list[Annotation]:
    """Read many annotations at once, which is several times faster than one by one."""
    try:
        packed = [_ANNOTATION.decode(each) for each in data]
        geometries: list[Any] = list(shapely.from_wkb([each.geometry for each in packed]))
        return [_unpacked(*each) for each in zip(packed, geometries, strict=True)]
    except (msgspec.MsgspecError, ShapelyError, ValueError, RecursionError) as error:
        raise StudyError(_DAMAGED.format(what="an annotation")) from error


def _unpacked(packed: PackedAnnotation, geometry: BaseGeometry) -> Annotation:
    return Annotation(
        geometry,
        packed.class_name,
        packed.name,
        packed.locked,
        packed.kind,
        packed.ellipse,
        packed.colour,
        packed.measurements,
        packed.metadata,
        json.loads(packed.extra) if packed.extra else {},
        packed.id,
    )


def same_annotation(one: Annotation | None, other: Annotation | None) -> bool:
    """Whether two annotations are equal to the last bit; NaN equals NaN here."""
    if one is other:
        return True
    if one is None or other is None:
        return False
    return one == other or encode_annotation(one) == encode_annotation(other)


def encode_tile(tile: Labels | None) -> bytes | None:
    return None if tile is None else zlib.compress(tile.tobytes(), _FAST)


def decode_tile(data: bytes | None) -> Labels | None:
    """Return (256, 256) uint8, read-only."""
    if data is None:
        return None
    flat = _decompressed(data, limit=_TILE_BYTES, what="a mask tile")
    if len(flat) != _TILE_BYTES:
        raise StudyError(_DAMAGED.format(what="a mask tile"))
    return np.frombuffer(flat, np.uint8).reshape(MASK_TILE, MASK_TILE)


def pack_edit(edit: Edit, report: Report = silent) -> PackedEdit:
    of, changes = len(edit.changes), []
    for start in range(0, of, _OFTEN):
        report(start / of, f"{start:,} of {of:,} annotations")
        changes += _packed_changes(edit.changes[start : start + _OFTEN])
    return PackedEdit(
        edit.name,
        changes,
        [(*each.key, encode_tile(each.before), encode_tile(each.after)) for each in edit.tiles],
        edit.grid and (edit.grid.before, edit.grid.after),
    )


def _packed_changes(changes: Sequence[Change]) -> list[tuple[str, bytes | None, bytes | None]]:
    both = [each for change in changes for each in (change.before, change.after)]
    geometries = [None if each is None else each.geometry for each in both]
    data = [
        None if each is None else _encoded(each, wkb)
        for each, wkb in zip(both, _wkb(geometries), strict=True)
    ]
    return list(zip([each.id for each in changes], data[::2], data[1::2], strict=True))


def unpack_edit(packed: PackedEdit) -> Edit:
    stored = [data for _, *both in packed.changes for data in both if data is not None]
    found = iter(decode_annotations(stored))
    try:
        return Edit(
            packed.name,
            tuple(
                Change(
                    None if before is None else next(found), None if after is None else next(found)
                )
                for _, before, after in packed.changes
            ),
            tuple(
                TileChange((x, y), decode_tile(before), decode_tile(after))
                for x, y, before, after in packed.tiles
            ),
            packed.grid and GridChange(*packed.grid),
        )
    except ValueError as error:
        raise StudyError(_DAMAGED.format(what="an edit")) from error


def encode_edit(packed: PackedEdit) -> bytes:
    try:
        return zlib.compress(msgspec.msgpack.encode(packed), _FAST)
    except UnicodeEncodeError as error:
        raise StudyError(f"The edit {packed.name!r} has a name that is not text.") from error


class StoredEdit(msgspec.Struct, frozen=True):
    """An edit as a journal keeps it; made beforehand, on a thread, where there is much of it."""

    packed: PackedEdit
    payload: bytes


def store_edit(edit: Edit, *, report: Report = silent) -> StoredEdit:
    packed = pack_edit(edit, report)
    return StoredEdit(packed, encode_edit(packed))


def decode_edit(data: bytes) -> PackedEdit:
    try:
        return _EDIT.decode(_decompressed(data, limit=_LARGEST_EDIT, what="an edit"))
    except msgspec.MsgspecError as error:
        raise StudyError(_DAMAGED.format(what="an edit")) from error


def _wkb(geometries: Sequence[BaseGeometry | None]) -> list[bytes]:
    """Return many at once, which is several times faster than one by one; None gives None."""
    # Extended WKB keeps a third and fourth coordinate and the reference system, whatever came in.
    array = np.empty(len(geometries), object)
    array[:] = geometries
    found = shapely.to_wkb(array, output_dimension=4, include_srid=True, flavor="extended")
    return found.tolist()


def _decompressed(data: bytes, *, limit: int, what: str) -> bytes:
    """Decompress at most `limit` bytes, since a damaged or malicious blob may claim any number."""
    stream = zlib.decompressobj()
    try:
        flat = stream.decompress(data, limit)
        more = b"" if stream.eof else stream.decompress(stream.unconsumed_tail, 1)
    except zlib.error as error:
        raise StudyError(_DAMAGED.format(what=what)) from error
    if more or not stream.eof:
        raise StudyError(_DAMAGED.format(what=what))
    return flat
