"""Who trains and who tests: cases are divided, never tiles, so that no case is on both sides."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from segcore.data.manifest import Row
from segcore.errors import DataError

SEED = 42
CLASS_STRATUM = "class"
"""The stratum of a case is the rarest class that it shows."""


def split_cases(
    cases: Iterable[str],
    ratios: Mapping[str, float],
    *,
    seed: int = SEED,
    strata: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Return the part of each case: `ratios` names the parts and their shares of the cases.

    Every part gets at least one case. With `strata` (case to stratum) each stratum is divided alike. The
    order of `cases` does not matter. Raises DataError where there are fewer cases than parts.
    """
    names = sorted(set(cases))
    parts = [part for part, share in ratios.items() if share > 0]
    if len(names) < len(parts):
        raise DataError(
            f"{len(parts)} parts need as many cases, and there are {len(names)}; ask for fewer parts."
        )
    shares = np.array([ratios[part] for part in parts], float)
    order = _by_stratum(names, strata or {}, np.random.default_rng(seed))
    chosen = _dealt(len(order), shares / shares.sum())
    return {case: parts[part] for case, part in zip(order, chosen, strict=True)}


def fold_cases(
    cases: Iterable[str],
    folds: int,
    *,
    seed: int = SEED,
    strata: Mapping[str, str] | None = None,
) -> dict[str, int]:
    """Return the fold (0 to `folds` - 1) of each case, as `split_cases` with equal shares."""
    ratios = {str(fold): 1.0 for fold in range(folds)}
    return {
        case: int(fold)
        for case, fold in split_cases(cases, ratios, seed=seed, strata=strata).items()
    }


def _by_stratum(names: list[str], strata: Mapping[str, str], rng: np.random.Generator) -> list[str]:
    """Return the cases shuffled within their strata, one stratum after another."""
    shuffled = [names[at] for at in rng.permutation(len(names)).tolist()]
    return sorted(shuffled, key=lambda case: strata.get(case, ""))


def _dealt(count: int, shares: np.ndarray) -> list[int]:
    """Deal `count` cases in turn, each to the part that is furthest behind its share; none stays empty."""
    have = np.zeros(len(shares))
    chosen = []
    for dealt in range(1, count + 1):
        part = int(np.argmax(shares * dealt - have))
        have[part] += 1
        chosen.append(part)
    for empty in np.flatnonzero(have == 0):
        fullest = int(np.argmax(have))
        chosen[len(chosen) - 1 - chosen[::-1].index(fullest)] = int(empty)
        have[fullest] -= 1
        have[empty] += 1
    return chosen


def strata_of(rows: Sequence[Row], column: str) -> dict[str, str]:
    """Return the stratum of each case: the value of `column` that most of its rows have.

    `CLASS_STRATUM` stands for the rarest class that the case shows, by the manifest's pixel counts. Raises
    DataError where the rows have no such column.
    """
    if column == CLASS_STRATUM:
        return _rarest_class(rows)
    if rows and column not in rows[0]:
        raise DataError(
            f"The manifest has no column {column!r} to stratify by; choose one of {', '.join(rows[0])}."
        )
    values: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        values[row["case"]][row[column]] += 1
    return {case: min(seen, key=lambda each: (-seen[each], each)) for case, seen in values.items()}


def _rarest_class(rows: Sequence[Row]) -> dict[str, str]:
    shown: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        shown[row["case"]] |= {name for name in class_columns(row) if row[name] not in {"", "0"}}
    cases_with = Counter(name for names in shown.values() for name in names)
    return {
        case: min(names, key=lambda each: (cases_with[each], each), default="")
        for case, names in shown.items()
    }


def class_columns(row: Row) -> list[str]:
    """Return the columns of a manifest that count pixels of a class: those with a capital letter."""
    return [name for name in row if name[:1].isupper()]


def with_splits(
    rows: Sequence[Row],
    ratios: Mapping[str, float],
    *,
    seed: int = SEED,
    stratify: str | None = None,
) -> list[Row]:
    """Return a manifest's rows with new splits, by case, and without folds."""
    strata = strata_of(rows, stratify) if stratify else None
    parts = split_cases((row["case"] for row in rows), ratios, seed=seed, strata=strata)
    return [_without_fold(row) | {"split": parts[row["case"]]} for row in rows]


def with_folds(
    rows: Sequence[Row], folds: int, *, seed: int = SEED, stratify: str | None = None
) -> list[Row]:
    """Return a manifest's rows with folds, by case; cases with a row in the split "test" stay apart."""
    apart = {row["case"] for row in rows if row["split"] == "test"}
    others = [row for row in rows if row["case"] not in apart]
    strata = strata_of(others, stratify) if stratify else None
    chosen = fold_cases((row["case"] for row in others), folds, seed=seed, strata=strata)
    return [{**row, "fold": str(chosen.get(row["case"], ""))} for row in rows]


def _without_fold(row: Row) -> dict[str, str]:
    return {name: value for name, value in row.items() if name != "fold"}
