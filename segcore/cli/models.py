"""`segcore models`: the networks that can be made and the bundles that can be loaded; import and export."""

import argparse
from typing import Any

from segcore.annotations import load_taxonomy
from segcore.cli import exchange
from segcore.cli.console import Console
from segcore.errors import ModelError


def add_parser(commands: Any) -> None:
    parser: argparse.ArgumentParser = commands.add_parser(
        "models", help="list, import and export networks and bundles", description=__doc__
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=run)
    actions = parser.add_subparsers(title="actions", metavar="ACTION")
    exchange.add_import(actions)
    exchange.add_export(actions)


def run(arguments: argparse.Namespace, console: Console) -> int:  # noqa: ARG001 - every command has both
    rows = _architectures() + _bundles(console) + _packages()
    console.result(rows, _table(rows))
    return 0


def _architectures() -> list[dict[str, Any]]:
    """Return a row for each network, counted with the classes of the taxonomy."""
    from segcore.models import create_model, model_names

    classes = [each.name for each in load_taxonomy().classes]
    return [
        _row(name, "architecture", create_model(name, classes=len(classes)), classes, "Apache-2.0")
        for name in model_names()
    ]


def _bundles(console: Console) -> list[dict[str, Any]]:
    from segcore.models import create_model, list_bundles

    rows = []
    for card in list_bundles():
        kind = card.architecture
        try:
            model = create_model(kind.name, classes=len(card.classes), **kind.arguments)
        except ModelError as error:  # one bad bundle must not hide the others
            console.tell(f"The bundle {card.name!r} is left out: {error}")
            continue
        row = _row(card.name, "bundle", model, list(card.classes), card.licence)
        more = {"title": card.title, "trained": card.trained, "architecture": kind.name}
        if card.classification:
            more["classification"] = list(card.classification.classes)
        rows.append(row | more)
    return rows


def _packages() -> list[dict[str, Any]]:
    """Return a row for each imported package, of whose network only its author knows more."""
    from segcore.models.foreign_models import list_foreign
    from segcore.models.package_answers import read_answers

    return [
        {
            "name": each.path.name,
            "kind": "package",
            "parameters": None,
            "trainable_parameters": None,
            "classes": list(read_answers(each.sha256).classes or each.said_classes),
            "licence": each.licence,
            "title": f"{each.name} ({each.origin})",
            "trained": True,
            "architecture": each.kind,
        }
        for each in list_foreign()
    ]


def _row(name: str, kind: str, model: Any, classes: list[str], licence: str) -> dict[str, Any]:
    from segcore.models import count_parameters

    return {
        "name": name,
        "kind": kind,
        "parameters": count_parameters(model),
        "trainable_parameters": count_parameters(model, trainable=True),
        "classes": classes,
        "licence": licence,
    }


def _table(rows: list[dict[str, Any]]) -> list[str]:
    classes = [", ".join(row["classes"]) for row in rows]
    widths = [max(map(len, each)) for each in (["name", *(row["name"] for row in rows)], classes)]
    lines = [
        f"{'name':{widths[0]}}  kind          parameters   trainable  {'classes':{widths[1]}}  licence"
    ]
    for row, named in zip(rows, classes, strict=True):
        counts = "  ".join(
            f"{'?' if row[key] is None else format(row[key], ',')!s:>10}"
            for key in ("parameters", "trainable_parameters")
        )
        note = "" if row.get("trained", True) else "  (untrained)"
        lines.append(
            f"{row['name']:{widths[0]}}  {row['kind']:12}  {counts}  {named:{widths[1]}}  {row['licence']}{note}"
        )
    return lines
