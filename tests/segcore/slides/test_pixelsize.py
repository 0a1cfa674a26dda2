from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from segcore.slides import ArraySlide, open_slide, propose_mpp
from segcore.slides.pixelsize import mpp_from_description, mpp_from_resolution, plausible


@pytest.mark.parametrize(("dpi", "mpp"), [(72, None), (300, None), (101_600, 0.25), (50_800, 0.5)])
def test_a_png_says_its_pixel_size_only_where_it_can_be_a_microscope(
    tmp_path: Path, dpi: float, mpp: float | None
) -> None:
    Image.new("RGB", (10, 10)).save(tmp_path / "a.png", dpi=(dpi, dpi))
    with open_slide(tmp_path / "a.png") as slide:
        assert slide.mpp == (pytest.approx(mpp, rel=1e-3) if mpp else None)


def test_resolution_tags_of_a_striped_tiff_are_read(tmp_path: Path) -> None:
    tifffile.imwrite(
        tmp_path / "a.tif",
        np.zeros((20, 20, 3), np.uint8),
        photometric="rgb",
        resolution=(40_000, 40_000),
        resolutionunit="CENTIMETER",
    )
    with open_slide(tmp_path / "a.tif") as slide:
        assert slide.mpp == pytest.approx(0.25)


def test_ome_and_imagej_say_their_pixel_size(tmp_path: Path) -> None:
    grey = np.zeros((20, 20), np.uint8)
    tifffile.imwrite(
        tmp_path / "a.ome.tif",
        grey,
        metadata={"axes": "YX", "PhysicalSizeX": 0.4, "PhysicalSizeY": 0.4},
    )
    tifffile.imwrite(
        tmp_path / "b.tif", grey, imagej=True, resolution=(2.0, 2.0), metadata={"unit": "um"}
    )
    with open_slide(tmp_path / "a.ome.tif") as slide:
        assert slide.mpp == pytest.approx(0.4)
    with open_slide(tmp_path / "b.tif") as slide:
        assert slide.mpp == pytest.approx(0.5)


def test_ome_units_are_converted() -> None:
    sizes = '<OME><Pixels PhysicalSizeX="250" PhysicalSizeXUnit="nm" PhysicalSizeY="250" PhysicalSizeYUnit="nm">'
    assert mpp_from_description(sizes) == pytest.approx(0.25)
    assert mpp_from_description("<OME><Pixels>") is None
    assert mpp_from_description('<OME><Pixels PhysicalSizeX="1" PhysicalSizeXUnit="pixel">') is None


def test_the_pixel_size_is_the_mean_of_both_axes() -> None:
    assert mpp_from_resolution((40_000, 1), (20_000, 1), 3) == pytest.approx(0.375)
    assert mpp_from_resolution(0, 0, 3) is None
    assert mpp_from_resolution(40_000, 40_000, 1) is None


@pytest.mark.parametrize("value", [0.0, -1.0, 0.01, 101.0, float("nan"), float("inf"), None])
def test_nonsense_is_not_plausible(value: float | None) -> None:
    assert plausible(value) is None


@pytest.mark.parametrize(
    ("magnification", "mpp", "proposed"),
    [(40, None, 0.25), (20, None, 0.5), (10, None, 1.0), (None, None, None), (40, 0.23, 0.23)],
)
def test_the_objective_gives_a_proposal(
    magnification: float | None, mpp: float | None, proposed: float | None
) -> None:
    slide = ArraySlide(np.zeros((5, 5, 3), np.uint8), mpp=mpp, magnification=magnification)
    assert propose_mpp(slide) == proposed
