"""Tools: what the hand can do on a slide. A tool is a gesture, a generator of previews that returns an edit.

Pointer events go in, in level-0 pixels; previews come out; the return value is the `Edit` to apply, or None.
Closing the generator (Escape) leaves no trace. Nothing here knows Qt.
"""

from viewer.tools.base import Context, Gesture, MaskPreview, Outline, Pointer, Preview, Tool
from viewer.tools.catalogue import TOOLS, tool_named

__all__ = [
    "TOOLS",
    "Context",
    "Gesture",
    "MaskPreview",
    "Outline",
    "Pointer",
    "Preview",
    "Tool",
    "tool_named",
]
