"""Slides: pixels of gigapixel files and plain images behind one small interface, and the sample slide.

Nothing here knows torch. One frame everywhere: level-0 pixels of the full slide.
"""

from segcore.slides.base import Level, Slide, open_slide, read_scaled

__all__ = ["Level", "Slide", "open_slide", "read_scaled"]
