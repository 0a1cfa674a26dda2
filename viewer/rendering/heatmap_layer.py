from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter

from viewer.rendering.viewport import Viewport


@dataclass(frozen=True, eq=False)
class Heatmap:
    """An attention map in [0, 1] over a rectangle of the slide (left, top, right, bottom; level-0)."""

    values: npt.NDArray[np.float32]
    bounds: tuple[float, float, float, float]
    class_name: str


class HeatmapLayer:
    """Paints a heatmap; what is hardly looked at stays clear, so that the tissue can be seen."""

    def __init__(self) -> None:
        self._image: QImage | None = None
        self._bounds = (0.0, 0.0, 0.0, 0.0)

    def show(self, heatmap: Heatmap | None) -> None:
        self._image = None
        if heatmap is not None:
            self._bounds = heatmap.bounds
            self._image = _coloured(heatmap.values)

    def paint(self, painter: QPainter, view: Viewport, opacity: float) -> None:
        if self._image is None:
            return
        left, top, right, bottom = self._bounds
        x0, y0 = view.to_screen(left, top)
        x1, y1 = view.to_screen(right, bottom)
        painter.save()
        painter.setOpacity(opacity)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(QRectF(x0, y0, x1 - x0, y1 - y0), self._image)
        painter.restore()


def heat_colours() -> npt.NDArray[np.uint8]:
    """Return (256, 3): magma, which is even to the eye and safe for colour-blind readers."""
    import pyqtgraph as pg  # noqa: PLC0415 - a quarter of a second that the start need not wait for

    colours = pg.colormap.get("magma")
    if colours is None:
        raise RuntimeError("pyqtgraph came without its magma colour map")
    return np.asarray(colours.getLookupTable(0.0, 1.0, 256), np.uint8)[:, :3]


def _coloured(values: npt.NDArray[np.float32]) -> QImage:
    steps = np.clip(np.nan_to_num(values) * 255, 0, 255).astype(np.uint8)
    height, width = steps.shape
    pixels = np.empty((height, width, 4), np.uint8)
    pixels[..., :3] = heat_colours()[steps]
    # Ramp up to full cover by a third of the scale: low values would only darken the slide.
    pixels[..., 3] = np.clip(steps.astype(np.uint16) * 3, 0, 255).astype(np.uint8)
    image = QImage(pixels.data, width, height, 4 * width, QImage.Format.Format_RGBA8888)
    return image.convertToFormat(QImage.Format.Format_ARGB32_Premultiplied)
