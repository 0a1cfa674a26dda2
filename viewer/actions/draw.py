from viewer.actions.registry import action
from viewer.session import Session


def _on_annotations(session: Session) -> bool:
    return session.settings["paint.on"] == "annotations"


@action(
    "draw.on_annotations", "Brush and wand work on annotations", menu="Draw", shortcut="X",
    checked=_on_annotations,
)  # fmt: skip
def switch_target(session: Session) -> None:
    """Let brush, eraser and wand change annotations instead of the mask, or the mask again."""
    on_mask = session.settings["paint.on"] == "mask"
    session.settings["paint.on"] = "annotations" if on_mask else "mask"
    session.looks_changed.emit(None)
    if session.tool.works_on != "either":
        what = "annotations" if on_mask else "the mask"
        session.tell.info(f"Brush, eraser and wand now change {what}.")
