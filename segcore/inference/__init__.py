"""Inference: from a region of a slide to a mask, tile by tile, in bounded memory.

The *mask grid* spans the slide at the bundle's pixel size; the *lattice* lays overlapping tiles on it,
always in the same places. `segment_region` predicts the tiles that a region needs, blends and refines
them, and returns a `LabelMap`. `classify_tissue` says what the tissue in it is, where the bundle can.
"""

from segcore.inference.classify import TissueScore, classify_tissue
from segcore.inference.segment import segment_region

__all__ = ["TissueScore", "classify_tissue", "segment_region"]
