"""Actions: everything a person can do, as one table. Menus, toolbar, shortcuts and the palette are built from it."""

from viewer.actions import (
    analyse,
    beside,
    edit,
    file,
    guide,
    look,
    model,
    picture,
    places,
    view,
)
from viewer.actions.registry import ACTIONS, Action, action_named, perform

ORDER = (file, picture, edit, view, look, places, beside, model, analyse, guide)
"""The modules as their actions stand in menus; a line parts those of one from those of the next."""


def menu_groups() -> list[list[Action]]:
    """Return the actions by module, in the order of menus."""
    return [
        [each for each in ACTIONS.values() if each.run.__module__ == module.__name__]
        for module in ORDER
    ]


__all__ = ["ACTIONS", "Action", "action_named", "menu_groups", "perform"]
