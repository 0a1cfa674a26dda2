"""All tools, in the order of the toolbar; keys as in QuPath where it has the tool."""

from viewer.tools.base import Tool
from viewer.tools.brush import brush, erase
from viewer.tools.draw import ellipse, freehand, polygon, rectangle

TOOLS: tuple[Tool, ...] = (
    Tool(
        "move",
        "Move",
        "M",
        "mdi6.cursor-move",
        "Drag to pan, click to select, wheel to zoom.",
        None,
        sticky=True,
    ),
    Tool(
        "rectangle",
        "Rectangle",
        "R",
        "mdi6.rectangle-outline",
        "Drag a rectangle around the region. Shift: square.",
        rectangle,
    ),
    Tool(
        "ellipse",
        "Ellipse",
        "O",
        "mdi6.ellipse-outline",
        "Drag an ellipse around the region. Shift: circle.",
        ellipse,
    ),
    Tool(
        "polygon",
        "Polygon",
        "P",
        "mdi6.vector-polygon",
        "Click vertex by vertex. Double-click or Enter finishes, Backspace removes the last.",
        polygon,
    ),
    Tool(
        "freehand",
        "Freehand",
        "Shift+P",
        "mdi6.draw",
        "Drag along the border; releasing closes it.",
        freehand,
    ),
    Tool(
        "brush",
        "Brush",
        "B",
        "mdi6.brush",
        "Paint the chosen class. Alt erases, [ and ] change the size, 1 to 5 choose the class.",
        brush,
        sticky=True,
        paints=True,
    ),
    Tool(
        "erase",
        "Eraser",
        "E",
        "mdi6.eraser",
        "Rub out the mask. [ and ] change the size.",
        erase,
        sticky=True,
        paints=True,
    ),
)


def tool_named(name: str) -> Tool:
    return next(each for each in TOOLS if each.name == name)
