"""What is kept between runs: nothing is predicted twice, and it never shows."""

import numpy as np
import pytest
import torch
from shapely.geometry import box

from segcore.inference import RunCache, refine_again, segment_region
from segcore.inference.cache import PredictedTile, run_key
from segcore.inference.tiles import TileSource
from segcore.inference.tiling import Lattice
from segcore.models import Bundle, create_model
from segcore.refinement import Refinement
from tests.builders import write_slide
from tests.segcore.cards import card
from tests.segcore.inference.painted import ColourBundle, everything, noisy_tissue, tissue


def network(seed=0):
    torch.manual_seed(seed)
    return Bundle(card(), create_model("lightmuseg-v2", classes=5), torch.device("cpu"))


def same(one, other):
    return np.array_equal(one.labels, other.labels) and np.array_equal(
        one.confidence, other.confidence
    )


def test_an_enlarged_region_predicts_only_the_new_tiles():
    slide, _ = tissue(height=260, width=240)
    bundle, cache = ColourBundle(), RunCache()

    segment_region(slide, bundle, box(0, 0, 140, 140), cache=cache)
    first = sum(bundle.batches)
    segment_region(slide, bundle, everything(slide), cache=cache)

    assert first == len({(i, j) for i in range(4) for j in range(4)})  # 140 pixels and a margin
    assert sum(bundle.batches) == 5 * 6  # as many as the slide has


def test_a_mask_from_kept_tiles_is_the_same_byte_by_byte():
    slide, bundle, cache = noisy_tissue(), network(), RunCache()
    segment_region(slide, bundle, box(50, 60, 130, 190), cache=cache)

    half_kept = segment_region(slide, bundle, everything(slide), cache=cache)

    assert same(half_kept, segment_region(slide, bundle, everything(slide)))


def test_another_refinement_runs_no_network():
    slide, bundle, cache = noisy_tissue(), ColourBundle(), RunCache()
    segment_region(slide, bundle, everything(slide), cache=cache)
    before = len(bundle.batches)
    other = Refinement(alpha=0.5, sigma_intensity=0.3)

    again = refine_again(slide, bundle, everything(slide), cache=cache, refine=other)

    assert len(bundle.batches) == before
    assert again is not None
    assert same(again, segment_region(slide, bundle, everything(slide), refine=other))


def test_refining_again_gives_up_where_a_tile_is_missing():
    slide, bundle, cache = noisy_tissue(), ColourBundle(), RunCache()
    segment_region(slide, bundle, box(0, 0, 100, 100), cache=cache)
    before = len(bundle.batches)

    assert refine_again(slide, bundle, everything(slide), cache=cache, refine=Refinement()) is None
    assert len(bundle.batches) == before


def test_kept_tiles_are_streamed_as_finished_blocks_only():
    slide, bundle, cache = noisy_tissue(), ColourBundle(), RunCache()
    whole = segment_region(slide, bundle, everything(slide), cache=cache)
    parts = []

    segment_region(slide, bundle, everything(slide), cache=cache, partial=parts.append)

    painted = np.zeros_like(whole.labels)
    for part in parts:
        height, width = part.labels.shape
        place = np.s_[part.row : part.row + height, part.column : part.column + width]
        assert not painted[place].any()
        painted[place] = part.labels
    assert np.array_equal(painted, whole.labels)


@pytest.mark.parametrize(
    "other", [{"bundle": ColourBundle(halo=16)}, {"bundle": ColourBundle(sha256="1" * 64)}, {"scale": 2.0}]
)  # fmt: skip
def test_another_model_or_pixel_size_is_another_run(other):
    how = {"slide": tissue()[0], "bundle": ColourBundle(), "scale": 1.0}

    assert run_key(**how) == run_key(**how)
    assert run_key(**{**how, **other}) != run_key(**how)


def test_a_slide_is_known_by_its_content_wherever_it_lies(tmp_path):
    from segcore.slides import open_slide

    one = write_slide(tmp_path / "a.tif")
    other = tmp_path / "moved.tif"
    other.write_bytes(one.read_bytes())
    pixels = np.full((64, 64, 3), 9, np.uint8)
    third = write_slide(tmp_path / "b.tif", pixels)

    with open_slide(one) as a, open_slide(other) as b, open_slide(third) as c:
        keys = [run_key(slide, ColourBundle(), 1.0) for slide in (a, b, c)]

    assert keys[0] == keys[1] != keys[2]


def tile(index, size=10):
    return PredictedTile(
        index, np.zeros((size, size, 3), np.uint8), np.zeros((2, size, size), np.float16)
    )


def test_the_budget_holds_and_what_was_asked_for_last_stays():
    cache = RunCache(budget=3 * tile((0, 0)).nbytes)
    for column in range(3):
        cache.put("run", tile((0, column)))
    cache.get("run", (0, 0))

    cache.put("run", tile((0, 3)))

    assert [cache.holds("run", [(0, j)]) for j in range(4)] == [True, False, True, True]
    assert cache.nbytes == 3 * tile((0, 0)).nbytes
    cache.put("run", tile((0, 3)))  # again: counted once
    assert cache.nbytes == 3 * tile((0, 0)).nbytes
    cache.clear()
    assert (len(cache), cache.nbytes) == (0, 0)


def test_tiles_come_in_the_order_they_were_asked_for_whichever_are_kept():
    """They are blended in it, and sums of floats depend on their order."""
    slide, cache = tissue()[0], RunCache()
    how = {"scale": 1.0, "batch": 2, "cache": cache}
    wanted = [(i, j) for i in range(3) for j in range(3)]
    first = TileSource(slide, ColourBundle(), Lattice(64, 8), **how)
    kept = [tile for tiles in first.stream(wanted[4:7]) for tile in tiles]
    predicted = []

    again = TileSource(slide, ColourBundle(), Lattice(64, 8), **how)
    came = [tile for tiles in again.stream(wanted, predicted.append) for tile in tiles]

    assert [tile.index for tile in came] == wanted
    assert came[4:7] == kept
    assert [tile.index for tile in predicted] == wanted[:4] + wanted[7:]
