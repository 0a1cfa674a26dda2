from viewer.actions.registry import action, has_slide
from viewer.session import Session

NOTE = "These pictures may show who the patient is. Nothing else in Acinus shows, copies or exports them."


@action("view.label", "Label and macro images…", menu="View", enabled=has_slide)
def show_label_and_macro(session: Session) -> None:
    """Show the pictures that the slide file carries beside the tissue; they may name the patient."""
    workspace = session.workspace
    if workspace is None:
        return
    slide = workspace.slide
    names = [each for each in slide.associated_names if each != "thumbnail"]
    if not names:
        session.tell.info(f"{slide.name} carries no label and no macro image.")
        return
    question = f"The {' and '.join(names)} of this slide may show who the patient is. Show them?"
    if not session.shows_labels and not session.ask.confirm(question, "Show"):
        return
    session.shows_labels = True
    job = session.jobs.start(
        "Reading label and macro",
        lambda _: {name.capitalize(): slide.associated(name) for name in names},
        owner=workspace,
    )
    job.succeeded.connect(lambda found: session.tell.pictures(f"Beside {slide.name}", NOTE, found))
    job.failed.connect(session.tell_failure)
