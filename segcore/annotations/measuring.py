"""The size and form of annotations, under QuPath's names: in micrometres where the slide has a pixel size."""

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry

from segcore.annotations.labelmap import LabelMap
from segcore.annotations.raster import region_mask
from segcore.annotations.shapes import AREAS, LINES, POINTS
from segcore.annotations.taxonomy import Taxonomy

Column = npt.NDArray[np.float64]


def measure(geometry: BaseGeometry, mpp: float | None) -> dict[str, float]:
    """Return what can be measured of a shape in level-0 pixels; `mpp` is micrometres per pixel, None unknown.

    Areas have "Area µm^2", "Perimeter µm" (that of holes too), "Circularity" and "Num vertices", lines
    "Length µm" and "Num vertices", points "Num points"; all have their centroid. Without `mpp` the units
    are px^2 and px.
    """
    columns = measure_all([geometry], mpp)
    return {name: float(values[0]) for name, values in columns.items() if np.isfinite(values[0])}


def measure_all(geometries: Sequence[BaseGeometry], mpp: float | None) -> dict[str, Column]:
    """Return the measurements of many shapes as columns in a fixed order, NaN where there is none."""
    shapes = np.empty(len(geometries), object)
    shapes[:] = geometries
    pixel, unit = (1.0, "px") if mpp is None else (mpp, "µm")
    kind = np.where(shapely.is_empty(shapes), -1, shapely.get_dimensions(shapes))
    area, length = shapely.area(shapes) * pixel**2, shapely.length(shapes) * pixel
    centre = shapely.bounds(shapely.centroid(shapes)) * pixel  # NaN where there is nothing
    return {
        f"Centroid X {unit}": centre[:, 0],
        f"Centroid Y {unit}": centre[:, 1],
        f"Area {unit}^2": _where(kind == AREAS, area),
        f"Perimeter {unit}": _where(kind == AREAS, length),
        "Circularity": _where(kind == AREAS, _circularity(area, length)),
        f"Length {unit}": _where(kind == LINES, length),
        "Num vertices": _where(kind >= LINES, _vertices(shapes)),
        "Num points": _where(kind == POINTS, shapely.get_num_coordinates(shapes)),
    }


def class_areas(
    geometry: BaseGeometry, masks: Iterable[LabelMap], taxonomy: Taxonomy
) -> dict[str, float]:
    """Return "Tumor area µm^2" and "Tumor %" of each class of the masks in an area, ignored ones left out.

    A pixel is in the area where its centre is; percent are of what is labelled there, and without any
    label there are none. The masks do not overlap.
    """
    counted = {each.code: each.name for each in taxonomy.classes if not each.ignored}
    areas = np.zeros(256)
    for mask in masks:
        areas += np.bincount(_inside(geometry, mask), minlength=256) * mask.mpp**2
    total = sum(areas[code] for code in counted)
    if not total:
        return {}
    sizes = {f"{name} area µm^2": float(areas[code]) for code, name in counted.items()}
    shares = {f"{name} %": float(100 * areas[code] / total) for code, name in counted.items()}
    return sizes | shares


def _inside(geometry: BaseGeometry, mask: LabelMap) -> npt.NDArray[np.uint8]:
    """Return the labels of the pixels in an area; only the part of the mask around it is looked at."""
    if geometry.is_empty:
        return np.empty(0, np.uint8)
    height, width = mask.labels.shape
    left, top, right, bottom = np.array(geometry.bounds) / mask.scale
    columns = np.clip([np.floor(left) - mask.column, np.ceil(right) - mask.column], 0, width)
    rows = np.clip([np.floor(top) - mask.row, np.ceil(bottom) - mask.row], 0, height)
    (first, end), (upper, lower) = columns.astype(int), rows.astype(int)
    frame = {"column": mask.column + int(first), "row": mask.row + int(upper)}
    size = {"width": int(end - first), "height": int(lower - upper)}
    return mask.labels[upper:lower, first:end][
        region_mask(geometry, **frame, **size, scale=mask.scale)
    ]


def _circularity(area: Column, perimeter: Column) -> Column:
    """Return 4πA/P²: 1 of a disc, less of all else."""
    return np.divide(4 * np.pi * area, perimeter**2, out=np.zeros(len(area)), where=perimeter > 0)


def _vertices(shapes: npt.NDArray[np.object_]) -> npt.NDArray[np.int32]:
    """Return how many corners shapes have; the end of a ring is its start and counts once."""
    parts, owner = shapely.get_parts(shapes, return_index=True)
    closed = shapely.get_type_id(parts) == _POLYGON
    rings = np.where(closed, shapely.get_num_interior_rings(parts) + 1, 0)
    repeated = np.bincount(owner, rings, minlength=len(shapes)).astype(np.int32)
    return shapely.get_num_coordinates(shapes) - repeated


def _where(known: npt.NDArray[np.bool_], values: npt.NDArray) -> Column:
    return np.where(known, values, np.nan)


_POLYGON = 3  # shapely's type number
