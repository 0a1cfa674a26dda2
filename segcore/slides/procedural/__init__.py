"""The sample slide: a section of breast carcinoma that the program grows and paints itself, with its truth.

A seed decides a `layout` of regions and the `cells` in them; a `scene` paints any window of it: `ground`
and `fibres`, then `nuclei`, as amounts of haematoxylin and eosin, which `optics` turns into a picture.
Every pixel is a function of the seed and its place alone. Nothing is copied from any slide.
"""

from segcore.slides.procedural.optics import STANDARD, Stain, draw_stain
from segcore.slides.procedural.sample import MPP, SAMPLE_ROI, make_sample_slide, paint_sample

__all__ = [
    "MPP",
    "SAMPLE_ROI",
    "STANDARD",
    "Stain",
    "draw_stain",
    "make_sample_slide",
    "paint_sample",
]
