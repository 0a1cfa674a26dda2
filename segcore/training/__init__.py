"""Training: from labelled pictures to a network's weights.

A `Recipe` says everything that decides a run; `train` is the loop; a run's folder holds its record, its
checkpoint, its best weights and its curves; `publish` makes a bundle of it, with the card that the recipe
words and validation measures.
"""

from segcore.training.loop import train
from segcore.training.processes import Processes, joined_processes
from segcore.training.publish import manifest_hash, publish
from segcore.training.recipe import Recipe, read_recipe, recipe_names
from segcore.training.sources import read_sources
from segcore.training.validation import evaluate, mean_dice
from segcore.training.weights import best_weights, read_start

__all__ = [
    "Processes",
    "Recipe",
    "best_weights",
    "evaluate",
    "joined_processes",
    "manifest_hash",
    "mean_dice",
    "publish",
    "read_recipe",
    "read_sources",
    "read_start",
    "recipe_names",
    "train",
]
