"""Masks as polygons: along pixel edges, exact both ways (the way back is `raster.rasterize`)."""

from itertools import groupby

import numpy as np
import shapely
from shapely import MultiPolygon, Polygon

from segcore.annotations.labelmap import LabelMap


def polygons_from_labels(
    labels: LabelMap, *, merge: bool = False
) -> list[tuple[int, Polygon | MultiPolygon]]:
    """Return (class code, polygon) of every 4-connected region, in level-0 pixels, ordered by class.

    With `merge`, one geometry for each class, a MultiPolygon where it has several regions. Pixels of one
    class that touch at a corner only belong to two regions, in every class alike. Holes are holes;
    neighbours share all vertices of their border (`shapely.coverage_is_valid`); rasterised again the
    polygons are the mask. Code 0 is no region.
    """
    # numba takes 0.3 s to import, which a window that only shows annotations need not spend.
    from segcore.annotations.rings import trace_rings  # noqa: PLC0415

    rings = trace_rings(labels.labels)
    corners = (rings.vertices + np.array([labels.column, labels.row])) * labels.scale
    polygons = shapely.from_ragged_array(
        shapely.GeometryType.POLYGON, corners, (rings.rings, rings.regions)
    )
    coded = list(zip(rings.codes.tolist(), polygons.tolist(), strict=True))
    return _merged(coded) if merge else coded


def _merged(coded: list[tuple[int, Polygon]]) -> list[tuple[int, Polygon | MultiPolygon]]:
    merged = []
    for code, group in groupby(coded, key=lambda each: each[0]):
        parts = [polygon for _, polygon in group]
        merged.append((code, parts[0] if len(parts) == 1 else MultiPolygon(parts)))
    return merged
