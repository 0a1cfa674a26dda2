import time

import numpy as np
import pytest
from scipy import sparse
from scipy.ndimage import gaussian_filter

from segcore.refinement import propagate_labels

SIZE, CLASSES, ALPHA = 1024, 5, 0.9


def picture():
    rng = np.random.default_rng(0)
    noise = gaussian_filter(rng.normal(size=(SIZE, SIZE, 3)), (3, 3, 0))
    image = np.clip(160 + 400 * noise, 0, 255).astype(np.uint8)
    fields = gaussian_filter(rng.normal(size=(CLASSES, SIZE, SIZE)), (0, 4, 4)) * 40
    probabilities = np.exp(fields - fields.max(0))
    return (probabilities / probabilities.sum(0)).astype(np.float32), image


def plain(probabilities, image, steps):
    """Iterate F <- alpha S F + (1 - alpha) Y with a sparse matrix, as the formula is written."""
    number = np.arange(SIZE * SIZE).reshape(SIZE, SIZE)
    colours = image.astype(np.float32) / 255
    rows, columns, weights = [], [], []
    for dy, dx in ((0, 1), (1, -1), (1, 0), (1, 1)):
        here = np.s_[: SIZE - dy, max(0, -dx) : SIZE - max(0, dx)]
        there = np.s_[dy:, max(0, dx) : SIZE + min(0, dx)]
        square = ((colours[here] - colours[there]) ** 2).sum(-1)
        rows.append(number[here].ravel())
        columns.append(number[there].ravel())
        weights.append(np.exp(-square / 0.02 - (dy**2 + dx**2) / 2).ravel())
    i, j, w = (np.concatenate(parts) for parts in (rows, columns, weights))
    W = sparse.coo_matrix((w, (i, j)), shape=(SIZE * SIZE,) * 2).tocsr()
    W = W + W.T
    root = sparse.diags(1 / np.sqrt(W.sum(1).A1 if hasattr(W.sum(1), "A1") else W.sum(1)))
    S = (root @ W @ root).tocsr().astype(np.float32)
    Y = np.ascontiguousarray(probabilities.reshape(CLASSES, -1).T)
    F = Y
    for _ in range(steps):
        F = np.float32(ALPHA) * (S @ F) + np.float32(1 - ALPHA) * Y
    return F.T.reshape(CLASSES, SIZE, SIZE)


def timed(work):
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


@pytest.mark.benchmark
@pytest.mark.filterwarnings("ignore::scipy.sparse.SparseEfficiencyWarning")
def test_propagation_is_five_times_as_fast_as_plain_iteration_at_equal_error():
    probabilities, image = picture()
    propagate_labels(probabilities[:, :8, :8], image[:8, :8], device="cpu")  # compiles
    limit = propagate_labels(probabilities, image, tolerance=1e-6, device="cpu")

    plainly, fifty = timed(lambda: plain(probabilities, image, 50))
    ours, found = min(
        (timed(lambda: propagate_labels(probabilities, image, device="cpu")) for _ in range(3)),
        key=lambda run: run[0],
    )

    errors = np.abs(found - limit).max(), np.abs(fifty - limit).max()
    assert errors[0] <= max(errors[1], 1e-3)
    assert plainly >= 5 * ours, (plainly, ours)
