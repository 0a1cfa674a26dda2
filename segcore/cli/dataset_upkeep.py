"""`segcore dataset split` and `segcore dataset check`: who trains and who tests, and whether all is sound."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segcore.annotations import load_taxonomy
from segcore.cli.console import Console

if TYPE_CHECKING:
    from segcore.data.checking import Inspection, Tally

PARTS = ("train", "val", "test")
_TOLD = 20


def add_parsers(verbs: Any) -> None:
    _add_split(verbs)
    _add_check(verbs)


def _add_split(verbs: Any) -> None:
    parser: argparse.ArgumentParser = verbs.add_parser(
        "split",
        help="divide the cases of a made folder into train, val and test, or into folds",
        description="Write the column split, or fold, of the manifest anew. Cases are divided, never pictures.",
    )
    parser.add_argument("folder", type=Path, metavar="DIR", help="a folder with manifest.csv")
    ways = parser.add_mutually_exclusive_group(required=True)
    ways.add_argument(
        "--ratios", type=_ratios, metavar="8:1:1", help="train, val and test, or train and val"
    )
    ways.add_argument(
        "--folds", type=_folds, metavar="K", help="for cross-validation; the split test stays apart"
    )
    parser.add_argument("--seed", type=int, default=42, metavar="N", help="another draw (42)")
    parser.add_argument(
        "--stratify", metavar="COLUMN",
        help="divide each value alike: label, source, ..., or class (the rarest that a case shows)",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=run_split)


def _add_check(verbs: Any) -> None:
    parser: argparse.ArgumentParser = verbs.add_parser(
        "check",
        help="count classes, cases and splits of a made folder, and find what is wrong",
        description="Read every picture and mask. The exit code is 1 where something is wrong.",
    )
    parser.add_argument("folder", type=Path, metavar="DIR", help="a folder with manifest.csv")
    parser.add_argument("--cases", action="store_true", help="a row for each case")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=run_check)


def _ratios(text: str) -> dict[str, float]:
    try:
        shares = [float(each) for each in text.split(":")]
    except ValueError:
        shares = []
    if not 2 <= len(shares) <= len(PARTS) or not all(0 < each < 1e9 for each in shares):
        raise argparse.ArgumentTypeError(f"{text!r} are no ratios; give 8:1:1 or 8:2")
    return dict(zip(PARTS, shares, strict=False))


def _folds(text: str) -> int:
    if not text.isdecimal() or not 2 <= int(text) <= 100:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of folds; give 2 to 100")
    return int(text)


def run_split(arguments: argparse.Namespace, console: Console) -> int:
    from segcore.data.checking import part_of
    from segcore.data.manifest import read_manifest, write_manifest
    from segcore.data.splits import with_folds, with_splits

    rows = read_manifest(arguments.folder)
    how = {"seed": arguments.seed, "stratify": arguments.stratify}
    if arguments.folds:
        rows = with_folds(rows, arguments.folds, **how)
    else:
        rows = with_splits(rows, arguments.ratios, **how)
    write_manifest(arguments.folder, rows)
    parts = sorted({part_of(row) for row in rows})
    counts = {
        part: {
            "cases": len({row["case"] for row in rows if part_of(row) == part}),
            "pictures": sum(part_of(row) == part for row in rows),
        }
        for part in parts
    }
    lines = [
        f"{part:8} {count['cases']:5} cases {count['pictures']:7} pictures"
        for part, count in counts.items()
    ]
    console.result({"folder": str(arguments.folder), "parts": counts}, lines)
    return 0


def run_check(arguments: argparse.Namespace, console: Console) -> int:
    from segcore.data.checking import inspect

    with console.progress("Checking") as report:
        found = inspect(arguments.folder, report=report)
    console.result(_document(found), _table(found, cases=arguments.cases))
    for sentence in found.problems[:_TOLD]:
        console.tell(sentence)
    if len(found.problems) > _TOLD:
        console.tell(f"And {len(found.problems) - _TOLD} more; --json has them all.")
    return 1 if found.problems else 0


def _document(found: "Inspection") -> dict[str, Any]:
    parts = {
        part: {"cases": found.cases_of(part), **_counts(tally)}
        for part, tally in found.parts().items()
    }
    cases = [
        {"part": part, "case": case, **_counts(tally)}
        for (part, case), tally in found.cases.items()
    ]
    return {"parts": parts, "cases": cases, "problems": found.problems}


def _counts(tally: "Tally") -> dict[str, Any]:
    return {
        "pictures": tally.pictures,
        "classes": dict(tally.classes),
        "labels": dict(tally.labels),
    }


def _table(found: "Inspection", *, cases: bool) -> list[str]:
    """Return a line for each part, or each case: counts, shares of the labelled pixels, labels."""
    from segcore.data.checking import Tally

    names = [each.name for each in load_taxonomy().classes]
    wide = max([8, *(len(case) for _, case in found.cases)]) if cases else 5
    lines = [
        f"{'part':8} {'case' if cases else 'cases':>{wide}} {'pictures':>9}"
        + "".join(f"{name:>12}" for name in names)
    ]
    total = Tally()
    for part, tally in sorted(found.parts().items()):
        total.add(tally)
        if cases:
            mine = {case: each for (where, case), each in found.cases.items() if where == part}
            lines += [_line(part, f"{case:>{wide}}", each, names) for case, each in mine.items()]
        else:
            lines.append(_line(part, f"{found.cases_of(part):{wide}}", tally, names))
    count = len({case for _, case in found.cases})
    lines.append(_line("all", f"{count:{wide}}", total, names))
    return lines


def _line(part: str, case: str, tally: "Tally", names: list[str]) -> str:
    labelled = sum(tally.classes[name] for name in names)
    shares = "".join(
        f"{tally.classes[name] / labelled:12.1%}" if labelled else f"{'-':>12}" for name in names
    )
    labels = ", ".join(f"{name} {count}" for name, count in sorted(tally.labels.items()))
    return f"{part:8} {case} {tally.pictures:9}{shares}{f'  {labels}' if labels else ''}"
