"""Actions: everything a person can do, as one table. Menus, toolbar, shortcuts and the palette are built from it."""

from viewer.actions import analyse, edit, file, guide, view  # noqa: F401 - importing them fills the table
from viewer.actions.registry import ACTIONS, Action, action_named, perform

__all__ = ["ACTIONS", "Action", "action_named", "perform"]
