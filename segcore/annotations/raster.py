"""Polygons as masks: a pixel belongs to a polygon where its centre lies inside."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry

from segcore.annotations.labelmap import Labels
from segcore.errors import AnnotationError

_POLYGON, _MULTIPOLYGON, _COLLECTION = 3, 6, 7


def rasterize(
    shapes: Iterable[tuple[int, BaseGeometry]],
    *,
    shape: tuple[int, int],
    column: int,
    row: int,
    scale: float,
) -> Labels:
    """Paint (class code, geometry in level-0 pixels) in their order into a (h, w) mask, 0 elsewhere.

    (column, row) is the first pixel on the mask grid of `scale` level-0 pixels, as in `LabelMap`. Points
    and lines have no inside and paint nothing. Raises AnnotationError for coordinates that are no numbers.
    """
    labels = np.zeros(shape, np.uint8)
    codes, polygons = _polygons(shapes)
    if len(polygons) and labels.size:
        # numba takes 0.3 s to import, which a window that only shows annotations need not spend.
        from segcore.annotations.scanlines import fill  # noqa: PLC0415

        _, corners, (rings, starts) = shapely.to_ragged_array(polygons, include_z=False)
        if not np.isfinite(corners).all():
            raise AnnotationError(
                "A polygon has coordinates that are no numbers; draw or import it again."
            )
        fill(labels, corners / scale - (column, row), rings, starts, codes)
    return labels


def region_mask(
    geometry: BaseGeometry, *, column: int, row: int, width: int, height: int, scale: float
) -> npt.NDArray[np.bool_]:
    """Return (height, width): whether each pixel's centre lies in `geometry`; the frame is as in `rasterize`."""
    painted = rasterize([(1, geometry)], shape=(height, width), column=column, row=row, scale=scale)
    return painted.view(np.bool_)


def _polygons(
    shapes: Iterable[tuple[int, BaseGeometry]],
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.object_]]:
    """Return the polygons in all geometries, collections included, and the code of each."""
    pairs = list(shapes)
    codes = np.array([code for code, _ in pairs], np.uint8)
    geometries = np.array([geometry for _, geometry in pairs], object)
    while np.isin(shapely.get_type_id(geometries), (_MULTIPOLYGON, _COLLECTION)).any():
        geometries, source = shapely.get_parts(geometries, return_index=True)
        codes = codes[source]
    solid = (shapely.get_type_id(geometries) == _POLYGON) & ~shapely.is_empty(geometries)
    return codes[solid], geometries[solid]
