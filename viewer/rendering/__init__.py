"""Rendering: from slide, mask, heatmap and annotations to what is seen. Layers paint; nothing here is a widget.

The viewport is the one place where screen and slide coordinates meet.
"""

from viewer.rendering.adjustment import Adjustment
from viewer.rendering.annotation_layer import AnnotationLayer
from viewer.rendering.heatmap_layer import HeatmapLayer, heat_colours
from viewer.rendering.mask_layer import MaskPainter
from viewer.rendering.proposal_layer import ProposalLayer, paint_scribbles
from viewer.rendering.slide_layer import SlideLayer
from viewer.rendering.tile_loader import TileLoader
from viewer.rendering.viewport import Viewport

__all__ = [
    "Adjustment",
    "AnnotationLayer",
    "HeatmapLayer",
    "MaskPainter",
    "ProposalLayer",
    "SlideLayer",
    "TileLoader",
    "Viewport",
    "heat_colours",
    "paint_scribbles",
]
