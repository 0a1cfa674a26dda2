"""What a gesture may see of the slide: its pixels, and what the model makes of them."""

from collections.abc import Callable

import numpy as np

from segcore.slides import Slide
from segcore.slides.base import Rgb, read_scaled
from viewer.jobs.models import Models
from viewer.tools import Probabilities

WINDOW = 384
"""Pixels of the model's own size along a side of what it looks at: about 0.2 s on two cores."""


class SlideTissue:
    """Pixels and probabilities of one slide; the last window that the model saw is kept."""

    def __init__(self, slide: Slide, models: Models, model: Callable[[], str]) -> None:
        self._slide = slide
        self._models = models
        self._model = model
        self._last: tuple[str, Probabilities] | None = None

    def pixels(self, left: float, top: float, side: int, scale: float) -> Rgb:
        """Return (side, side, 3) from level-0 (left, top); white outside. Raises SlideError."""
        return read_scaled(self._slide, left=left, top=top, scale=scale, width=side, height=side)

    def probabilities(self, x: float, y: float) -> Probabilities | None:
        """Return those of the window around level-0 (x, y); None until the model is loaded."""
        name = self._model()
        bundle = self._models.loaded(name)
        if bundle is None or self._slide.mpp is None:
            return None
        if self._last is not None and self._last[0] == name and _holds(self._last[1], x, y):
            return self._last[1]
        scale = bundle.mpp / self._slide.mpp
        left, top = x - WINDOW / 2 * scale, y - WINDOW / 2 * scale
        tile = self.pixels(left, top, WINDOW, scale)
        values = bundle.predict(tile[np.newaxis])[0]
        found = Probabilities(values, bundle.codes, bundle.classes, left, top, scale)
        self._last = name, found
        return found


def _holds(window: Probabilities, x: float, y: float) -> bool:
    """Tell whether (x, y) lies well inside a window."""
    column, row = (x - window.left) / window.scale, (y - window.top) / window.scale
    margin = WINDOW / 4
    return margin <= column <= WINDOW - margin and margin <= row <= WINDOW - margin
