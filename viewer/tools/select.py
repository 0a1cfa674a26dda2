"""What lies under the pointer."""

import shapely

from segcore.annotations import Annotation
from viewer.document import Document


def pick(document: Document, x: float, y: float, reach: float) -> Annotation | None:
    """Return the annotation at level-0 (x, y): one whose edge is within `reach`, else the smallest around it."""
    near = document.spatial.at(x, y, reach)
    point = shapely.Point(x, y)
    by_edge = [each for each in near if shapely.dwithin(each.geometry.boundary, point, reach)]
    return min(by_edge or near, key=lambda each: each.geometry.area, default=None)
