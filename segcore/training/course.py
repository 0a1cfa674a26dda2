"""The course of a run: what validation has said so far, and what follows for the learning rate."""

import math
from dataclasses import dataclass

from segcore.training.recipe import Recipe

REDUCTION = 0.1


@dataclass
class Course:
    best: float = -1.0
    """The highest validation Dice so far; -1 before there was one."""
    best_step: int = 0
    stale: int = 0
    """Validations since the best one or since the second optimiser took over."""
    waited: int = 0
    """Validations since the best one or since the rate last changed."""
    reductions: int = 0
    second: bool = False
    """The second optimiser has taken over."""

    def hear(self, dice: float, step: int, recipe: Recipe) -> bool:
        """Take a validation's Dice into account; return whether it is the best so far. NaN says nothing."""
        if math.isnan(dice):
            return False
        if dice > self.best:
            self.best, self.best_step = dice, step
            self.stale = self.waited = 0
            return True
        self.stale += 1
        self.waited += 1
        if self.waited >= recipe.plateau:
            self._meet_plateau(recipe)
        return False

    def _meet_plateau(self, recipe: Recipe) -> None:
        if recipe.second is not None and not self.second:
            self.second = True
            self.stale = self.waited = 0
        elif recipe.schedule == "plateau":
            self.reductions += 1
            self.waited = 0

    def is_over(self, recipe: Recipe) -> bool:
        """Tell whether validation has been without a better Dice for the recipe's patience."""
        last = recipe.second is None or self.second
        return bool(recipe.patience) and last and self.stale >= recipe.patience

    def learning_rate(self, recipe: Recipe, step: int, steps: int) -> float:
        """Return the rate at `step` of `steps`: a linear warm-up, then as the schedule says."""
        rate = recipe.learning_rate
        if self.second and recipe.second is not None:
            rate = recipe.second.learning_rate
        if step < recipe.warmup:
            return rate * (step + 1) / recipe.warmup
        if recipe.schedule != "cosine":
            return rate * REDUCTION**self.reductions
        part = (step - recipe.warmup) / max(1, steps - recipe.warmup)
        return rate * (0.01 + 0.99 * (1 + math.cos(math.pi * part)) / 2)
