import csv
import json
from io import StringIO

import numpy as np
import pytest
from shapely import Point, Polygon, box

from segcore.annotations import LabelMap
from segcore.counting import compare, count, find_nests
from segcore.errors import RegionError

TUMOR, STROMA, LYMPHOCYTE, NECROSIS, OTHER = range(1, 6)


def tissue():
    """Ten rows of 40 pixels of 10 um: 16 of tumor, 12 stroma, 4 lymphocytes, 4 necrosis, 4 glass."""
    row = np.repeat([TUMOR, STROMA, LYMPHOCYTE, NECROSIS, OTHER], [16, 12, 4, 4, 4]).astype(
        np.uint8
    )
    return LabelMap(np.tile(row, (10, 1)), 5, 7, 20.0, 10.0)


def test_the_ratios_are_those_of_their_definitions():
    found = count(tissue())

    assert found.areas.area_mm2["Tumor"] == pytest.approx(160 * 1e-4)
    assert found.tumor_share == pytest.approx(16 / 28)
    assert found.tumor_to_stroma == pytest.approx(16 / 12)
    assert found.stromal_til_share == pytest.approx(4 / 16)
    assert found.necrosis_share == pytest.approx(4 / 20)
    assert found.front_mm == pytest.approx(9 * 0.01)  # between the centres of ten rows


def test_a_ratio_to_nothing_is_none():
    found = count(LabelMap(np.full((8, 8), OTHER, np.uint8), 0, 0, 1.0, 0.5))

    assert (found.tumor_share, found.tumor_to_stroma) == (None, None)
    assert (found.stromal_til_share, found.necrosis_share) == (None, None)
    assert (found.nests.number, found.nests.median_um2, found.front_mm) == (0, None, 0)


def test_a_region_counts_what_has_its_centre_in_it():
    left = 5 * 20.0
    found = count(tissue(), region=box(left, 7 * 20, left + 20 * 20, 12 * 20))  # 20 by 5 pixels

    assert found.areas.labelled_mm2 == pytest.approx(100e-4)
    assert found.tumor_share == pytest.approx(16 / 20)


@pytest.mark.parametrize(
    "region", [Polygon(), box(-900, -900, -800, -800), box(1e6, 1e6, 2e6, 2e6)]
)
def test_a_region_beyond_the_mask_holds_nothing(region):
    assert count(tissue(), region=region).areas.labelled_mm2 == 0


def test_a_region_counts_as_it_would_by_hand_wherever_it_lies():
    mask = LabelMap(
        np.random.default_rng(0).integers(0, 6, (60, 80)).astype(np.uint8), -3, 11, 2.5, 0.5
    )
    region = Point(80, 90).buffer(61)
    rows, columns = np.mgrid[:60, :80]
    x, y = (columns - 3 + 0.5) * 2.5, (rows + 11 + 0.5) * 2.5
    inside = np.array(
        [
            [region.contains(Point(a, b)) for a, b in zip(*pair, strict=True)]
            for pair in zip(x, y, strict=True)
        ]
    )

    found = count(mask, region=region)

    for code, name in enumerate(("Tumor", "Stroma", "Lymphocyte", "Necrosis", "Other"), 1):
        expected = np.count_nonzero(inside & (mask.labels == code)) * 0.25e-6
        assert found.areas.area_mm2[name] == pytest.approx(expected)


def test_nests_are_areas_of_at_least_the_least_size():
    mask = np.zeros((100, 100), bool)
    mask[0:10, 0:10] = True  # 100 pixels of 4 um2
    mask[20:40, 20:40] = True  # 400
    mask[40:50, 40:50] = True  # 100 more, which touch at a corner only
    mask[60:65, 60:65] = True  # 25, too small

    found = find_nests([mask], 2.0, least_um2=400)

    assert (found.number, found.median_um2, found.largest_um2) == (3, 400, 1600)


def test_nests_of_several_masks_are_counted_together():
    one = np.ones((10, 10), bool)

    assert find_nests([one, one, ~one], 4.0).number == 2


def test_counts_go_into_json_and_csv_with_units():
    found = count(tissue())

    document = json.loads(json.dumps(found.to_json()))
    table = {row["name"]: row for row in csv.DictReader(StringIO(found.to_csv()))}

    assert document["area_mm2"]["Tumor"] == found.areas.area_mm2["Tumor"]
    assert document["nests"]["least_um2"] == 1000
    assert float(table["Area Tumor"]["value"]) == pytest.approx(0.016)
    assert table["Area Tumor"]["unit"] == "mm²"
    assert table["Median nest"]["unit"] == "µm²"
    assert "Salgado" in table["Stromal TIL share"]["meaning"]
    assert all(float(row["value"]) >= 0 for row in table.values() if row["value"])


def test_a_value_without_meaning_is_an_empty_cell():
    table = count(LabelMap(np.zeros((4, 4), np.uint8), 0, 0, 1, 1)).to_csv()

    assert "\nTumor share,,," in table


def test_a_correction_is_told_from_class_to_class():
    before = tissue()
    labels = before.labels.copy()
    labels[:5, 14:16] = STROMA  # ten pixels of tumor
    labels[0, 39] = 0  # one of glass erased
    after = LabelMap(labels, 5, 7, 20.0, 10.0)

    found = compare(before, after)

    assert found.pixels == 11
    assert found.area_mm2 == pytest.approx(11e-4)
    assert found.fraction == pytest.approx(11 / 400)
    assert found.of_class["Tumor"] == pytest.approx(10 / 160)
    assert found.of_class["Stroma"] == 0
    assert found.matrix_mm2["Tumor"]["Stroma"] == pytest.approx(10e-4)
    assert found.matrix_mm2["Other"]["Unlabelled"] == pytest.approx(1e-4)
    assert found.matrix_mm2["Tumor"]["Tumor"] == pytest.approx(150e-4)
    assert "Tumor to Stroma,0.001,mm²" in found.to_csv()


def test_masks_of_different_extent_are_laid_together():
    before = LabelMap(np.full((4, 4), TUMOR, np.uint8), 0, 0, 1.0, 1000.0)
    after = LabelMap(np.full((4, 4), TUMOR, np.uint8), 2, 1, 1.0, 1000.0)

    found = compare(before, after)

    assert found.matrix_mm2["Tumor"] == {
        "Unlabelled": 10,
        "Tumor": 6,
        "Stroma": 0,
        "Lymphocyte": 0,
        "Necrosis": 0,
        "Other": 0,
    }
    assert found.matrix_mm2["Unlabelled"]["Tumor"] == 10
    assert found.fraction == pytest.approx(20 / 26)
    assert found.of_class["Stroma"] is None


def test_nothing_changed_is_nothing():
    assert compare(tissue(), tissue()).pixels == 0
    assert compare(tissue(), tissue(), region=box(-9, -9, -8, -8)).fraction == 0


def test_masks_of_different_pixel_sizes_are_not_compared():
    other = LabelMap(tissue().labels, 5, 7, 10.0, 5.0)

    with pytest.raises(RegionError, match="pixel sizes"):
        compare(tissue(), other)
