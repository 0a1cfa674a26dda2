"""The sample slide: what it promises to people, to training and to other readers."""

import errno
from pathlib import Path

import numpy as np
import openslide
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.color import rgb2hed

from segcore.errors import SlideError
from segcore.progress import Cancelled
from segcore.slides import procedural
from segcore.slides.procedural import (
    SAMPLE_ROI,
    draw_stain,
    make_sample_slide,
    paint_sample,
    pyramid,
)
from segcore.slides.procedural.ground import label_at
from segcore.slides.procedural.layout import plan
from segcore.slides.procedural.scene import scene

SIZE = 1024
TUMOR, STROMA, LYMPHOCYTE, NECROSIS, OTHER = 1, 2, 3, 4, 5


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("sample")
    slide, truth = folder / "sample.tif", folder / "truth.tif"
    make_sample_slide(slide, truth, size=SIZE)
    return slide, truth


@pytest.fixture(scope="module")
def painted() -> tuple[np.ndarray, np.ndarray]:
    return paint_sample(42, left=0, top=0, width=SIZE, height=SIZE, size=SIZE)


def test_openslide_reads_a_pyramid_of_half_a_micrometre(sample):
    with openslide.OpenSlide(sample[0]) as slide:
        assert slide.properties["openslide.vendor"] == "generic-tiff"
        assert float(slide.properties["openslide.mpp-x"]) == 0.5
        assert float(slide.properties["openslide.mpp-y"]) == 0.5
        assert slide.level_dimensions == ((1024, 1024), (512, 512))
        assert slide.properties["openslide.level[0].tile-width"] == "256"


def test_every_level_shows_the_painted_picture(sample, painted):
    with openslide.OpenSlide(sample[0]) as slide:
        for level, (width, height) in enumerate(slide.level_dimensions):
            read = np.asarray(slide.read_region((0, 0), level, (width, height)))[..., :3]
            step = SIZE // width
            mean = painted[0].reshape(height, step, width, step, 3).mean((1, 3))
            assert np.abs(read - mean).mean() < 5  # JPEG at quality 88
            assert np.abs((read - mean).mean((0, 1))).max() < 1  # no cast: the YCbCr tags are right


def test_a_side_that_is_no_multiple_of_the_tile_is_written_whole(tmp_path):
    slide, truth = tmp_path / "odd.tif", tmp_path / "odd-truth.tif"
    make_sample_slide(slide, truth, size=1155, seed=3)
    rgb, labels = paint_sample(3, left=1000, top=1000, width=155, height=155, size=1155)
    with openslide.OpenSlide(slide) as opened:
        assert opened.level_dimensions == ((1155, 1155), (578, 578), (289, 289))
        read = np.asarray(opened.read_region((1000, 1000), 0, (155, 155)))[..., :3]
    assert np.abs(read.astype(int) - rgb).mean() < 5
    assert (tifffile.imread(truth)[1000:, 1000:] == labels).all()


def test_the_truth_is_the_painted_labels_at_the_slides_pixel_size(sample, painted):
    with tifffile.TiffFile(sample[1]) as file:
        page = file.pages[0]
        assert page.tags["XResolution"].value == (20_000_000, 1000)
        assert page.tags["ResolutionUnit"].value == 3  # centimetre
        assert page.is_tiled
        assert (page.asarray() == painted[1]).all()


def test_every_pixel_has_a_class_and_every_class_its_share():
    layout = plan(4096, 42)
    inner = codes_on_grid(layout)
    share = np.bincount(inner.ravel(), minlength=6) / inner.size
    assert share[0] == 0
    assert share[1:] == pytest.approx([0.30, 0.33, 0.08, 0.07, 0.22], abs=0.05)


def codes_on_grid(layout) -> np.ndarray:
    """Class codes on a grid of every 16th pixel."""
    spots = np.arange(8.0, layout.size, 16.0)
    return np.array([[label_at(layout.fields, x, y) for x in spots] for y in spots])


def test_the_smallest_sample_has_all_classes(painted):
    assert set(np.unique(painted[1])) == {TUMOR, STROMA, LYMPHOCYTE, NECROSIS, OTHER}


@pytest.mark.parametrize("window", [(511, 300, 513, 301), (64, 1, 333, 777), (-30, -30, 300, 200)])
def test_large_overlapping_windows_agree(painted, window):
    left, top, width, height = window
    rgb, labels = paint_sample(42, left=left, top=top, width=width, height=height, size=SIZE)
    x, y = max(left, 0), max(top, 0)
    shared = rgb[y - top :, x - left :]
    assert (shared == painted[0][y : top + height, x : left + width]).all()
    assert (labels[y - top :, x - left :] == painted[1][y : top + height, x : left + width]).all()


