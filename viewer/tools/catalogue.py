"""All tools, in the order of the toolbar; keys as in QuPath where it has the tool."""

from viewer.tools.base import Tool
from viewer.tools.brush import brush, erase
from viewer.tools.draw import ellipse, freehand, polygon, rectangle
from viewer.tools.select import choose_by_box, choose_by_lasso

TOOLS: tuple[Tool, ...] = (
    Tool(
        "move",
        "Move",
        "M",
        "mdi6.cursor-move",
        "Drag to pan, click to select, wheel to zoom; a selected shape moves by its edge.",
        None,
        sticky=True,
        family="move",
    ),
    Tool(
        "select",
        "Select by a box",
        "Shift+S",
        "mdi6.select-drag",
        "Drag a box; what has its middle in it is selected. Ctrl adds, Alt takes away.",
        choose_by_box,
        sticky=True,
        family="move",
    ),
    Tool(
        "lasso",
        "Select by a lasso",
        "Shift+L",
        "mdi6.lasso",
        "Drag a loop; what has its middle in it is selected. Ctrl adds, Alt takes away.",
        choose_by_lasso,
        sticky=True,
        family="move",
    ),
    Tool(
        "rectangle",
        "Rectangle",
        "R",
        "mdi6.rectangle-outline",
        "Drag a rectangle around the region. Shift: square.",
        rectangle,
        family="area",
    ),
    Tool(
        "ellipse",
        "Ellipse",
        "O",
        "mdi6.ellipse-outline",
        "Drag an ellipse around the region. Shift: circle.",
        ellipse,
        family="area",
    ),
    Tool(
        "polygon",
        "Polygon",
        "P",
        "mdi6.vector-polygon",
        "Click vertex by vertex. Double-click or Enter finishes, Backspace removes the last.",
        polygon,
        by_vertices=True,
        family="area",
    ),
    Tool(
        "freehand",
        "Freehand",
        "Shift+P",
        "mdi6.draw",
        "Drag along the border; releasing closes it.",
        freehand,
        family="area",
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
        works_on="either",
        family="brush",
    ),
    Tool(
        "erase",
        "Eraser",
        "E",
        "mdi6.eraser",
        "Rub out. [ and ] change the size.",
        erase,
        sticky=True,
        paints=True,
        works_on="either",
        family="erase",
    ),
)


def families() -> list[tuple[Tool, ...]]:
    """Return the tools that share a button, in the order of the toolbar."""
    names = dict.fromkeys(each.family for each in TOOLS)
    return [tuple(each for each in TOOLS if each.family == name) for name in names]


def tool_named(name: str) -> Tool:
    return next(each for each in TOOLS if each.name == name)
