"""Inference: from a region of a slide to a mask, tile by tile, in bounded memory.

The *mask grid* spans the slide at the bundle's pixel size; the *lattice* lays overlapping tiles on it,
always in the same places. `segment_region` predicts the tiles that a region needs, blends and refines
them, and returns a `LabelMap`.
"""

from segcore.inference.segment import segment_region

__all__ = ["segment_region"]