@settings(max_examples=8, deadline=None)
@given(
    left=st.integers(-60, SIZE),
    top=st.integers(-60, SIZE),
    width=st.integers(1, 160),
    height=st.integers(1, 160),
)
def test_a_pixel_is_the_same_in_whichever_window_it_is_painted(painted, left, top, width, height):
    rgb, labels = paint_sample(42, left=left, top=top, width=width, height=height, size=SIZE)
    rows = slice(max(top, 0), max(0, min(top + height, SIZE)))
    columns = slice(max(left, 0), max(0, min(left + width, SIZE)))
    part = (
        slice(rows.start - top, rows.stop - top),
        slice(columns.start - left, columns.stop - left),
    )
    assert (rgb[part] == painted[0][rows, columns]).all()
    assert (labels[part] == painted[1][rows, columns]).all()


def test_the_same_seed_grows_the_same_section_and_another_seed_another(painted):
    scene.cache_clear()
    again, _ = paint_sample(42, left=256, top=256, width=256, height=256, size=SIZE)
    other, _ = paint_sample(43, left=256, top=256, width=256, height=256, size=SIZE)
    assert (again == painted[0][256:512, 256:512]).all()
    assert np.abs(other.astype(int) - again).mean() > 10


def test_stain_separation_finds_more_haematoxylin_in_lymphocytes_than_in_stroma(painted):
    rgb, labels = painted
    stains = rgb2hed(rgb)
    haematoxylin = [stains[labels == code, 0].mean() for code in (LYMPHOCYTE, TUMOR, STROMA)]
    assert haematoxylin[0] > 2 * haematoxylin[2]
    assert haematoxylin[1] > 1.5 * haematoxylin[2]
    assert stains[labels == NECROSIS, 1].mean() > stains[labels == LYMPHOCYTE, 1].mean()


def test_glass_is_nearly_white_and_tissue_is_not(painted):
    rgb, _ = painted
    assert rgb[:8, :8].mean() > 235
    tissue = rgb[painted[1] != OTHER]
    assert tissue.mean() < 200


def test_another_stain_recolours_the_same_tissue(painted):
    stain = draw_stain(5)
    rgb, labels = paint_sample(42, left=300, top=300, width=128, height=128, size=SIZE, stain=stain)
    assert stain == draw_stain(5) != draw_stain(6)
    assert (labels == painted[1][300:428, 300:428]).all()
    assert np.abs(rgb.astype(int) - painted[0][300:428, 300:428]).mean() > 3


def test_the_demonstration_region_shows_all_four_tissues():
    x, y, width, height = SAMPLE_ROI
    layout = plan(8192, 42)
    inside = codes_on_grid(layout)[y // 16 : (y + height) // 16, x // 16 : (x + width) // 16]
    share = np.bincount(inside.ravel(), minlength=6) / inside.size
    assert share[TUMOR] > 0.2
    assert share[STROMA] > 0.1
    assert share[LYMPHOCYTE] > 0.05
    assert share[NECROSIS] > 0.05


def test_cancelling_leaves_no_file(tmp_path):
    def cancel(fraction: float, text: str = "") -> None:
        if fraction > 0.3:
            raise Cancelled

    with pytest.raises(Cancelled):
        make_sample_slide(tmp_path / "a.tif", tmp_path / "b.tif", size=SIZE, report=cancel)
    assert not list(tmp_path.iterdir())


def test_progress_rises_to_one_and_says_what_is_done(tmp_path):
    told: list[tuple[float, str]] = []
    make_sample_slide(
        tmp_path / "a.tif",
        tmp_path / "b.tif",
        size=SIZE,
        report=lambda fraction, text="": told.append((fraction, text)),
    )
    fractions = [fraction for fraction, _ in told]
    assert fractions == sorted(fractions)
    assert (fractions[0], fractions[-1]) == (0.0, 1.0)
    assert all(text for _, text in told)


def test_a_full_disk_is_told_in_one_sentence_and_keeps_the_older_file(tmp_path, monkeypatch):
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    older = tmp_path / "a.tif"
    older.write_bytes(b"older")
    monkeypatch.setattr(pyramid.TiffFile, "put", refuse)
    with pytest.raises(SlideError, match=r"a\.tif.*No space left"):
        make_sample_slide(older, tmp_path / "b.tif", size=SIZE)
    assert [each.name for each in tmp_path.iterdir()] == ["a.tif"]
    assert older.read_bytes() == b"older"


def test_a_folder_that_is_not_there_is_told_in_one_sentence(tmp_path):
    with pytest.raises(SlideError, match="could not be written"):
        make_sample_slide(tmp_path / "none" / "a.tif", tmp_path / "b.tif", size=SIZE)
    assert not list(tmp_path.iterdir())


def test_the_package_shows_what_it_promises():
    assert set(procedural.__all__) >= {"SAMPLE_ROI", "make_sample_slide", "paint_sample"}
