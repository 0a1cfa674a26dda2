"""How sure a prediction is: entropy, and the temperature that makes its probabilities honest."""

import math

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar

Floats = npt.NDArray[np.floating]

COLDEST, HOTTEST = 0.05, 20.0
FAINT = 1e-12
"""Stands for a probability that has been rounded to 0."""


def entropy(probabilities: Floats) -> Floats:
    """Return the entropy in bits over the first axis of (C, ...): 0 where sure, log2(C) where all are alike."""
    likely = np.maximum(probabilities, FAINT)
    return np.maximum(-(probabilities * np.log2(likely)).sum(axis=0), 0)


def with_temperature(probabilities: Floats, temperature: float) -> Floats:
    """Return softmax(logits / T) of (C, ...) probabilities = softmax(logits); T above 1 makes them less sure.

    Guo, Pleiss, Sun, Weinberger: On Calibration of Modern Neural Networks, ICML 2017, section 4.2. The
    likeliest class stays the likeliest.
    """
    if temperature == 1:
        return probabilities
    powers = np.maximum(probabilities, FAINT) ** (1 / temperature)
    return powers / powers.sum(axis=0)


def fit_temperature(logits: Floats, channels: npt.NDArray[np.integer]) -> float:
    """Return the T above 0 that makes (C, ...) logits / T likeliest to have given the true `channels` (...).

    It minimises the mean negative log-likelihood, whose one minimum lies between 0.05 and 20 or is taken to.
    Pixels whose channel is negative count for nothing. Raises ValueError where none is left.
    """
    known = channels >= 0
    if not known.any():
        raise ValueError("a temperature cannot be fitted without labelled pixels")
    scores = logits[:, known].astype(np.float64)  # (C, n)
    right = np.take_along_axis(scores, channels[known][None].astype(np.intp), axis=0)[0]

    def loss(exponent: float) -> float:
        cooled = scores / math.exp(exponent)
        most = cooled.max(axis=0)
        normaliser = most + np.log(np.exp(cooled - most).sum(axis=0))
        return float((normaliser - right / math.exp(exponent)).mean())

    limits = math.log(COLDEST), math.log(HOTTEST)
    return math.exp(minimize_scalar(loss, bounds=limits, method="bounded").x)
