"""Training: from labelled pictures to a network's weights.

A `Recipe` says everything that decides a run; `train` is the loop; a run's folder holds its checkpoint
and its curve; `publish` makes a bundle of it, with the card that the recipe words and validation measures.
"""

from segcore.training.loop import evaluate, train
from segcore.training.publish import publish
from segcore.training.recipe import Recipe, read_recipe
from segcore.training.sources import read_sources

__all__ = ["Recipe", "evaluate", "publish", "read_recipe", "read_sources", "train"]
