"""Smooth curves through given points."""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from viewer.tools.base import Point

Floats = npt.NDArray[np.float64]


def smooth_ring(points: Sequence[Point], tolerance: float) -> tuple[Point, ...]:
    """Return the closed centripetal Catmull-Rom curve through `points` as a polyline `tolerance` near to it.

    Every point that differs from the one before is a vertex; of fewer than three there is no curve, and they
    are returned as they are. The centripetal kind makes no loops where points lie unevenly (Yuksel,
    Schaefer and Keyser, Parameterization and applications of Catmull-Rom curves, 2011).
    """
    corners = np.array(points, float).reshape(-1, 2)
    corners = corners[(corners != np.roll(corners, 1, 0)).any(1)]
    if len(corners) < 3:
        return tuple(points)
    ring = [
        each
        for control in bezier_controls(corners)
        for each in _sampled(control, tolerance)[:-1].tolist()
    ]
    return tuple((x, y) for x, y in ring)


def bezier_controls(corners: Floats) -> Floats:
    """Return (n, 4, 2), for each of (n, 2) corners the Bezier curve from it to the next one of the ring.

    Equation 9 of the paper, with the parameter of the centripetal kind.
    """
    before, after = np.roll(corners, 1, 0), np.roll(corners, -1, 0)
    beyond = np.roll(corners, -2, 0)
    d2 = np.sqrt(np.hypot(*(after - corners).T))[:, None]
    d1, d3 = np.roll(d2, 1, 0), np.roll(d2, -1, 0)
    first = _control(before, corners, after, d1, d2)
    second = _control(beyond, after, corners, d3, d2)
    return np.stack([corners, first, second, after], 1)


def _control(aside: Floats, near: Floats, far: Floats, d1: Floats, d2: Floats) -> Floats:
    whole = d1**2 * far - d2**2 * aside + (2 * d1**2 + 3 * d1 * d2 + d2**2) * near
    return whole / (3 * d1 * (d1 + d2))


def _sampled(control: Floats, tolerance: float) -> Floats:
    """Return points of a Bezier curve, as many as it takes.

    A chord of step h lies within h^2 / 8 times the largest second derivative of the curve, and that of a
    cubic is 6 times the larger second difference of its controls.
    """
    bend = np.hypot(*np.diff(control, 2, axis=0).T).max()
    steps = max(1, math.ceil(math.sqrt(6 / 8 * bend / tolerance)))
    t = np.linspace(0, 1, steps + 1)[:, None]
    weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3)
    return np.sum([w * p for w, p in zip(weights, control, strict=True)], axis=0)
