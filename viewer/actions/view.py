from viewer.actions.registry import action, has_slide
from viewer.session import Session

ZOOM_STEP = 1.5


@action(
    "view.fit",
    "Fit the slide",
    menu="View",
    shortcut="0",
    icon="mdi6.fit-to-page-outline",
    enabled=has_slide,
)
def fit(session: Session) -> None:
    """Show the whole slide."""
    session.view.fit()


@action(
    "view.region",
    "Go to the region",
    menu="View",
    shortcut="G",
    enabled=lambda s: s.region is not None,
    why_not="Draw a region first.",
)
def show_region(session: Session) -> None:
    """Show the selected region, or the one drawn last."""
    region = session.region
    if region is not None:
        session.view.show_region(*region.geometry.bounds)


@action("view.zoom_in", "Zoom in", menu="View", shortcut="+", enabled=has_slide)
def zoom_in(session: Session) -> None:
    """Magnify the middle of the view."""
    session.view.zoom(ZOOM_STEP)


@action("view.zoom_out", "Zoom out", menu="View", shortcut="-", enabled=has_slide)
def zoom_out(session: Session) -> None:
    """Show more of the slide."""
    session.view.zoom(1 / ZOOM_STEP)


@action(
    "view.annotations", "Annotations", menu="View", shortcut="A", enabled=has_slide,
    checked=lambda s: s.show_annotations,
)  # fmt: skip
def toggle_annotations(session: Session) -> None:
    """Show or hide annotations."""
    session.show_annotations = not session.show_annotations
    session.looks_changed.emit(None)


@action(
    "view.mask", "Class mask", menu="View", shortcut="C", enabled=has_slide,
    checked=lambda s: s.show_mask,
)  # fmt: skip
def toggle_mask(session: Session) -> None:
    """Show or hide the class mask."""
    session.show_mask = not session.show_mask
    session.looks_changed.emit(None)


@action(
    "view.overview", "Overview", menu="View", shortcut="Shift+V", enabled=has_slide,
    checked=lambda s: s.show_overview,
)  # fmt: skip
def toggle_overview(session: Session) -> None:
    """Show or hide the small picture of the whole slide."""
    session.show_overview = not session.show_overview
    session.looks_changed.emit(None)


@action(
    "view.grid", "Grid", menu="View", shortcut="Shift+G", enabled=has_slide,
    checked=lambda s: s.show_grid,
)  # fmt: skip
def toggle_grid(session: Session) -> None:
    """Show or hide a grid of 250 µm (coarser where that would be too fine)."""
    session.show_grid = not session.show_grid
    session.looks_changed.emit(None)
