import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Setting:
    key: str
    default: Any
    title: str


SETTINGS: tuple[Setting, ...] = (
    Setting("theme", "dark", "Colours of the window: dark or light"),
    Setting("recent", [], "Slides opened last, newest first"),
    Setting("model", "default", "Name or path of the model that segments"),
    Setting("colour.managed", default=True, title="Slides are shown by their colour profile"),
    Setting("mask.opacity", 0.45, "Opacity of the class mask"),
    Setting("mask.hatched", default=False, title="Hatches on the class mask, beside colours"),
    Setting("heatmap.opacity", 0.6, "Opacity of the heatmap"),
    Setting("explain.layer", "", "Layer that Grad-CAM looks at; empty for the usual one"),
    Setting("refine.alpha", 0.99, "Reach of the label propagation"),
    Setting("refine.sigma", 0.1, "How strong an edge in colour stops the label propagation"),
    Setting("spread.strength", 300.0, "How many pixels' opinion a pixel of a stroke outweighs"),
    Setting("brush.size", 50.0, "Brush diameter in screen pixels"),
    Setting("paint.on", "mask", "What brush, eraser and wand change: mask or annotations"),
    Setting("shape.simplify", 1.0, "Detail that simplifying takes away, in micrometres"),
    Setting("shape.smooth", 5.0, "How far smoothing moves an outline at most, in micrometres"),
    Setting("shape.expand", 50.0, "By how much annotations expand or shrink, in micrometres"),
    Setting("tile_cache_mb", 384, "Memory for slide tiles, in megabytes"),
    Setting("export.format", "geojson", "Format of the last export of annotations"),
    Setting("export.annotations", "all", "Which were exported last: all, selected or none"),
    Setting(
        "export.mask", default=True, title="The areas of the mask are exported with annotations"
    ),
    Setting("export.frames", {}, "Frame of the last export in each format: bounds or full"),
    Setting("folder.exports", "", "Where the last file was exported to"),
    Setting("window.geometry", "", "Where the window was"),
)
RECENT_LIMIT = 10


class Settings:
    """The user's settings, kept in one JSON file that is replaced whole."""

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self._defaults = {each.key: each.default for each in SETTINGS}
        self._values: dict[str, Any] = {}
        self.damaged: str | None = None
        """One sentence if the stored file could not be read and defaults are used instead."""
        if file is not None and file.is_file():
            self._load(file)

    def __getitem__(self, key: str) -> Any:
        return self._values.get(key, self._defaults[key])

    def __setitem__(self, key: str, value: Any) -> None:
        if self[key] == value:
            return
        if value == self._defaults[key]:
            self._values.pop(key, None)
        else:
            self._values[key] = value
        self._save()

    def remember(self, path: Path) -> None:
        """Put `path` first among the recent slides."""
        others = [each for each in self["recent"] if each != str(path)]
        self["recent"] = [str(path), *others][:RECENT_LIMIT]

    def _load(self, file: Path) -> None:
        try:
            stored = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            self.damaged = f"The settings in {file} could not be read ({error}); defaults are used."
            return
        kept = stored.items() if isinstance(stored, dict) else ()
        self._values = {
            key: value
            for key, value in kept
            if key in self._defaults and _alike(value, self._defaults[key])
        }

    def _save(self) -> None:
        if self._file is None:
            return
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self._file.parent, prefix=".settings-")
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                json.dump(self._values, stream, indent=1)
            Path(name).replace(self._file)
        except OSError as error:
            self.damaged = f"The settings could not be saved to {self._file} ({error})."


def _alike(value: Any, default: Any) -> bool:
    numbers = (int, float)
    return isinstance(value, type(default)) or (
        isinstance(value, numbers) and isinstance(default, numbers)
    )
