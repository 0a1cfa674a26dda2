"""A run that is cancelled: how soon it ends, and what it leaves."""

import time

import numpy as np
import pytest

from segcore.inference import plan, segment_region
from segcore.progress import Cancelled
from segcore.refinement import Refinement
from tests.segcore.inference.painted import ColourBundle, everything, noisy_tissue, tissue


def cancel_at(least):
    def report(fraction, text=""):
        if fraction >= least:
            raise Cancelled

    return report


def test_what_was_finished_is_kept_if_asked_for(monkeypatch):
    monkeypatch.setattr(plan, "BLOCK_TILES", 2)
    slide, truth = tissue(height=260, width=240)
    bundle = ColourBundle()

    found = segment_region(
        slide, bundle, everything(slide), report=cancel_at(0.5), keep_finished=True
    )

    known = found.labels > 0
    assert 0.3 < known.mean() < 0.7
    assert (found.labels[known] == truth[known]).mean() > 0.99
    assert sum(bundle.batches) < 20


def test_what_was_kept_is_what_was_streamed(monkeypatch):
    monkeypatch.setattr(plan, "BLOCK_TILES", 2)
    slide = noisy_tissue()
    painted = np.zeros((260, 240), np.uint8)

    def show(part):
        height, width = part.labels.shape
        painted[part.row : part.row + height, part.column : part.column + width] = part.labels

    found = segment_region(
        slide,
        ColourBundle(),
        everything(slide),
        report=cancel_at(0.6),
        partial=show,
        keep_finished=True,
    )

    assert np.array_equal(found.labels, painted)


def test_cancelled_before_the_first_tile_nothing_is_kept():
    slide, _ = tissue()

    found = segment_region(
        slide, ColourBundle(), everything(slide), report=cancel_at(0), keep_finished=True
    )

    assert not found.labels.any()


def test_a_cancelled_run_raises_where_nothing_shall_be_kept():
    slide, _ = tissue()
    with pytest.raises(Cancelled):
        segment_region(slide, ColourBundle(), everything(slide), report=cancel_at(0.2))


def test_a_block_that_is_being_refined_stops_too(monkeypatch):
    monkeypatch.setattr(plan, "BLOCK_TILES", 100)
    slide = noisy_tissue(height=500, width=500)
    heard = []

    def report(fraction, text=""):
        if fraction >= 0.95:  # all tiles are there, and the block is being refined
            heard.append(time.monotonic())
            if len(heard) > 1:
                raise Cancelled

    with pytest.raises(Cancelled):
        segment_region(
            slide, ColourBundle(), everything(slide), refine=Refinement(0.99999), report=report
        )

    assert time.monotonic() - heard[-1] < 1.5  # thousands of steps would take far longer
