"""Refinement: what makes a network's mask follow the tissue more closely.

*Label propagation* spreads class probabilities, and the strokes of a user, along neighbouring pixels that
look alike. A `Refinement` holds its settings.
"""

from segcore.refinement.propagation import Refinement, propagate_labels

__all__ = ["Refinement", "propagate_labels"]
