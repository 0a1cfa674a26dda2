from viewer.actions.registry import action
from viewer.jobs.models import read_card
from viewer.session import Session


@action("help.about", "About Acinus", menu="Help")
def about(session: Session) -> None:
    """Tell what this program is and what it must not be used for."""
    from segcore import __version__  # noqa: PLC0415 - only wanted here

    session.tell.info(
        f"Acinus {__version__}, Apache-2.0. Research use only: not for diagnosis or treatment."
    )


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
