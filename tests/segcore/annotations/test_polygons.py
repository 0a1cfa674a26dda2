import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage
from shapely import MultiPolygon, Polygon

from segcore.annotations import LabelMap
from segcore.annotations.polygons import polygons_from_labels
from segcore.annotations.raster import rasterize

MASKS = arrays(
    np.uint8, st.tuples(st.integers(1, 14), st.integers(1, 14)), elements=st.integers(0, 3)
)
FRAMES = st.tuples(
    st.integers(-50, 60_000),
    st.integers(-50, 60_000),
    st.sampled_from([1.0, 0.5 / 0.499, 2.0, 0.4385, 3.7]),
)


def mask(text: str) -> np.ndarray:
    return np.array([[int(each) for each in line] for line in text.split()], np.uint8)


def label_map(labels: np.ndarray, column: int = 0, row: int = 0, scale: float = 1.0) -> LabelMap:
    return LabelMap(labels, column, row, scale, mpp=0.5)


def painted(shapes: list, like: LabelMap) -> np.ndarray:
    return rasterize(
        shapes, shape=like.labels.shape, column=like.column, row=like.row, scale=like.scale
    )


@settings(deadline=None, max_examples=150)
@given(MASKS, FRAMES, st.booleans())
def test_a_mask_comes_back_from_its_polygons(
    labels: np.ndarray,
    frame: tuple[int, int, float],
    merge: bool,  # noqa: FBT001 - given by hypothesis
) -> None:
    given_map = label_map(labels, *frame)
    shapes = polygons_from_labels(given_map, merge=merge)
    rounded = [(code, shapely.transform(each, lambda xy: np.round(xy, 2))) for code, each in shapes]

    assert np.array_equal(painted(shapes, given_map), labels)
    assert np.array_equal(painted(rounded, given_map), labels)  # QuPath keeps two decimals


@settings(deadline=None, max_examples=150)
@given(MASKS)
def test_polygons_are_valid_tile_the_mask_and_are_its_4_connected_regions(
    labels: np.ndarray,
) -> None:
    shapes = polygons_from_labels(label_map(labels))
    polygons = [each for _, each in shapes]
    assert all(each.is_valid for each in polygons)
    assert shapely.coverage_is_valid(polygons)
    for code in range(1, 4):
        regions, count = ndimage.label(labels == code)
        sizes = sorted(np.bincount(regions.ravel())[1:].tolist())
        assert sorted(each.area for at, each in shapes if at == code) == sizes
        assert len(sizes) == count


def test_a_single_pixel_is_a_square_on_its_edges() -> None:
    [(code, polygon)] = polygons_from_labels(
        label_map(mask("000 020"), column=10, row=20, scale=2.0)
    )
    assert code == 2
    assert polygon.equals(shapely.box(22, 42, 24, 44))


def test_a_hole_is_a_hole_and_an_island_in_it_is_a_region() -> None:
    shapes = polygons_from_labels(label_map(mask("11111 10001 10201 10001 11111")))
    assert [code for code, _ in shapes] == [1, 2]
    ring = shapes[0][1]
    assert isinstance(ring, Polygon)
    assert len(ring.interiors) == 1
    assert ring.area == 16
    assert shapes[1][1].equals(shapely.box(2, 2, 3, 3))


@pytest.mark.parametrize("code", [1, 2])
def test_pixels_that_touch_at_a_corner_are_two_regions_in_every_class(code: int) -> None:
    shapes = polygons_from_labels(label_map(mask("10 01") * code))
    assert [at for at, _ in shapes] == [code, code]
    shapes = polygons_from_labels(label_map(mask("12 21")))
    assert [at for at, _ in shapes] == [1, 1, 2, 2]


def test_a_region_that_touches_itself_at_a_corner_is_valid() -> None:
    # The gap at (1, 1) is open to the outside through a corner only: as a hole it is valid, as a bay not.
    [(_, polygon)] = polygons_from_labels(label_map(mask("0110 1011 1111")))
    assert isinstance(polygon, Polygon)
    assert polygon.is_valid
    assert polygon.area == 9
    assert len(polygon.interiors) == 1


def test_neighbours_share_the_vertex_where_three_classes_meet() -> None:
    shapes = polygons_from_labels(label_map(mask("1111 2233")))
    upper = shapes[0][1]
    assert isinstance(upper, Polygon)
    assert (2.0, 1.0) in list(upper.exterior.coords)


def test_merging_gives_one_geometry_for_each_class() -> None:
    shapes = polygons_from_labels(label_map(mask("101 020 101")), merge=True)
    assert [code for code, _ in shapes] == [1, 2]
    assert isinstance(shapes[0][1], MultiPolygon)
    assert shapes[0][1].area == 4
    assert isinstance(shapes[1][1], Polygon)


@pytest.mark.parametrize("shape", [(0, 0), (3, 0), (5, 4)])
def test_a_mask_without_classes_has_no_polygons(shape: tuple[int, int]) -> None:
    given_map = label_map(np.zeros(shape, np.uint8))
    assert polygons_from_labels(given_map) == []
    assert polygons_from_labels(given_map, merge=True) == []


def test_every_class_code_is_kept() -> None:
    labels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    shapes = polygons_from_labels(label_map(labels))
    assert [code for code, _ in shapes] == list(range(1, 256))


def realistic(size: int) -> np.ndarray:
    """Smooth regions of five classes with a sprinkle of single pixels, as a network gives them."""
    rng = np.random.default_rng(0)
    fields = [
        ndimage.zoom(ndimage.gaussian_filter(rng.normal(size=(size // 8,) * 2), 3), 8, order=1)
        for _ in range(6)
    ]
    labels = np.argmax(fields, axis=0).astype(np.uint8)
    sprinkle = rng.random(labels.shape) < 0.002
    labels[sprinkle] = rng.integers(0, 6, sprinkle.sum())
    return labels


def test_a_realistic_mask_of_2048_comes_back_and_tiles_the_plane() -> None:
    given_map = label_map(realistic(2048), column=30_000, row=41_000, scale=0.5 / 0.499)
    shapes = polygons_from_labels(given_map)
    assert np.array_equal(painted(shapes, given_map), given_map.labels)
    assert shapely.coverage_is_valid([each for _, each in shapes])
