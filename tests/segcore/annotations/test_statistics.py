import numpy as np
import pytest
from shapely import box

from segcore.annotations import LabelMap, load_taxonomy
from segcore.annotations.statistics import statistics

LABELS = np.array([[1, 1, 2, 0], [1, 5, 2, 0], [1, 5, 3, 4]], np.uint8)


def test_areas_are_pixels_times_their_size() -> None:
    found = statistics([LabelMap(LABELS, 0, 0, 2.0, mpp=500)], load_taxonomy())
    # A pixel of 500 um is a quarter of a square millimetre.
    expected = {"Tumor": 1.0, "Stroma": 0.5, "Lymphocyte": 0.25, "Necrosis": 0.25, "Other": 0.5}
    assert found.area_mm2 == expected
    assert found.labelled_mm2 == 2.5
    assert found.tissue_mm2 == 2.0
    assert found.fraction["Tumor"] == 0.4
    assert found.tumor_to_stroma == 2.0


def test_several_masks_are_measured_together_and_a_region_by_itself() -> None:
    masks = [LabelMap(LABELS, 0, 0, 2.0, 500), LabelMap(LABELS, 100, 0, 2.0, 500)]
    assert statistics(masks, load_taxonomy()).labelled_mm2 == 5.0
    region = statistics(masks, load_taxonomy(), region=box(0, 0, 4, 4))
    assert region.area_mm2["Tumor"] == 0.75
    assert region.labelled_mm2 == 1.0


@pytest.mark.parametrize("code", [0, 1])
def test_without_stroma_there_is_no_ratio(code: int) -> None:
    found = statistics([LabelMap(np.full((2, 2), code, np.uint8), 0, 0, 1, 1)], load_taxonomy())
    assert found.tumor_to_stroma is None
    assert sum(found.fraction.values()) == code
