"""Actions: everything a person can do, as one table. Menus, toolbar, shortcuts and the palette are built from it."""

from viewer.actions import (  # noqa: F401 - importing them fills the table
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

__all__ = ["ACTIONS", "Action", "action_named", "perform"]
