"""The session: everything the program holds at one moment, instead of globals.

Every action gets the session; widgets listen to its events. Two ports, `ask` and `tell`, stand for the
person, a third, `view`, for the canvas; tests put fakes there.
"""

from viewer.session.ports import Ask, Tell, View
from viewer.session.session import Session
from viewer.session.workspace import Workspace

__all__ = ["Ask", "Session", "Tell", "View", "Workspace"]
