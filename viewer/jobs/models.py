"""The bundles loaded so far. torch is imported only inside these calls, which run on job threads."""

import contextlib
import json
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segcore.config import resources, user_data
from segcore.errors import AcinusError

if TYPE_CHECKING:
    from segcore.inference import RunCache
    from segcore.models import Bundle


class Models:
    """Loads each bundle once; safe from several jobs."""

    def __init__(self) -> None:
        self._bundles: dict[str, Bundle] = {}
        self._lock = threading.Lock()
        self._runs: RunCache | None = None

    @property
    def runs(self) -> "RunCache":
        """What was predicted lately, tile by tile, so that nothing is predicted twice; for jobs only."""
        from segcore.inference import RunCache  # noqa: PLC0415 - torch takes a second to import

        with self._lock:
            if self._runs is None:
                self._runs = RunCache()
            return self._runs

    def get(self, name: str | Path = "default") -> "Bundle":
        """Return the bundle, loading it the first time. Raises ModelError."""
        from segcore.models import load_bundle  # noqa: PLC0415 - torch takes a second to import

        with self._lock:
            if str(name) not in self._bundles:
                self._bundles[str(name)] = load_bundle(name)
            return self._bundles[str(name)]

    def loaded(self, name: str | Path = "default") -> "Bundle | None":
        """Return the bundle where it is loaded already; never waits."""
        return self._bundles.get(str(name))

    def prepare(self, name: str | Path = "default") -> None:
        """Import the engine and load a bundle before they are wanted; what is wrong is told when they are."""
        from segcore import inference, refinement  # noqa: F401, PLC0415 - loading them is the purpose

        with contextlib.suppress(AcinusError):
            self.get(name)


def read_card(name: str) -> dict[str, Any] | None:
    """Return the card of a bundle without loading it (and torch), None where there is none to read."""
    folders = (Path(name), user_data() / "models" / name, resources() / "models" / name)
    file = next(
        (each / "bundle.json" for each in folders if (each / "bundle.json").is_file()), None
    )
    try:
        card = json.loads(file.read_text(encoding="utf-8")) if file is not None else None
    except (OSError, ValueError):  # whoever loads the bundle will say so
        return None
    return card if isinstance(card, dict) else None
