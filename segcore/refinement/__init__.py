"""Refinement: what makes a network's mask follow the tissue more closely.

*Label propagation* spreads class probabilities, and the strokes of a user, along neighbouring pixels that
look alike; `spread` lets the strokes weigh as much as many pixels. A `Refinement` holds its settings.
"""

from segcore.refinement.features import Features
from segcore.refinement.propagation import Refinement, propagate_labels
from segcore.refinement.spreading import SPREADING, STRENGTH, probabilities_of, spread

__all__ = [
    "SPREADING",
    "STRENGTH",
    "Features",
    "Refinement",
    "probabilities_of",
    "propagate_labels",
    "spread",
]
