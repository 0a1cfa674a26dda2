"""What is asked about a model of another program before it is used, and what a person answers."""

from dataclasses import dataclass
from pathlib import Path

from segcore.config import resources, user_data
from segcore.progress import Report


@dataclass(frozen=True, slots=True)
class PackageQuestion:
    """A package that leaves something open, or that needs to be trusted."""

    path: Path
    name: str
    origin: str
    """What it is, as "bioimage.io package"."""
    authors: tuple[str, ...]
    licence: str
    runs_program: bool
    """Its network is a program and has to be trusted."""
    asks_mpp: bool
    channels: tuple[str, ...]
    """What its channels are called ("" where they have no name); empty where their classes are known."""
    proposals: tuple[str, ...]
    """The class that each channel's name suggests, "" where it suggests none."""


@dataclass(frozen=True, slots=True)
class PackageAnswer:
    trusted: bool
    mpp: float | None
    classes: tuple[str, ...]
    """One for each channel; the channel's own name where its pixels are to stay unlabelled."""


def look_into(name: str, report: Report) -> PackageQuestion | None:
    """Return what must be asked before the model of that name or path is used; None where nothing.

    Nothing of it is run. Raises ModelError.
    """
    report(0.0, "reading the package")
    from segcore.models.foreign_models import find_foreign, inspect_foreign  # noqa: PLC0415 - torch takes a second
    from segcore.models.package_answers import read_answers  # noqa: PLC0415 - likewise

    path = find_foreign(name)
    if path is None:
        return None
    foreign = inspect_foreign(path)
    kept = read_answers(foreign.sha256)
    ask_mpp = foreign.said_mpp is None and kept.mpp is None
    ask_classes = not foreign.known and not kept.classes
    ask_trust = foreign.runs_program and not kept.trusted
    if not (ask_mpp or ask_classes or ask_trust):
        return None
    names = foreign.said_classes or ("",) * foreign.channels
    return PackageQuestion(
        path=path,
        name=foreign.name,
        origin=foreign.origin,
        authors=foreign.authors,
        licence=foreign.licence,
        runs_program=ask_trust,
        asks_mpp=ask_mpp,
        channels=names if ask_classes else (),
        proposals=foreign.proposals() if ask_classes else (),
    )


def keep_answer(path: Path, answer: PackageAnswer) -> None:
    """Remember what was said about the package's weights. Raises ModelError, ExportError."""
    from segcore.models.foreign_models import inspect_foreign  # noqa: PLC0415 - torch takes a second
    from segcore.models.package_answers import Answers, keep_answers  # noqa: PLC0415 - likewise

    said = Answers(trusted=answer.trusted, mpp=answer.mpp, classes=answer.classes)
    keep_answers(inspect_foreign(path).sha256, said)


def installed_models() -> tuple[str, ...]:
    """Return the names under which models lie in the user's folder and the program's own, that one first."""
    folders = (resources() / "models", user_data() / "models")
    found = [each.name for folder in folders for each in sorted(folder.glob("[!.]*/"))]
    return tuple(dict.fromkeys(name for name in found))
