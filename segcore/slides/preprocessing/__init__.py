"""Pre-processing: named steps that turn a tile of a slide into the picture that a network was trained on.

A *step* is a frozen value with a name and numbers, so that a bundle's card can hold a list of them and
every program repeats them exactly. A *picture* is float32 (H, W, 3), red, green and blue from 0 to 255.
A tile of a single colour passes every step unchanged: there is nothing in it to measure.
"""

from segcore.slides.preprocessing.appearance import StainRange, appearance, stain_range
from segcore.slides.preprocessing.colours import Colours, measure_colours
from segcore.slides.preprocessing.stains import REFERENCE, Stains, estimate_stains
from segcore.slides.preprocessing.steps import (
    STEPS,
    Clahe,
    Macenko,
    Reinhard,
    Resize,
    SeparateStain,
    Standardise,
    Step,
    preprocess,
    step_names,
)

__all__ = [
    "REFERENCE",
    "STEPS",
    "Clahe",
    "Colours",
    "Macenko",
    "Reinhard",
    "Resize",
    "SeparateStain",
    "StainRange",
    "Stains",
    "Standardise",
    "Step",
    "appearance",
    "estimate_stains",
    "measure_colours",
    "preprocess",
    "stain_range",
    "step_names",
]
