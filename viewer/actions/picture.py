from viewer.actions.registry import action, has_slide
from viewer.session import Session


@action("edit.copy_view", "Copy view", menu="Edit", shortcut="Ctrl+Shift+C", enabled=has_slide)
def copy_view(session: Session) -> None:
    """Put what the canvas shows on the clipboard, with its scale bar."""
    session.view.copy_picture()
    session.tell.info("The view is on the clipboard.")


@action("file.export_view", "Export view as picture…", menu="File", enabled=has_slide)
def export_view(session: Session) -> None:
    """Write what the canvas shows, with scale bar and legend, for a talk or a paper."""
    workspace = session.workspace
    if workspace is None:
        return
    options = session.ask.picture(*session.view.picture_size)
    if options is None:
        return
    suggestion = workspace.slide.path.with_name(f"{workspace.slide.name}-view.png")
    pattern = "Pictures (*.png *.tif *.jpg)"
    path = session.ask.file_to_save("Export view", suggestion, pattern)
    if path is not None:
        session.view.export_picture(path, options)
