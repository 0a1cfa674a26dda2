"""A map over a region: where a network looked, how sure it was, how easily it changes its mind."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

ATTENTION = "Attention, not diagnosis"
"""Stands on everything that shows a map to people."""

Method = Literal["grad_cam", "shap"]
Quantity = Literal["grad_cam", "shap", "entropy", "flips"]

TITLES: dict[Quantity, str] = {
    "grad_cam": "Grad-CAM",
    "shap": "SHAP",
    "entropy": "Uncertainty",
    "flips": "Flips under other stains",
}


@dataclass(frozen=True, eq=False)
class RegionHeat:
    """A number per cell over a rectangle of a slide; NaN outside the region."""

    values: npt.NDArray[np.float32]
    """(h, w): in [-1, 1] where signed, else in [0, 1]."""
    bounds: tuple[float, float, float, float]
    """(left, top, right, bottom) in level-0 pixels; whole cells, so it may reach beyond the region."""
    quantity: Quantity = "grad_cam"
    class_name: str | None = None
    """The class that is explained; None where the map speaks of all classes."""
    one: float = 1.0
    """What a value of 1 stands for, in `unit`."""
    unit: str = ""
    """"bits" of entropy, "of the views" of flips; empty where values compare only within one map."""

    @property
    def signed(self) -> bool:
        """Tell whether values below 0 speak against the class (SHAP)."""
        return self.quantity == "shap"

    @property
    def title(self) -> str:
        """Return what the map shows, for people."""
        about = f" for {self.class_name}" if self.class_name else ""
        return f"{TITLES[self.quantity]}{about}"

    @property
    def cell(self) -> tuple[float, float]:
        """Return the width and height of a cell in level-0 pixels."""
        left, top, right, bottom = self.bounds
        height, width = self.values.shape
        return (right - left) / width, (bottom - top) / height

    def at(self, x: float, y: float) -> float:
        """Return the value under (x, y) in level-0 pixels, NaN outside the region: the probe."""
        column, row = self.place(x, y)
        height, width = self.values.shape
        inside = 0 <= column < width and 0 <= row < height
        return float(self.values[row, column]) if inside else math.nan

    def place(self, x: float, y: float) -> tuple[int, int]:
        """Return (column, row) of the cell under (x, y), which may lie outside the map."""
        width, height = self.cell
        return (
            math.floor((x - self.bounds[0]) / width),
            math.floor((y - self.bounds[1]) / height),
        )
