"""What a data set holds, counted from its files, and what is wrong with it."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from segcore.annotations import Taxonomy, load_taxonomy
from segcore.data.building import JOURNAL
from segcore.data.manifest import Row, image_of, mask_of, mpp_of, read_manifest
from segcore.data.pictures import read_codes, read_picture, same_size
from segcore.errors import DataError
from segcore.progress import Report, silent


@dataclass
class Tally:
    """Counts of some of the pictures."""

    pictures: int = 0
    classes: Counter[str] = field(default_factory=Counter)
    """Mask pixels by class; 0 is "Unlabelled"."""
    labels: Counter[str] = field(default_factory=Counter)
    """Pictures by label."""

    def add(self, other: "Tally") -> None:
        self.pictures += other.pictures
        self.classes.update(other.classes)
        self.labels.update(other.labels)


@dataclass(frozen=True)
class Inspection:
    cases: dict[tuple[str, str], Tally]
    """By part (a split, or a fold) and case."""
    problems: list[str]
    """A sentence for each thing that is wrong."""

    def parts(self) -> dict[str, Tally]:
        """Return the counts of each part."""
        totals: dict[str, Tally] = defaultdict(Tally)
        for (part, _), tally in self.cases.items():
            totals[part].add(tally)
        return dict(totals)

    def cases_of(self, part: str) -> int:
        return sum(each == part for each, _ in self.cases)


def part_of(row: Row) -> str:
    """Return the split of a row, or its fold where it has one."""
    return f"fold {row['fold']}" if row.get("fold") else row["split"]


def inspect(folder: Path, *, report: Report = silent) -> Inspection:
    """Read every picture and mask of a data set, one at a time; raises DataError where there is no manifest."""
    if (folder / JOURNAL).is_file():
        raise DataError(f"{folder} is not finished; give the command that makes it once more.")
    rows = read_manifest(folder)
    taxonomy = load_taxonomy()
    cases: dict[tuple[str, str], Tally] = defaultdict(Tally)
    problems = [*_crossing(rows), *_twice(rows), *_strays(folder, rows)]
    for at, row in enumerate(rows):
        report(at / len(rows), f"{at} of {len(rows)} pictures")
        try:
            cases[part_of(row), row["case"]].add(_counted(folder, row, taxonomy))
        except DataError as error:
            problems.append(str(error))
    report(1.0, f"{len(rows)} pictures")
    return Inspection(dict(cases), problems)


def _counted(folder: Path, row: Row, taxonomy: Taxonomy) -> Tally:
    """Return the counts of one picture; raises DataError where something is wrong with it."""
    mpp_of(row)
    name, label = row["file"], row.get("label", "")
    image, mask = read_picture(image_of(folder, name)), mask_of(folder, name)
    tally = Tally(1, labels=Counter([label] if label else []))
    if not mask.is_file():
        if not label:
            raise DataError(f"{name} has neither a mask nor a label.")
        return tally
    codes = read_codes(mask)
    same_size(name, image, codes)
    counts = np.bincount(codes.ravel(), minlength=256)
    names = {0: "Unlabelled"} | {each.code: each.name for each in taxonomy.classes}
    if unknown := [int(code) for code in np.flatnonzero(counts) if code not in names]:
        raise DataError(f"The mask of {name} has the value {unknown[0]}, which is no class.")
    tally.classes.update({names[code]: int(n) for code, n in enumerate(counts) if n})
    return tally


def _crossing(rows: Sequence[Row]) -> Iterable[str]:
    parts: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        parts[row["case"]].add(part_of(row))
    for case, found in parts.items():
        if len(found) > 1:
            yield f"The case {case} is in {' and in '.join(sorted(found))}; split by case again."


def _twice(rows: Sequence[Row]) -> Iterable[str]:
    times = Counter(row["file"] for row in rows)
    for name, count in times.items():
        if count > 1:
            yield f"{name} has {count} rows in the manifest."


def _strays(folder: Path, rows: Sequence[Row]) -> Iterable[str]:
    """Tell of files that the manifest does not name."""
    images = {row["file"] for row in rows}
    masks = {f"{Path(name).stem}.png" for name in images}
    for place, known in (("images", images), ("labels", masks)):
        there = (each.name for each in (folder / place).glob("*") if not each.name.startswith("."))
        strays = sorted(set(there) - known)
        if strays:
            yield f"{len(strays)} files in {place} are not in the manifest, the first {strays[0]}."
