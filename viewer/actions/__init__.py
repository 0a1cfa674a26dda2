"""Actions: everything a person can do, as one table. Menus, toolbar, shortcuts and the palette are built from it."""

from viewer.actions import (
    analyse,
    beside,
    classes,
    clipboard,
    copies,
    correct,
    counts,
    draw,
    edit,
    exchange,
    explain,
    file,
    guide,
    label,
    look,
    mask,
    measurements,
    model,
    outline,
    picture,
    places,
    projects,
    selection,
    shape,
    table,
    tissue,
    view,
)
from viewer.actions.registry import ACTIONS, Action, action_named, perform

ORDER = (
    file,
    projects,
    exchange,
    measurements,
    edit,
    clipboard,
    picture,
    selection,
    table,
    classes,
    view,
    look,
    places,
    beside,
    label,
    draw,
    shape,
    outline,
    copies,
    model,
    tissue,
    mask,
    correct,
    analyse,
    explain,
    counts,
    guide,
)
"""The modules as their actions stand in menus; a line parts those of one from those of the next."""


def menu_groups() -> list[list[Action]]:
    """Return the actions by module, in the order of menus."""
    return [
        [each for each in ACTIONS.values() if each.run.__module__ == module.__name__]
        for module in ORDER
    ]


__all__ = ["ACTIONS", "Action", "action_named", "menu_groups", "perform"]
