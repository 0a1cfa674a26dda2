import difflib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from segcore.errors import AcinusError
from viewer.session import Session

Verb = Callable[[Session], Any]
Test = Callable[[Session], bool]


@dataclass(frozen=True, slots=True)
class Action:
    """Something a person can do. Its help is the docstring of the function that does it."""

    name: str
    title: str
    run: Verb
    menu: str
    """Where it stands: a menu, or one within it as in "View/Turn"."""
    shortcut: str
    icon: str
    enabled: Test
    checked: Test | None
    why_not: str
    """What to do first, shown where the action is disabled."""

    @property
    def help(self) -> str:
        return (self.run.__doc__ or "").strip().split("\n")[0]


ACTIONS: dict[str, Action] = {}


def always(_: Session) -> bool:
    return True


def has_slide(session: Session) -> bool:
    return session.workspace is not None


def has_mask(session: Session) -> bool:
    return session.workspace is not None and bool(session.workspace.document.mask.tiles)


def has_selection(session: Session) -> bool:
    return session.workspace is not None and bool(session.workspace.selection)


def action(
    name: str,
    title: str,
    *,
    menu: str,
    shortcut: str = "",
    icon: str = "",
    enabled: Test = always,
    checked: Test | None = None,
    why_not: str = "Open a slide first.",
) -> Callable[[Verb], Verb]:
    """Put a function into the table of actions."""

    def register(run: Verb) -> Verb:
        ACTIONS[name] = Action(name, title, run, menu, shortcut, icon, enabled, checked, why_not)
        return run

    return register


def perform(each: Action, session: Session) -> None:
    """Do an action, or tell why it cannot be done."""
    if not each.enabled(session):
        session.tell.info(each.why_not)
        return
    try:
        each.run(session)
    except AcinusError as error:
        session.tell.error(str(error))


def action_named(name: str) -> Action:
    """Return an action by its name; raises KeyError that names the nearest ones."""
    if name not in ACTIONS:
        near = difflib.get_close_matches(name, ACTIONS, 3) or sorted(ACTIONS)
        raise KeyError(f"There is no action {name!r}; there are {', '.join(near)}.")
    return ACTIONS[name]
