"""How long work tells its progress and learns that nobody wants it any more."""

from typing import Protocol


class Cancelled(Exception):  # noqa: N818 - not an error: the wish of the user
    """Raised by a `Report` inside the work when the user has cancelled it."""


class Report(Protocol):
    """Called by long work, often; raises `Cancelled` when the work should stop."""

    def __call__(self, fraction: float, text: str = "") -> None:
        """Tell that `fraction` (0 to 1) is done; `text` says what is being done now."""


def silent(fraction: float, text: str = "") -> None:
    """Report to nobody."""


def share(report: Report, done: int, total: int) -> Report:
    """Return a report for one of `total` equal parts of the work, `done` of which lie behind."""

    def part(fraction: float, text: str = "") -> None:
        report((done + fraction) / total, text)

    return part
