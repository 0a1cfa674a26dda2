import numpy as np
import pytest
import shapely
import torch
from scipy.ndimage import gaussian_filter
from shapely.geometry import Point, box

from segcore.errors import PixelSizeMissingError, RegionError
from segcore.inference import plan, segment_region
from segcore.inference.cache import RunCache
from segcore.inference.tiles import TileSource
from segcore.inference.tiling import Lattice
from segcore.models import Bundle, create_model
from segcore.progress import Cancelled
from segcore.refinement import Refinement
from segcore.slides.array import ArraySlide
from tests.segcore.cards import card
from tests.segcore.inference.painted import ColourBundle, everything, noisy_tissue, tissue


def test_every_pixel_gets_the_class_of_its_place():
    slide, truth = tissue()

    found = segment_region(slide, ColourBundle(), everything(slide), refine=None)

    assert (found.column, found.row, found.scale, found.mpp) == (0, 0, 1.0, 0.5)
    assert np.array_equal(found.labels, truth)
    assert found.confidence.min() > 128


def test_refinement_keeps_clear_tissue_as_it_is():
    slide, truth = tissue()

    found = segment_region(slide, ColourBundle(), everything(slide))

    assert (found.labels == truth).mean() > 0.999


def test_a_region_changes_nothing_within_and_is_zero_without():
    slide, truth = tissue()
    region = Point(80, 70).buffer(41.7)

    found = segment_region(slide, ColourBundle(), region, refine=None)

    rows, columns = np.indices(found.labels.shape) + 0.5
    within = shapely.contains_xy(region, columns + found.column, rows + found.row)
    there = truth[found.row :, found.column :][: found.labels.shape[0], : found.labels.shape[1]]
    assert np.array_equal(found.labels, there * within)
    assert not found.confidence[~within].any()


def test_a_finer_slide_is_segmented_at_the_models_pixel_size():
    slide, truth = tissue()
    fine = ArraySlide(slide.read(0, 0, 0, *slide.dimensions).repeat(2, 0).repeat(2, 1), mpp=0.25)

    found = segment_region(fine, ColourBundle(), everything(fine), refine=None)

    assert found.scale == 2.0
    assert np.array_equal(found.labels, truth)


def test_a_network_sees_the_same_whatever_the_region():
    slide, _ = tissue(seed=3)
    torch.manual_seed(0)
    bundle = Bundle(card(), create_model("lightmuseg-v2", classes=5), torch.device("cpu"))

    whole = segment_region(slide, bundle, everything(slide), refine=None)
    part = segment_region(slide, bundle, box(37, 41, 103, 99), refine=None)

    assert np.array_equal(part.labels, whole.labels[41:99, 37:103])
    assert np.array_equal(part.confidence, whole.confidence[41:99, 37:103])


def test_a_second_run_gives_the_same_bytes():
    slide, _ = tissue(seed=4)
    torch.manual_seed(0)
    bundle = Bundle(card(), create_model("lightmuseg-v2", classes=5), torch.device("cpu"))

    first, second = (segment_region(slide, bundle, everything(slide)) for _ in range(2))

    assert np.array_equal(first.labels, second.labels)
    assert np.array_equal(first.confidence, second.confidence)


@pytest.mark.parametrize("refine", [None, Refinement(), Refinement(alpha=0.9, radius=2)])
def test_blocks_leave_no_seams(monkeypatch, refine):
    slide = noisy_tissue()

    monkeypatch.setattr(plan, "BLOCK_TILES", 100)
    whole = segment_region(slide, ColourBundle(), everything(slide), refine=refine)
    monkeypatch.setattr(plan, "BLOCK_TILES", 1)
    blocked = segment_region(slide, ColourBundle(), everything(slide), refine=refine)

    assert (blocked.labels == whole.labels).mean() >= 0.999
    apart = np.abs(blocked.confidence.astype(int) - whole.confidence)
    assert apart.max() <= 1  # of 255: no seam in what the labels were chosen by


