"""The same region and the same model give the same mask."""

import hashlib

import pytest
import torch
from shapely.geometry import box

from segcore.inference import segment_region
from segcore.models import load_bundle
from tests.segcore.inference.painted import noisy_tissue


@pytest.fixture(scope="module")
def slide():
    return noisy_tissue(height=400, width=400, by=30)


def digest(mask):
    return hashlib.sha256(mask.labels.tobytes() + mask.confidence.tobytes()).hexdigest()


def test_two_runs_of_the_shipped_bundle_give_the_same_hash(slide):
    region = box(80, 80, 330, 320)

    masks = [segment_region(slide, load_bundle("default", "cpu"), region) for _ in range(2)]

    assert digest(masks[0]) == digest(masks[1])


def test_one_thread_or_two_give_the_same_classes(slide):
    bundle, region, before = (
        load_bundle("default", "cpu"),
        box(80, 80, 330, 320),
        torch.get_num_threads(),
    )
    masks = []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            masks.append(segment_region(slide, bundle, region))
    finally:
        torch.set_num_threads(before)

    assert (masks[0].labels == masks[1].labels).mean() >= 0.9999
