"""Makes golden.json: what pysodmetrics 1.6.2 and MONAI 1.6.1 say of pictures drawn from seeds.

Made once with Python 3.11.7, numpy 2.4.6, scipy 1.17.1, torch 2.13.0+cpu, pysodmetrics 1.6.2, monai 1.6.1, in an
environment apart, for the two pin versions that ours cannot share:

    python -m venv /tmp/oracle
    /tmp/oracle/bin/pip install torch==2.13.0 numpy scipy scikit-image scikit-learn opencv-python-headless
    /tmp/oracle/bin/pip install --no-deps pysodmetrics==1.6.2 monai==1.6.1
    /tmp/oracle/bin/python tests/segcore/evaluation/make_golden.py

The pictures come from integers and square roots alone, so that every machine draws the same; their sha256
stands beside the scores. The tests import the pictures from here, never an oracle.
"""

import hashlib
import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np

GOLDEN = Path(__file__).with_name("golden.json")
CODES = (1, 2, 3, 4, 5)
TOLERANCES = (0, 1, 2, 5)
BINS = 15


def foreground_cases() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return (reference mask, map in [0, 1] of 256 levels) by name."""
    rng = np.random.default_rng(3)
    disks = depth((97, 83), [(30, 25, 17), (60, 60, 12), (88, 10, 6)])
    soft = np.clip(128 + 9 * depth((97, 83), [(33, 27, 16), (58, 63, 13)]), 0, 255).astype(int)
    noise = rng.integers(0, 2, (64, 64)) == 1
    thin = np.zeros((40, 61), bool)
    thin[::7] = True
    one = np.zeros((31, 30), bool)
    one[12, 17] = True
    maps = {
        "disks": (disks > 0, soft),
        "noisy disks": (disks > 0, np.clip(soft + rng.integers(-90, 91, soft.shape), 0, 255)),
        "noise": (noise, rng.integers(0, 256, noise.shape)),
        "lines": (thin, np.roll(thin, 1, axis=0) * 200 + rng.integers(0, 50, thin.shape)),
        "far away": (disks > 5, (np.flip(disks) > 0) * 255),
        "one pixel": (one, rng.integers(0, 256, one.shape)),
        "perfect": (noise, noise * 255),
        "inverse": (noise, ~noise * 255),
        "nothing found": (disks > 0, np.zeros_like(soft)),
        "all claimed": (disks > 0, np.full_like(soft, 255)),
        "empty reference": (np.zeros_like(noise), rng.integers(0, 256, noise.shape)),
        "full reference": (np.ones_like(noise), rng.integers(0, 256, noise.shape)),
    }
    return {name: (mask, levels / 255) for name, (mask, levels) in maps.items()}


def code_cases() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return (reference, prediction) with the codes 0 to 5 by name; 0 is unlabelled."""
    rng = np.random.default_rng(5)
    reference, predicted = rng.integers(0, 6, (2, 50, 40)).astype(np.uint8)
    close = np.where(rng.integers(0, 5, reference.shape) > 0, reference, predicted)
    rare = np.where(reference == 3, 2, reference)
    return {
        "unlike": (reference, predicted),
        "alike": (reference, close),
        "a class only predicted": (rare, close),
    }


