import numpy as np
import pytest
import tifffile

from segcore.explain import RegionHeat, write_heat
from segcore.slides.array import ArraySlide

VALUES = np.array([[0.1, 0.2, np.nan], [0.4, 0.5, 0.6]], np.float32)


def test_the_probe_reads_the_cell_under_it():
    heat = RegionHeat(VALUES, (100.0, 200.0, 130.0, 220.0))

    assert heat.cell == (10, 10)
    assert heat.at(100, 200) == pytest.approx(0.1)
    assert heat.at(119.9, 210) == pytest.approx(0.5)
    assert np.isnan(heat.at(125, 205))
    assert all(np.isnan(heat.at(x, y)) for x, y in [(99, 205), (131, 205), (105, 199), (105, 221)])


def test_only_shap_speaks_against_a_class():
    kinds = ("grad_cam", "shap", "entropy", "flips")

    assert [RegionHeat(VALUES, (0, 0, 3, 2), kind).signed for kind in kinds] == [
        False,
        True,
        False,
        False,
    ]
    assert RegionHeat(VALUES, (0, 0, 3, 2), "shap", "Tumor").title == "SHAP for Tumor"


def test_a_written_map_is_the_map_with_its_frame_and_its_warning(tmp_path):
    slide = ArraySlide(np.zeros((300, 300, 3), np.uint8), mpp=0.25)
    heat = RegionHeat(VALUES, (100.0, 200.0, 130.0, 220.0), "entropy", one=2.0, unit="bits")

    write_heat(tmp_path / "map.ome.tif", heat, slide)

    with tifffile.TiffFile(tmp_path / "map.ome.tif") as file:
        np.testing.assert_array_equal(file.asarray(), VALUES)
        assert file.is_ome
        told = file.ome_metadata
    assert "Attention, not diagnosis" in told
    assert 'PhysicalSizeX="2.5"' in told
    assert '<M K="acinus.left">100.0</M>' in told
    assert '<M K="acinus.unit">bits</M>' in told
