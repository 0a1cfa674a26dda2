from pathlib import Path

import numpy as np
import openslide
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st

from segcore.annotations import LabelMap, load_taxonomy
from segcore.annotations.masks import _Part, read_mask, write_mask
from segcore.errors import AnnotationError, ExportError
from segcore.slides import ArraySlide, Level, open_slide


def slide_of(width: int, height: int, mpp: float | None = None) -> ArraySlide:
    """Return a slide that claims a size, however large; its pixels are never read."""
    slide = ArraySlide(np.zeros((1, 1, 3), np.uint8), mpp=mpp)
    slide.levels = (Level(width, height, 1.0),)
    return slide


def some_labels(height: int, width: int, seed: int = 0) -> np.ndarray:
    labels = np.kron(
        np.random.default_rng(seed).integers(0, 6, (height // 8, width // 8)), np.ones((8, 8))
    ).astype(np.uint8)
    labels[0, :], labels[:, 0], labels[-1, :], labels[:, -1] = 1, 2, 3, 4  # nothing to trim
    return labels


@pytest.mark.parametrize(("column", "row"), [(0, 0), (511, 512), (513, 1023), (100, 57)])
def test_a_mask_comes_back_in_its_place(tmp_path: Path, column: int, row: int) -> None:
    labels = LabelMap(some_labels(640, 720), column, row, 2.004, 0.5)
    write_mask(tmp_path / "mask.ome.tif", labels, slide_of(4001, 3999), load_taxonomy())

    again = read_mask(tmp_path / "mask.ome.tif")

    assert np.array_equal(again.labels, labels.labels)
    assert (again.column, again.row, again.scale, again.mpp) == (column, row, 2.004, 0.5)
    whole = tifffile.imread(tmp_path / "mask.ome.tif")
    assert whole.shape == (1996, 1997)  # the whole slide, rounded up
    assert np.array_equal(whole[row : row + 640, column : column + 720], labels.labels)
    assert np.count_nonzero(whole) == np.count_nonzero(labels.labels)


def test_other_programs_open_a_mask(tmp_path: Path) -> None:
    path = tmp_path / "mask.ome.tif"
    labels = LabelMap(some_labels(640, 720), 100, 57, 2.0, 0.5)
    write_mask(path, labels, slide_of(4000, 3000), load_taxonomy())

    with openslide.OpenSlide(path) as slide:
        assert slide.dimensions == (2000, 1500)
        red = np.asarray(slide.read_region((100, 57), 0, (720, 640)))[..., 0]
    assert np.array_equal(red, labels.labels)
    with open_slide(path) as ours:
        assert ours.mpp == pytest.approx(0.5)
    with tifffile.TiffFile(path) as file:
        assert file.is_ome
        assert [each.shape for each in file.series[0].levels] == [
            (1500, 2000),
            (750, 1000),
            (375, 500),
        ]
        assert 'PhysicalSizeX="0.5"' in (file.ome_metadata or "")
        assert "Lymphocyte" in (file.ome_metadata or "")


@settings(deadline=None, max_examples=60)
@given(
    st.integers(0, 9), st.integers(0, 9), st.integers(1, 9), st.integers(1, 9), st.integers(0, 99)
)
def test_a_coarser_level_holds_the_most_frequent_of_four(
    column: int, row: int, height: int, width: int, seed: int
) -> None:
    labels = np.random.default_rng(seed).integers(0, 4, (height, width), np.uint8)
    whole = np.zeros((20, 20), np.uint8)
    whole[row : row + height, column : column + width] = labels

    half = _Part(labels, column, row).halved()

    image = np.zeros((10, 10), np.uint8)
    image[half.row :, half.column :][: half.labels.shape[0], : half.labels.shape[1]] = half.labels
    for (y, x), value in np.ndenumerate(image):
        four = np.bincount(whole[2 * y : 2 * y + 2, 2 * x : 2 * x + 2].ravel())
        assert four[value] == four.max()


def test_a_sparse_mask_of_a_huge_slide_is_small_and_read_back_whole(tmp_path: Path) -> None:
    labels = LabelMap(some_labels(640, 720), 40_011, 30_007, 2.0, 0.5)
    write_mask(tmp_path / "mask.ome.tif", labels, slide_of(150_000, 120_000), load_taxonomy())
    again = read_mask(tmp_path / "mask.ome.tif")
    assert np.array_equal(again.labels, labels.labels)
    assert (tmp_path / "mask.ome.tif").stat().st_size < 10e6


def test_what_lies_outside_the_slide_is_cut_off(tmp_path: Path) -> None:
    labels = LabelMap(np.full((20, 30), 2, np.uint8), -5, -3, 1.0, 0.5)
    write_mask(tmp_path / "mask.ome.tif", labels, slide_of(15, 600), load_taxonomy())
    whole = tifffile.imread(tmp_path / "mask.ome.tif")
    assert whole.shape == (600, 15)
    assert np.array_equal(np.argwhere(whole).max(axis=0), (16, 14))


def test_several_label_maps_lie_in_one_mask_and_the_later_wins(tmp_path: Path) -> None:
    first = LabelMap(np.full((20, 30), 1, np.uint8), 0, 0, 1.0, 0.5)
    second = LabelMap(np.array([[0, 2], [2, 0]], np.uint8), 29, 19, 1.0, 0.5)
    write_mask(tmp_path / "mask.ome.tif", [first, second], slide_of(2000, 100), load_taxonomy())
    whole = tifffile.imread(tmp_path / "mask.ome.tif")
    assert whole[18:21, 28:31].tolist() == [[1, 1, 0], [1, 1, 2], [0, 2, 0]]
    other = LabelMap(first.labels, 0, 0, 2.0, 1.0)
    with pytest.raises(ExportError, match="different pixel sizes"):
        write_mask(tmp_path / "m.ome.tif", [first, other], slide_of(200, 100), load_taxonomy())


def test_an_empty_mask_is_empty(tmp_path: Path) -> None:
    labels = LabelMap(np.zeros((20, 30), np.uint8), 5, 3, 1.0, 0.5)
    write_mask(tmp_path / "mask.ome.tif", labels, slide_of(100, 100), load_taxonomy())
    assert read_mask(tmp_path / "mask.ome.tif").labels.shape == (0, 0)


def test_a_foreign_mask_takes_its_scale_from_the_slide(tmp_path: Path) -> None:
    path = tmp_path / "mask.tif"
    image = np.zeros((50, 60), np.uint8)
    image[10:20, 30:45] = 3
    tifffile.imwrite(path, image, compression="zlib")

    with pytest.raises(AnnotationError, match="name the slide too"):
        read_mask(path)
    with pytest.raises(AnnotationError, match="does not say its pixel size"):
        read_mask(path, slide=slide_of(240, 200))
    mask = read_mask(path, slide=slide_of(240, 200, mpp=0.25))

    assert (mask.column, mask.row, mask.scale, mask.mpp) == (30, 10, 4.0, 1.0)
    assert (mask.labels == 3).all()
    assert mask.labels.shape == (10, 15)


@pytest.mark.parametrize(
    "content",
    [
        None,
        b"",
        b"hello",
        b"II*\0\xff\xff\xff\xff",
        np.zeros((9, 9, 3), np.uint8),
        np.zeros((9, 9), np.uint16),
    ],
)
def test_what_is_no_mask_is_refused_in_one_sentence(tmp_path: Path, content: object) -> None:
    path = tmp_path / "mask.tif"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif isinstance(content, np.ndarray):
        tifffile.imwrite(path, content)
    with pytest.raises(AnnotationError, match=r"^mask\.tif [^\n]+\.$"):
        read_mask(path)


def test_a_mask_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    labels = LabelMap(np.ones((5, 5), np.uint8), 0, 0, 1.0, 0.5)
    with pytest.raises(ExportError, match=r"mask\.ome\.tif could not be written"):
        write_mask(tmp_path / "none" / "mask.ome.tif", labels, slide_of(9, 9), load_taxonomy())