def outline_cases() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return pairs of masks that do not touch the frame."""
    one = depth((80, 90), [(30, 30, 20), (55, 60, 18)]) > 0
    two = depth((80, 90), [(32, 31, 19), (50, 60, 18)]) > 0
    return {"moved": (one, two), "halved": (one, depth((80, 90), [(30, 30, 20)]) > 0)}


def confidence_case() -> tuple[np.ndarray, np.ndarray]:
    """Return a reference (H, W) of the codes 0 to 3 and probabilities (3, H, W)."""
    rng = np.random.default_rng(7)
    parts = rng.integers(1, 1000, (3, 45, 70)).astype(float) ** 3
    return rng.integers(0, 4, (45, 70)).astype(np.uint8), parts / parts.sum(0)


def logits_case() -> tuple[np.ndarray, np.ndarray]:
    """Return logits (2, 4, 9, 11) and a target (2, 9, 11) that has every class."""
    rng = np.random.default_rng(11)
    return rng.integers(-40, 41, (2, 4, 9, 11)) / 10, rng.integers(0, 4, (2, 9, 11))


def depth(shape: tuple[int, int], disks: list[tuple[int, int, int]]) -> np.ndarray:
    """Return how deep each pixel lies in the nearest of the (row, column, radius) disks."""
    rows, columns = np.indices(shape)
    return np.max([r - np.sqrt((rows - y) ** 2 + (columns - x) ** 2) for y, x, r in disks], axis=0)


def digest() -> str:
    """Return the sha256 of all pictures."""
    pairs = [*foreground_cases().values(), *code_cases().values(), *outline_cases().values()]
    pairs += [confidence_case(), logits_case()]
    arrays = [np.ascontiguousarray(each, np.float64) for pair in pairs for each in pair]
    return hashlib.sha256(b"".join(each.tobytes() for each in arrays)).hexdigest()


def saliency_scores(reference: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    import py_sod_metrics as sod

    def result(measure: object, read: Callable[[dict], float]) -> float:
        measure.step(predicted, reference, normalize=False)
        return float(read(measure.get_results()))

    return {
        "mae": result(sod.MAE(), lambda found: found["mae"]),
        "s": result(sod.Smeasure(), lambda found: found["sm"]),
        "weighted_f": result(sod.WeightedFmeasure(), lambda found: found["wfm"]),
        "mean_e": result(sod.Emeasure(), lambda found: found["em"]["curve"].mean()),
    }


def one_hot(codes: np.ndarray, known: np.ndarray) -> object:
    """Return (1, 5, H, W); unlabelled pixels belong to no class on either side."""
    import torch

    return torch.from_numpy(np.stack([(codes == c) & known for c in CODES])[None].astype(float))


def overlap_scores(reference: np.ndarray, predicted: np.ndarray) -> dict[str, object]:
    from monai.metrics import (
        compute_confusion_matrix_metric,
        compute_dice,
        compute_generalized_dice,
        compute_iou,
        get_confusion_matrix,
    )

    y, y_pred = (one_hot(each, reference != 0) for each in (reference, predicted))
    counts = get_confusion_matrix(y_pred, y)
    return {
        "dice": compute_dice(y_pred, y, ignore_empty=False)[0].tolist(),
        "iou": compute_iou(y_pred, y, ignore_empty=False)[0].tolist(),
        "sensitivity": [
            None if math.isnan(each) else each
            for each in compute_confusion_matrix_metric("sensitivity", counts)[0].tolist()
        ],
        "generalized_dice": compute_generalized_dice(y_pred, y, sum_over_classes=True).item(),
    }


def outline_scores(reference: np.ndarray, predicted: np.ndarray) -> list[float]:
    """Return F1 for each of TOLERANCES from MONAI's surface distances."""
    import torch
    from monai.metrics.utils import get_edge_surface_distance

    masks = torch.from_numpy(predicted), torch.from_numpy(reference)
    _, (found, true), _ = get_edge_surface_distance(*masks, symmetric=True)
    shares = [((found <= t).double().mean(), (true <= t).double().mean()) for t in TOLERANCES]
    return [float(2 * p * r / (p + r)) for p, r in shares]


def calibration_error() -> float:
    import torch
    from monai.metrics.calibration import calibration_binning

    reference, probabilities = confidence_case()
    confidence = probabilities.max(0)[reference != 0]
    right = (probabilities.argmax(0) + 1 == reference)[reference != 0]
    pair = (torch.from_numpy(each.astype(float))[None, None] for each in (confidence, right))
    mean, accuracy, counts = (x.nan_to_num() for x in calibration_binning(*pair, BINS, right=True))
    return float((counts * (mean - accuracy).abs()).sum() / counts.sum())


def dice_loss() -> float:
    import torch
    from monai.losses import DiceLoss

    logits, target = (torch.from_numpy(each) for each in logits_case())
    loss = DiceLoss(softmax=True, to_onehot_y=True, batch=True, smooth_nr=1e-6, smooth_dr=1e-6)
    return loss(logits, target[:, None]).item()


def main() -> None:
    golden = {
        "sha256": digest(),
        "pysodmetrics": {name: saliency_scores(*case) for name, case in foreground_cases().items()},
        "monai": {
            "overlap": {name: overlap_scores(*case) for name, case in code_cases().items()},
            "boundary_f1": {name: outline_scores(*case) for name, case in outline_cases().items()},
            "calibration_error": calibration_error(),
            "dice_loss": dice_loss(),
        },
    }
    GOLDEN.write_text(json.dumps(golden, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
