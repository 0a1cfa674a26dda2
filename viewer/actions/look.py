"""How the slide is shown: turned, mirrored, at which magnification, in which colours."""

from collections.abc import Callable
from dataclasses import replace

from viewer.actions.registry import action, has_slide
from viewer.rendering import Adjustment
from viewer.rendering.viewport import MPP_AT_1X
from viewer.session import Session

MAGNIFICATION, DISPLAY = "View/Magnification", "View/Display"


@action("view.turn_right", "Turn right", menu="View/Turn", shortcut="Alt+Right", enabled=has_slide)
def turn_right(session: Session) -> None:
    """Turn the slide clockwise by a quarter."""
    session.view.turn(90)


@action("view.turn_left", "Turn left", menu="View/Turn", shortcut="Alt+Left", enabled=has_slide)
def turn_left(session: Session) -> None:
    """Turn the slide counterclockwise by a quarter."""
    session.view.turn(-90)


@action("view.turn_little", "Turn by 15°", menu="View/Turn", shortcut="Alt+Up", enabled=has_slide)
def turn_little(session: Session) -> None:
    """Turn the slide clockwise a little."""
    session.view.turn(15)


@action("view.mirror", "Mirror", menu="View/Turn", shortcut="Alt+M", enabled=has_slide)
def mirror(session: Session) -> None:
    """Exchange left and right."""
    session.view.mirror()


@action("view.upright", "As scanned", menu="View/Turn", shortcut="Alt+Down", enabled=has_slide)
def turn_upright(session: Session) -> None:
    """Show the slide neither turned nor mirrored."""
    session.view.turn_upright()


@action(
    "view.full", "Full resolution (1:1)", menu=MAGNIFICATION, shortcut="Ctrl+1", enabled=has_slide
)
def full_resolution(session: Session) -> None:
    """Show one slide pixel per screen pixel."""
    session.view.set_scale(1.0)


def _magnifying(power: int) -> Callable[[Session], None]:
    def magnify(session: Session) -> None:
        mpp = session.workspace.slide.mpp if session.workspace is not None else None
        if mpp is None:
            session.tell.info("This slide does not say its pixel size; set it under Measure.")
        else:
            session.view.set_scale(MPP_AT_1X / power / mpp)

    magnify.__doc__ = f"Magnify as a {power}x objective does."
    return magnify


for _power, _key in ((5, "Ctrl+5"), (10, "Ctrl+6"), (20, "Ctrl+7"), (40, "Ctrl+8")):
    action(f"view.{_power}x", f"{_power}×", menu=MAGNIFICATION, shortcut=_key, enabled=has_slide)(
        _magnifying(_power)
    )


@action(
    "view.adjust", "Brightness and stains", menu=DISPLAY, shortcut="Shift+C", enabled=has_slide,
    checked=lambda s: s.show_adjustments,
)  # fmt: skip
def toggle_adjustments(session: Session) -> None:
    """Show or hide the controls for brightness, contrast, gamma and single stains."""
    session.show_adjustments = not session.show_adjustments
    session.looks_changed.emit(None)


def _toggle_stain(session: Session, stain: str) -> None:
    shown = "" if session.adjustment.stain == stain else stain
    session.adjust(replace(session.adjustment, stain=shown))


@action(
    "view.haematoxylin", "Haematoxylin only", menu=DISPLAY, enabled=has_slide,
    checked=lambda s: s.adjustment.stain == "haematoxylin",
)  # fmt: skip
def haematoxylin(session: Session) -> None:
    """Show the blue of the nuclei alone; analysis still sees the slide's own colours."""
    _toggle_stain(session, "haematoxylin")


@action(
    "view.eosin", "Eosin only", menu=DISPLAY, enabled=has_slide,
    checked=lambda s: s.adjustment.stain == "eosin",
)  # fmt: skip
def eosin(session: Session) -> None:
    """Show the pink of cytoplasm and fibres alone; analysis still sees the slide's own colours."""
    _toggle_stain(session, "eosin")


@action("view.own_colours", "The slide's own colours", menu=DISPLAY, enabled=has_slide)
def own_colours(session: Session) -> None:
    """Show the tissue as it was scanned."""
    session.adjust(Adjustment())


def _has_profile(session: Session) -> bool:
    return session.workspace is not None and session.workspace.slide.icc_profile is not None


@action(
    "view.colour_profile", "Colours by the slide's profile", menu=DISPLAY, enabled=_has_profile,
    checked=lambda s: s.settings["colour.managed"], why_not="This slide has no colour profile.",
)  # fmt: skip
def toggle_colour_profile(session: Session) -> None:
    """Show the slide by its ICC profile, or its numbers as they are; analysis always sees the numbers."""
    session.settings["colour.managed"] = not session.settings["colour.managed"]
    session.looks_changed.emit(None)


@action(
    "view.hatches", "Hatches", menu=DISPLAY, enabled=has_slide,
    checked=lambda s: s.settings["mask.hatched"],
)  # fmt: skip
def toggle_hatches(session: Session) -> None:
    """Draw each class of the mask with its hatch too, so that colour is never alone."""
    session.settings["mask.hatched"] = not session.settings["mask.hatched"]
    session.looks_changed.emit(None)


@action("view.theme", "Light theme", menu=DISPLAY, checked=lambda s: s.settings["theme"] == "light")
def toggle_theme(session: Session) -> None:
    """Change between the dark and the light theme."""
    session.settings["theme"] = "dark" if session.settings["theme"] == "light" else "light"
    session.looks_changed.emit(None)
