"""Training: from labelled pictures to a network's weights.

A `Recipe` says everything that decides a run; `train` is the loop; a run's folder holds its checkpoint
and its curve.
"""

from segcore.training.loop import evaluate, train
from segcore.training.recipe import Recipe, read_recipe
from segcore.training.sources import read_sources

__all__ = ["Recipe", "evaluate", "read_recipe", "read_sources", "train"]
