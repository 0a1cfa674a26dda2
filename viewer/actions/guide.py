from viewer.actions.registry import action
from viewer.session import Session


@action("help.about", "About Acinus", menu="Help")
def about(session: Session) -> None:
    """Tell what this program is and what it must not be used for."""
    from segcore import __version__  # noqa: PLC0415 - only wanted here

    session.tell.info(
        f"Acinus {__version__}, Apache-2.0. Research use only: not for diagnosis or treatment."
    )
