"""Inference: from a region of a slide to a mask, tile by tile, in bounded memory.

The *mask grid* spans the slide at the bundle's pixel size; the *lattice* lays overlapping tiles on it,
always in the same places. `segment_region` predicts the tiles that a region needs, blends and refines
them, and returns a `LabelMap`; what a `RunCache` holds is not predicted again, and `refine_again` never
predicts. `check_region` tells beforehand what speaks against it. `classify_tissue` says what the tissue in it is, where the bundle can.
"""

from segcore.inference.cache import RunCache
from segcore.inference.checking import Concern, check_region
from segcore.inference.classify import TissueScore, classify_tissue
from segcore.inference.region import apart, tissue_region
from segcore.inference.segment import refine_again, segment_region

__all__ = [
    "Concern",
    "RunCache",
    "TissueScore",
    "apart",
    "check_region",
    "classify_tissue",
    "refine_again",
    "segment_region",
    "tissue_region",
]
