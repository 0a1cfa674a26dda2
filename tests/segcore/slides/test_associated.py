"""Label and macro may show the patient's name: nobody reads them unless the user asks."""

from pathlib import Path

import numpy as np
import openslide
import pytest
from shapely.geometry import box

from segcore.annotations import LabelMap, load_taxonomy
from segcore.errors import SlideError
from segcore.reporting.overview import draw_overview
from segcore.slides import open_slide
from segcore.slides.preflight import read_every_level


@pytest.fixture
def path(shared_data: Path) -> Path:
    return shared_data / "slides" / "CMU-1-Small-Region.svs"


def test_the_pictures_beside_the_tissue_are_read_by_name(path: Path) -> None:
    with open_slide(path) as slide, openslide.OpenSlide(path) as oracle:
        assert set(slide.associated_names) == {"label", "macro", "thumbnail"}
        expected = np.asarray(oracle.associated_images["label"].convert("RGB"))
        assert np.array_equal(slide.associated("label"), expected)
        with pytest.raises(SlideError, match="has no picture 'barcode'"):
            slide.associated("barcode")
        slide.read(0, 0, 0, 10, 10)  # the slide goes on being read


def test_pictures_held_in_memory_have_none(tmp_path: Path) -> None:
    from segcore.slides import ArraySlide

    slide = ArraySlide(np.zeros((3, 3, 3), np.uint8))
    assert slide.associated_names == ()
    with pytest.raises(SlideError, match="it has none"):
        slide.associated("label")


def test_checks_thumbnails_and_exports_never_read_them(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> None:
        raise AssertionError("a label or macro was read without being asked for")

    monkeypatch.setattr(openslide.lowlevel, "read_associated_image", never)
    monkeypatch.setattr(openslide.lowlevel, "get_associated_image_dimensions", never)
    with open_slide(path) as slide:
        read_every_level(slide)
        slide.thumbnail(256)
        slide.read(0, 0, 0, 200, 200)
        mask = LabelMap(np.ones((50, 50), np.uint8), column=0, row=0, scale=4.0, mpp=2.0)
        draw_overview(slide, [mask], [box(0, 0, 200, 200)], load_taxonomy("breast"))
        with pytest.raises(AssertionError, match="label or macro"):
            slide.associated("label")


def test_only_the_readers_know_how_to_read_them() -> None:
    import segcore

    root = Path(segcore.__file__).parent
    users = {
        each.relative_to(root).parent.as_posix()
        for each in root.rglob("*.py")
        if "associated" in each.read_text(encoding="utf-8")
    }
    assert users == {"slides"}
