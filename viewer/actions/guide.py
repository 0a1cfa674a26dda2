from collections.abc import Sequence

from viewer.actions.registry import ACTIONS, action
from viewer.jobs.models import read_card
from viewer.session import Session
from viewer.tools import TOOLS

MENUS = ("File", "Edit", "View", "Draw", "Shape", "Segment", "Explain", "Measure", "Help")
"""In the order of the window."""
BY_HAND = (
    ("Wheel", "Zoom at the pointer"),
    ("Ctrl+wheel", "Opacity of the mask"),
    ("Alt+wheel, [ and ]", "Size of the brush"),
    ("Space, held", "Pan from any tool"),
    ("Arrow keys", "Pan; Ctrl moves the selection, Alt turns the view"),
    ("1 to 9", "Choose a class; with Shift: give it to the selection"),
    ("Click, Ctrl+click", "Select; add to the selection or take away"),
    ("Shift+drag", "Select by a box"),
    ("Drag an edge", "Move the selected shape; with Ctrl from any place inside"),
    ("Double click", "Select the next deeper; on an edge: a new vertex"),
    ("Alt+click", "On a vertex or point: take it away"),
    ("Right click", "What can be done here"),
    ("Enter", "While a tool is chosen: press and let go in the middle of the view; finish a shape"),
    ("Backspace", "While drawing: take back the last vertex"),
    ("Escape", "Leave the shape, then the tool, then the selection"),
    ("Ctrl+L", "Find any command"),
    ("Ctrl+Q", "Quit"),
)
"""What is in no menu, and what it does."""

Row = tuple[str, str]


@action("help.about", "About Acinus", menu="Help")
def about(session: Session) -> None:
    """Tell what this program is and what it must not be used for."""
    from segcore import __version__  # noqa: PLC0415 - only wanted here

    session.tell.info(
        f"Acinus {__version__}, Apache-2.0. Research use only: not for diagnosis or treatment."
    )


@action("help.keys", "Keys and mouse", menu="Help", shortcut="F1", icon="mdi6.keyboard-outline")
def keys(session: Session) -> None:
    """Show all keys there are, and what the mouse does."""
    tools = [(each.key, each.title) for each in TOOLS if each.key]
    parts = [_table("Mouse and general keys", BY_HAND), _table("Tools", tools)]
    parts += [_table(menu, rows) for menu in MENUS if (rows := _keys_of(menu))]
    session.tell.page("Keys and mouse", "\n\n".join(parts))


def _keys_of(menu: str) -> list[Row]:
    actions = [each for each in ACTIONS.values() if each.menu.split("/")[0] == menu]
    return [(each.shortcut, each.title.rstrip("…")) for each in actions if each.shortcut]


def _table(title: str, rows: Sequence[Row]) -> str:
    lines = [f"| {key} | {what} |" for key, what in rows]
    return "\n".join([f"## {title}", "", "| key | what it does |", "|---|---|", *lines])


@action("help.model", "About the model", menu="Help")
def about_model(session: Session) -> None:
    """Show what the model was trained on, how it was measured, and what it cannot do."""
    name = str(session.settings["model"])
    card = read_card(name)
    if card is None:
        session.tell.info(f"{name} comes without a card; the package's README may tell.")
        return
    rows = [
        f"| {m['class_name']} | {m['name']} {m['value']:.2f} | {m['split']} | {m['cases']} | {m['note']} |"
        for m in card["metrics"]
        if m["name"] == "IoU"
    ]
    table = ["| class | figure | measured on | cases | note |", "|---|---|---|---|---|", *rows]
    parts = [
        f"# {card['title']}",
        f"**Use:** {card['intended_use']}",
        f"**Limits:** {card['limits']}",
        f"**Trained on:** {card['training']['summary']}",
        f"**Licence:** {card['licence']}",
        "\n".join(table),
    ]
    session.tell.page("About the model", "\n\n".join(parts))
