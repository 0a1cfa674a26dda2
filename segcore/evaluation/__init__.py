"""Evaluation: how well a mask agrees with a reference, from confusion counts, in numpy alone.

A `Confusion` holds, for every pair of classes, how many pixels the reference calls the one and the
prediction the other; pixels that the reference leaves unlabelled (code 0) count for nothing. Counts of
tiles, regions and cases add up; every score is read from the sum.
"""

from segcore.evaluation.confusion import Confusion, confusion

__all__ = ["Confusion", "confusion"]
