from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter

from segcore.annotations import Annotation
from viewer.rendering.viewport import Viewport

if TYPE_CHECKING:
    from segcore.explain import Layer, Readout, RegionHeat

MAPS = {False: "magma", True: "CET-D1A"}
"""Even to the eye and safe for colour-blind readers: one way from nothing, or blue and red from a light middle."""


@dataclass(frozen=True, eq=False)
class Heatmap:
    """A map as it is shown: what it was made of, and how far it may be trusted."""

    heat: "RegionHeat"
    region: Annotation
    model: str
    """Its name or path."""
    layers: "tuple[Layer, ...]" = ()
    """Which layers of the network Grad-CAM can look at; of other maps none."""
    layer: str | None = None
    """At which one it looked."""
    readout: "Readout | None" = None
    """What a check of the map has found."""


class HeatmapLayer:
    """Paints a heatmap; where it has little to say it stays clear, so that the tissue can be seen."""

    def __init__(self) -> None:
        self._image: QImage | None = None
        self._bounds = (0.0, 0.0, 0.0, 0.0)

    def show(self, heatmap: Heatmap | None) -> None:
        self._image = None
        if heatmap is not None:
            self._bounds = heatmap.heat.bounds
            self._image = _coloured(heatmap.heat.values, signed=heatmap.heat.signed)

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


def heat_colours(*, signed: bool = False) -> npt.NDArray[np.uint8]:
    """Return (256, 3): the colours of values from 0 to 1, or from -1 to 1 where they are signed."""
    import pyqtgraph as pg  # noqa: PLC0415 - a quarter of a second that the start need not wait for

    colours = pg.colormap.get(MAPS[signed])
    if colours is None:
        raise RuntimeError(f"pyqtgraph came without its colour map {MAPS[signed]}")
    return np.asarray(colours.getLookupTable(0.0, 1.0, 256), np.uint8)[:, :3]


def reading(heat: "RegionHeat", value: float) -> str:
    """Return a value of a map for people, in its unit."""
    if heat.quantity == "flips":
        return f"{100 * value:.0f} % {heat.unit}"
    if heat.unit:
        return f"{value * heat.one:.2f} {heat.unit}"
    return f"{value:+.2f}" if heat.signed else f"{value:.2f}"


def ends(heat: "RegionHeat") -> tuple[str, str]:
    """Return what stands at the two ends of the colour bar."""
    low, high = reading(heat, -1.0 if heat.signed else 0.0), reading(heat, 1.0)
    return {
        "grad_cam": (f"{low} none", f"{high} most of the region"),
        "shap": (f"{low} against", f"{high} for the class"),
        "entropy": ("0 sure", f"{high}: all alike"),
        "flips": ("0 % steady", f"{high} flip"),
    }[heat.quantity]


def _coloured(values: npt.NDArray[np.float32], *, signed: bool) -> QImage:
    known = np.nan_to_num(values)
    places = (known + 1) / 2 if signed else known
    height, width = values.shape
    pixels = np.empty((height, width, 4), np.uint8)
    pixels[..., :3] = heat_colours(signed=signed)[np.clip(places * 255, 0, 255).astype(np.uint8)]
    # Ramp up to full cover by a third of the scale: low values would only darken the slide.
    pixels[..., 3] = np.clip(np.abs(known) * 3 * 255, 0, 255).astype(np.uint8)
    image = QImage(pixels.data, width, height, 4 * width, QImage.Format.Format_RGBA8888)
    return image.convertToFormat(QImage.Format.Format_ARGB32_Premultiplied)
