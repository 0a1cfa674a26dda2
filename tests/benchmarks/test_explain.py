"""What an explanation costs on one core, beside one segmentation of the same 512 x 512 pixels."""

import time

import numpy as np
import pytest
import torch
from shapely.geometry import box

from segcore.annotations import LabelMap
from segcore.counting import count
from segcore.explain import check_map, explain_region, robustness_map, uncertainty_map
from segcore.inference import segment_region
from segcore.models import load_bundle
from segcore.slides.array import ArraySlide
from segcore.slides.procedural import paint_sample

SIDE = 512


@pytest.fixture(scope="module")
def bundle():
    torch.set_num_threads(1)
    return load_bundle("default", device="cpu")


@pytest.fixture(scope="module")
def slide():
    pixels, _ = paint_sample(7, left=512, top=512, width=SIDE, height=SIDE, size=3072)
    return ArraySlide(pixels, mpp=0.5)


def seconds(work):
    """Return the least time of three runs, and the result."""
    best, result = float("inf"), None
    for _ in range(3):
        start = time.perf_counter()
        result = work()
        best = min(best, time.perf_counter() - start)
    return best, result


@pytest.mark.benchmark
def test_maps_cost_no_more_than_the_passes_they_need(bundle, slide):
    region = box(0, 0, SIDE, SIDE)
    plain, _ = seconds(lambda: segment_region(slide, bundle, region, refine=None))
    cam, heat = seconds(lambda: explain_region(slide, bundle, region, 0))
    shap, _ = seconds(lambda: explain_region(slide, bundle, region, 0, method="shap"))
    unsure, _ = seconds(lambda: uncertainty_map(slide, bundle, region))
    flips, _ = seconds(lambda: robustness_map(slide, bundle, region))
    check, _ = seconds(lambda: check_map(slide, bundle, heat))

    print(
        f"\nseconds for {SIDE} x {SIDE} on one core: segment {plain:.2f}, Grad-CAM {cam:.2f}, SHAP {shap:.2f}, "
        f"uncertainty {unsure:.2f}, robustness {flips:.2f}, readout {check:.2f}"
    )
    assert cam < 20 * plain  # forward and backward in float32, with more context
    assert shap < 12 * cam  # forward and backward for each of eight points, down to the pixels
    assert unsure < 1.5 * plain
    assert flips < 15 * unsure  # eight views and the picture itself


@pytest.mark.benchmark
def test_a_hundred_megapixels_are_counted_in_seconds():
    blobs = np.random.default_rng(0).integers(1, 5, (500, 500), dtype=np.uint8)
    labels = LabelMap(blobs.repeat(20, axis=0).repeat(20, axis=1), 0, 0, 2.0, 0.5)

    took, counts = seconds(lambda: count(labels))

    print(f"\nseconds to count 100 megapixels: {took:.1f}, {counts.nests.number} nests")
    assert took < 30
