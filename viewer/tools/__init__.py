"""Tools: what the hand can do on a slide. A tool is a gesture, a generator of previews that returns an edit.

Pointer events go in, in level-0 pixels; previews come out; the return value is the `Edit` to apply, or None.
Closing the generator (Escape) leaves no trace. Nothing here knows Qt.
"""

from viewer.tools.base import (
    AcceptRegion,
    Choice,
    Context,
    Gesture,
    MaskPreview,
    Outline,
    Pointer,
    Preview,
    Probabilities,
    Refusal,
    Result,
    Scribble,
    Sketch,
    Tissue,
    Tool,
)
from viewer.tools.catalogue import TOOLS, families, tool_named

__all__ = [
    "TOOLS",
    "AcceptRegion",
    "Choice",
    "Context",
    "Gesture",
    "MaskPreview",
    "Outline",
    "Pointer",
    "Preview",
    "Probabilities",
    "Refusal",
    "Result",
    "Scribble",
    "Sketch",
    "Tissue",
    "Tool",
    "families",
    "tool_named",
]
