"""Building a data set: case after case into one folder, so that a killed run goes on where it was.

While it is built, a journal in the folder says which cases are finished; `manifest.csv` and `dataset.json`
appear when all are. A case is written again unless its line is in the journal, so that nothing half-written
is ever in the manifest.
"""

import hashlib
import json
import os
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from segcore.annotations import Taxonomy, load_taxonomy
from segcore.annotations.atomic import write_bytes
from segcore.data.cases import Case, Cut, Part
from segcore.data.manifest import Row, image_of, mask_of, write_manifest
from segcore.data.pictures import PictureFormat, write_codes, write_picture
from segcore.errors import AcinusError, DataError, ExportError
from segcore.progress import Report, silent

Divide = Callable[[Sequence[Row]], list[Row]]

JOURNAL, RECORD = "building.jsonl", "dataset.json"


@dataclass(frozen=True)
class Built:
    """What became of a foreign data set."""

    pictures: int
    cases: int
    left_out: dict[str, list[str]] = field(default_factory=dict)
    """Sentences by the file names of what they are about, see `file_names`."""


class _Done(msgspec.Struct):
    """A line of the journal: a case that is done with."""

    name: str
    rows: list[dict[str, str]] = []
    left_out: list[str] = []
    failed: bool = False


@dataclass(frozen=True)
class _Target:
    """Where pictures go, and how."""

    folder: Path
    cut: Cut
    picture: PictureFormat
    taxonomy: Taxonomy


def build(
    cases: Sequence[Case],
    out: Path,
    cut: Cut,
    *,
    settings: Mapping[str, Any],
    picture: PictureFormat = "png",
    divide: Divide = list,
    report: Report = silent,
) -> Built:
    """Write all cases into `out`, going on with a run of the same `settings`; returns what was done.

    `divide` gives the rows of the finished manifest their splits; without it they keep their own. A case
    that cannot be used is left out and listed. Raises ExportError where `out` holds something else or cannot
    be written, DataError where no case could be used.
    """
    record = _record(cases, {**settings, **asdict(cut), "picture": picture})
    if (before := _finished(out, record)) is not None:
        return before
    done = {each.name: each for each in _begin(out, record)}
    target = _Target(out, cut, picture, load_taxonomy())
    for at, (case, name) in enumerate(zip(cases, file_names(cases), strict=True)):
        tell = partial(report, at / len(cases))
        tell(f"{at} of {len(cases)}: {case.title}")
        if name not in done:
            done[name] = _written(case, name, target, tell)
            _append(out / JOURNAL, done[name])
    report(1.0, f"{len(cases)} of {len(cases)}")
    in_order = [done[name] for name in file_names(cases)]
    return _finish(out, record, in_order, divide)


