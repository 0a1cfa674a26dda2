import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import LineString, Point

from viewer.tools.curves import bezier_controls, smooth_ring


def centripetal(p0, p1, p2, p3, share):
    """Return a point of the curve from p1 to p2 by the pyramid of Barry and Goldman, 1988."""
    p0, p1, p2, p3 = (np.array(each, float) for each in (p0, p1, p2, p3))
    t0, t1 = 0.0, np.hypot(*(p1 - p0)) ** 0.5
    t2 = t1 + np.hypot(*(p2 - p1)) ** 0.5
    t3 = t2 + np.hypot(*(p3 - p2)) ** 0.5
    t = t1 + share * (t2 - t1)

    def between(a, b, ta, tb):
        return ((tb - t) * a + (t - ta) * b) / (tb - ta)

    a1, a2, a3 = between(p0, p1, t0, t1), between(p1, p2, t1, t2), between(p2, p3, t2, t3)
    b1, b2 = between(a1, a2, t0, t2), between(a2, a3, t1, t3)
    return between(b1, b2, t1, t2)


def test_half_way_between_equally_spaced_points_the_curve_is_the_known_mean_of_four():
    square = [(0, 0), (16, 0), (16, 16), (0, 16)]

    first = bezier_controls(np.array(square, float))[0]

    # (-P3 + 9 P0 + 9 P1 - P2) / 16; a Bezier curve is there at (1, 3, 3, 1) / 8 of its controls.
    assert np.dot([1, 3, 3, 1], first) / 8 == pytest.approx([8, -2])


spread = st.tuples(st.integers(0, 400), st.integers(0, 400))
corners = st.lists(spread, min_size=3, max_size=8, unique=True)


@settings(deadline=None, max_examples=60)
@given(corners, st.sampled_from([0.1, 0.5, 2.0]))
def test_the_polyline_passes_all_points_and_keeps_to_the_curve_within_the_tolerance(
    points, tolerance
):
    ring = smooth_ring(points, tolerance)

    line = LineString([*ring, ring[0]])
    assert set(ring) >= {(float(x), float(y)) for x, y in points}
    for k in range(len(points)):
        four = [points[(k + step) % len(points)] for step in (-1, 0, 1, 2)]
        for share in np.linspace(0, 1, 41):
            assert line.distance(Point(centripetal(*four, share))) <= tolerance + 1e-6


def test_through_two_points_there_is_no_curve():
    assert smooth_ring([(0, 0), (5, 5)], 0.5) == ((0, 0), (5, 5))


def test_a_point_given_twice_counts_once():
    twice = smooth_ring([(0, 0), (0, 0), (9, 0), (5, 5), (0, 0)], 0.5)

    assert set(twice) == set(smooth_ring([(0, 0), (9, 0), (5, 5)], 0.5))
