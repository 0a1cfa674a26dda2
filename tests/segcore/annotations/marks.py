"""Slides and annotations that the tests of formats share."""

import numpy as np
import shapely
from hypothesis import strategies as st

from segcore.annotations import Annotation
from segcore.slides import ArraySlide
from segcore.slides.base import Glass

SIZE = (400, 300)


def slide(bounds=None, name="case 1.ndpi"):
    """Return a slide for which every format can be written."""
    made = ArraySlide(np.zeros((SIZE[1], SIZE[0], 3), np.uint8), mpp=0.25, path=name)
    made.glass = Glass(12_538_720.0, -96_063.0, 0.2281, 0.2279)
    made.bounds = bounds or made.bounds
    return made


def areas(annotations):
    """Return the area of each class, shapes that overlap counted twice."""
    found = {}
    for each in annotations:
        found[each.class_name] = found.get(each.class_name, 0) + each.geometry.area
    return found


@st.composite
def outlines(draw):
    """Return a polygon on the slide, with a hole in it in half of the cases."""
    x, y = draw(st.integers(50, 340)), draw(st.integers(50, 240))
    radii = draw(st.lists(st.floats(12, 40), min_size=4, max_size=9))
    angles = np.linspace(0, 2 * np.pi, len(radii), endpoint=False)
    shell = np.stack([x + np.cos(angles) * radii, y + np.sin(angles) * radii], 1)
    hole = np.array([[x - 3, y - 3], [x + 3, y - 3], [x, y + 4]])
    return shapely.Polygon(shell, [hole] if draw(st.booleans()) else []).buffer(0)


NAMES = st.sampled_from([None, "Tumor", "Stroma", "Nerve", "Nerve: Große", 'a & <b> "c"'])


@st.composite
def annotations(draw):
    shapes = st.one_of(
        outlines(),
        st.lists(outlines(), min_size=2, max_size=2).map(shapely.union_all),
        st.tuples(st.integers(0, 399), st.integers(0, 299)).map(shapely.Point),
        st.just(shapely.LineString([(1, 2), (30.5, 40.25), (60, 2)])),
    )
    drawn = st.builds(
        Annotation, shapes, class_name=NAMES, name=st.sampled_from([None, "one", "zwei"])
    )
    return draw(st.lists(drawn, min_size=1, max_size=5))
