"""All tools, in the order of the toolbar; keys as in QuPath where it has the tool."""

from viewer.tools.base import Tool
from viewer.tools.brush import brush, erase
from viewer.tools.draw import ellipse, freehand, polygon, rectangle, spline
from viewer.tools.lines import line, polyline
from viewer.tools.magic import magic
from viewer.tools.mask_fill import fill
from viewer.tools.points import points
from viewer.tools.select import choose_by_box, choose_by_lasso
from viewer.tools.spread import spread
from viewer.tools.wand import wand

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
        "spline",
        "Spline",
        "Shift+O",
        "mdi6.vector-bezier",
        "Click a smooth border vertex by vertex. Double-click or Enter finishes, Backspace removes the last.",
        spline,
        by_vertices=True,
        family="area",
    ),
    Tool(
        "line",
        "Line",
        "L",
        "mdi6.ruler",
        "Drag to measure a length. Shift: steps of 45 degrees.",
        line,
        family="line",
    ),
    Tool(
        "polyline",
        "Polyline",
        "V",
        "mdi6.vector-polyline",
        "Click along a line, or drag it. Double-click or Enter finishes, Backspace removes the last vertex.",
        polyline,
        by_vertices=True,
        family="line",
    ),
    Tool(
        "points",
        "Points",
        ".",
        "mdi6.dots-hexagon",
        "Click to count. Drag a point to move it, Alt+click takes it away.",
        points,
        sticky=True,
        family="points",
    ),
    Tool(
        "brush",
        "Brush",
        "B",
        "mdi6.brush",
        "Paint the chosen class; [ and ] change the size. Alt takes away; on annotations Shift goes on with the selected one, Ctrl+Shift keeps clear of others.",
        brush,
        sticky=True,
        paints=True,
        works_on="either",
        family="brush",
    ),
    Tool(
        "spread",
        "Strokes that spread",
        "Shift+B",
        "mdi6.gesture",
        "Scribble on tissue of the chosen class, Alt on what is of none: what looks alike around is proposed.",
        spread,
        sticky=True,
        works_on="mask",
        family="brush",
    ),
    Tool(
        "erase",
        "Eraser",
        "E",
        "mdi6.eraser",
        "Rub out of the mask, or of the selected annotation, else of the one under the pointer. [ and ] change the size.",
        erase,
        sticky=True,
        paints=True,
        works_on="either",
        family="erase",
    ),
    Tool(
        "wand",
        "Wand",
        "W",
        "mdi6.auto-fix",
        "Drag over tissue of one colour. Alt takes away; on annotations Shift goes on with the selected one, Ctrl+Shift keeps clear of others.",
        wand,
        sticky=True,
        works_on="either",
        family="wand",
    ),
    Tool(
        "magic",
        "Magic select",
        "Shift+W",
        "mdi6.creation",
        "Press on tissue: the model finds what hangs together with it, up to 0.1 mm around. Drag right for more, left for less.",
        magic,
        sticky=True,
        works_on="either",
        family="wand",
    ),
    Tool(
        "fill",
        "Fill",
        "F",
        "mdi6.format-color-fill",
        "Click a region of the mask to give it the chosen class. Alt makes it unlabelled.",
        fill,
        sticky=True,
        works_on="mask",
        family="wand",
    ),
)


def families() -> list[tuple[Tool, ...]]:
    """Return the tools that share a button, in the order of the toolbar."""
    names = dict.fromkeys(each.family for each in TOOLS)
    return [tuple(each for each in TOOLS if each.family == name) for name in names]


def tool_named(name: str) -> Tool:
    return next(each for each in TOOLS if each.name == name)
