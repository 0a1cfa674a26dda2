"""Where the program's own resources and the user's data lie."""

import os
import sys
from pathlib import Path


def resources() -> Path:
    """Return the folder of what the program carries: taxonomies, bundles, icons, schemas."""
    packaged = Path(__file__).parent / "_resources"  # in an installed wheel
    return packaged if packaged.is_dir() else Path(__file__).parent.parent / "resources"


def user_data() -> Path:
    """Return the user's data folder (studies, the sample slide, bundles), made if absent.

    `ACINUS_HOME` overrides the platform's usual place.
    """
    if home := os.environ.get("ACINUS_HOME"):
        folder = Path(home)
    elif sys.platform == "win32":
        folder = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData/Local")) / "Acinus"
    elif sys.platform == "darwin":
        folder = Path.home() / "Library/Application Support/Acinus"
    else:
        folder = Path(os.environ.get("XDG_DATA_HOME", Path.home() / ".local/share")) / "acinus"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def user_cache() -> Path:
    """Return the folder of what can be made again (pyramids of large pictures), made if absent."""
    if home := os.environ.get("ACINUS_HOME"):
        folder = Path(home) / "cache"
    elif sys.platform == "win32":
        folder = (
            Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData/Local")) / "Acinus/Cache"
        )
    elif sys.platform == "darwin":
        folder = Path.home() / "Library/Caches/Acinus"
    else:
        folder = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "acinus"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
