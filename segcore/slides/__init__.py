"""Slides: pixels of gigapixel files and plain images behind one small interface, and the sample slide.

Nothing here knows torch. One frame everywhere: level-0 pixels of the full slide.
"""

from segcore.slides.array import ArraySlide
from segcore.slides.base import Level, Rgb, Slide, open_slide, read_scaled
from segcore.slides.fingerprint import fingerprint
from segcore.slides.pixelsize import propose_mpp

__all__ = [
    "ArraySlide",
    "Level",
    "Rgb",
    "Slide",
    "fingerprint",
    "open_slide",
    "propose_mpp",
    "read_scaled",
]