def test_no_tile_is_predicted_twice():
    slide, _ = tissue(height=260, width=240)
    bundle = ColourBundle()

    segment_region(slide, bundle, everything(slide))

    assert sum(bundle.batches) == 5 * 6  # a stride is 48 pixels


def test_what_does_not_fit_the_budget_is_predicted_again_and_comes_out_alike():
    slide, _ = tissue()
    bundle = ColourBundle()
    one_tile = 64 * 64 * (3 + 5 * 2)
    how = {"scale": 1.0, "batch": 2}
    source = TileSource(slide, bundle, Lattice(64, 8), cache=RunCache(3 * one_tile), **how)
    wanted = [(0, 0), (0, 1), (0, 2), (1, 0)]

    first = [tile for tiles in source.stream(wanted) for tile in tiles]
    again = {tile.index: tile for tiles in source.stream(wanted) for tile in tiles}

    assert [tile.index for tile in first] == wanted
    assert sum(bundle.batches) > 4
    assert all(np.array_equal(again[t.index].probabilities, t.probabilities) for t in first)


def test_progress_ends_at_one_and_speaks_of_tiles():
    slide, _ = tissue()
    heard = []

    segment_region(
        slide, ColourBundle(), everything(slide), report=lambda f, text="": heard.append((f, text))
    )

    fractions = [fraction for fraction, _ in heard]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1
    assert heard[-1][1] == "16 of 16 tiles"


def test_cancelling_stops_within_one_batch():
    slide, _ = tissue()
    bundle = ColourBundle()

    def cancel(fraction, _text=""):
        if fraction > 0:
            raise Cancelled

    with pytest.raises(Cancelled):
        segment_region(slide, bundle, everything(slide), report=cancel, batch=1)

    assert sum(bundle.batches) == 1


def test_partial_masks_show_every_tile_and_then_the_finished_blocks():
    slide, truth = tissue()
    parts = []

    found = segment_region(slide, ColourBundle(), everything(slide), partial=parts.append)

    painted = np.zeros_like(truth)
    covered = np.zeros(truth.shape, int)
    for part in parts:
        height, width = part.labels.shape
        place = np.s_[part.row : part.row + height, part.column : part.column + width]
        painted[place] = part.labels
        covered[place] += 1
    assert np.array_equal(painted, found.labels)  # what came last is the result
    assert (covered == 2).all()  # once raw, once refined


def test_what_one_class_does_not_claim_is_other():
    slide, truth = tissue()

    found = segment_region(slide, ColourBundle(("Tumor",)), everything(slide), refine=None)

    assert set(np.unique(found.labels)) == {1, 5}
    assert np.array_equal(found.labels == 1, truth == 1)


def test_a_region_between_pixel_centres_is_refused():
    slide, _ = tissue()
    with pytest.raises(RegionError, match="smaller than one pixel"):
        segment_region(slide, ColourBundle(), box(10.1, 10.1, 10.3, 10.3))


def test_a_region_outside_the_slide_is_refused():
    slide, _ = tissue()
    with pytest.raises(RegionError, match="outside"):
        segment_region(slide, ColourBundle(), box(1000, 1000, 1100, 1100))


def test_a_slide_without_pixel_size_is_refused():
    slide, _ = tissue(mpp=None)
    with pytest.raises(PixelSizeMissingError):
        segment_region(slide, ColourBundle(), everything(slide))


@pytest.mark.slow
def test_the_shipped_bundle_tells_tissue_from_glass_on_a_real_slide(shared_data):
    from segcore.models import load_bundle
    from segcore.slides import open_slide

    with open_slide(shared_data / "slides" / "CMU-1-Small-Region.svs") as slide:
        found = segment_region(slide, load_bundle("default", device="cpu"), box(0, 0, 1024, 1024))
        pixels = slide.read(0, 0, 0, 1024, 1024)

    bright = gaussian_filter(pixels.min(2).astype(float), 6) > 235
    glass = bright[: found.labels.shape[0], : found.labels.shape[1]]
    labels = found.labels[: glass.shape[0], : glass.shape[1]]
    assert (labels[glass] == 5).mean() > 0.95
    assert (labels[~glass & (labels > 0)] != 5).mean() > 0.5