def _record(cases: Sequence[Case], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return what two runs must have in common for one to go on with the other, as JSON gives it back."""
    names = "\n".join(each.name for each in cases).encode()
    document = {
        "format": "acinus-dataset-1",
        "cases": hashlib.sha256(names).hexdigest(),
        **settings,
    }
    return json.loads(json.dumps(document))


def _written(case: Case, name: str, target: _Target, tell: Callable[[str], None]) -> _Done:
    """Write the pictures of one case, telling how many there are."""
    done = _Done(name)
    try:
        for part in case.parts(target.cut, done.left_out.append):
            place = f"_x{part.x:.0f}_y{part.y:.0f}" if target.cut.tile else ""
            file = f"{name}{place}.{target.picture}"
            write_picture(target.folder / "images" / file, part.image)
            if part.codes is not None:
                mask = target.folder / "labels" / f"{name}{place}.png"
                write_codes(mask, part.codes, target.taxonomy)
            done.rows.append(_row(case, file, part, target.taxonomy))
            tell(f"{case.title}, {len(done.rows)} pictures")
    except ExportError:
        raise
    except AcinusError as error:
        _remove(done, target.folder)
        return _Done(name, [], [*done.left_out, str(error)], failed=True)
    if not done.rows:
        done.left_out.append("No tile of it is wanted.")
    return done


def _remove(done: _Done, folder: Path) -> None:
    """Remove the pictures of a case that failed after them."""
    for row in done.rows:
        image_of(folder, row["file"]).unlink(missing_ok=True)
        mask_of(folder, row["file"]).unlink(missing_ok=True)


def _row(case: Case, file: str, part: Part, taxonomy: Taxonomy) -> dict[str, str]:
    height, width = part.image.shape[:2]
    row = {
        "file": file,
        "case": case.case,
        "source": case.source,
        "mpp": f"{part.mpp:g}",
        "split": case.split,
        "label": part.label,
        "x": f"{part.x:.10g}",
        "y": f"{part.y:.10g}",
        "width": str(width),
        "height": str(height),
    }
    if part.codes is None:
        return row
    counts = np.bincount(part.codes.ravel(), minlength=256)
    return row | {each.name: str(counts[each.code]) for each in taxonomy.classes}


def file_names(cases: Sequence[Case]) -> list[str]:
    """Return a file name for each case that any file system takes, no two alike even without case."""
    plain = [re.sub(r"[^\w.+-]+", "-", each.name, flags=re.ASCII).strip("-.") for each in cases]
    times = Counter(each.lower() for each in plain)
    return [
        f"{name or 'picture'}-{at}" if times[name.lower()] > 1 or not name else name
        for at, name in enumerate(plain)
    ]


def _finished(out: Path, record: dict[str, Any]) -> Built | None:
    """Return what an earlier run with the same settings has built, None where there is none."""
    if not (out / RECORD).is_file():
        return None
    try:
        before = msgspec.json.decode((out / RECORD).read_bytes(), type=dict[str, Any])
        built = msgspec.convert(before.pop("built"), Built)
    except (OSError, msgspec.MsgspecError, KeyError) as error:
        raise ExportError(f"{out / RECORD} is damaged; choose a new folder.") from error
    if {key: before.get(key) for key in record} != record:
        raise ExportError(f"{out} already holds another data set; choose a new folder.")
    return built


def _begin(out: Path, record: dict[str, Any]) -> list[_Done]:
    """Make the folders and the journal, or return what the journal of a killed run says is finished."""
    journal = out / JOURNAL
    try:
        if journal.is_file():
            return _resumed(out, journal.read_bytes(), record)
        if out.exists() and any(out.iterdir()):
            raise ExportError(f"The folder {out} is not empty; choose an empty or a new folder.")
        for name in ("images", "labels"):
            (out / name).mkdir(parents=True, exist_ok=True)
        write_bytes(journal, msgspec.json.encode(record) + b"\n")
    except OSError as error:
        raise ExportError(
            f"{out} cannot be written: {error.strerror}; choose another folder."
        ) from error
    return []


def _resumed(out: Path, journal: bytes, record: dict[str, Any]) -> list[_Done]:
    """Return the finished cases; what a kill cut short, and what failed, is tried again."""
    lines = journal[: journal.rfind(b"\n") + 1].splitlines()
    try:
        before = msgspec.json.decode(lines[0]) if lines else None
        done = [msgspec.json.decode(line, type=_Done) for line in lines[1:]]
    except msgspec.MsgspecError as error:
        raise ExportError(f"{out / JOURNAL} is damaged; choose a new folder.") from error
    if before != record:
        raise ExportError(
            f"The data set in {out} was begun with other settings; give the same ones, or a new folder."
        )
    for cut_short in out.glob("*/.*.part"):
        cut_short.unlink()
    write_bytes(out / JOURNAL, b"".join(line + b"\n" for line in lines))
    return [each for each in done if not each.failed]


def _append(journal: Path, done: _Done) -> None:
    try:
        with journal.open("ab") as file:
            file.write(msgspec.json.encode(done) + b"\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise ExportError(
            f"{journal.parent} cannot be written: {error.strerror}; free some space and go on."
        ) from error


def _finish(out: Path, record: dict[str, Any], done: Sequence[_Done], divide: Divide) -> Built:
    taxonomy = load_taxonomy()
    rows: list[Row] = [row for each in done for row in each.rows]
    left_out = {each.name: each.left_out for each in done if each.left_out}
    if not rows:
        reasons = [sentence for sentences in left_out.values() for sentence in sentences]
        first = f"the first: {reasons[0]}" if reasons else "give the data set's own folder."
        raise DataError(f"None of {len(done)} pictures or slides could be used; {first}")
    built = Built(len(rows), len({row["case"] for row in rows}), left_out)
    write_manifest(out, divide(rows))
    classes = {each.name: each.code for each in taxonomy.classes}
    program = {"program": f"Acinus {version('acinus')}", "taxonomy": taxonomy.name}
    document = {**record, **program, "classes": classes, "built": asdict(built)}
    write_bytes(out / RECORD, json.dumps(document, indent=1).encode())
    (out / JOURNAL).unlink()
    return built
