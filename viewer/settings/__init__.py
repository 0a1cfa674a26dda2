"""Settings: what the program remembers between runs, apart from studies. Only what differs from the default is stored."""

from viewer.settings.store import SETTINGS, Setting, Settings

__all__ = ["SETTINGS", "Setting", "Settings"]
