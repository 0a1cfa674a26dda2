from collections.abc import Sequence
from pathlib import Path

from segcore.annotations import Annotation
from viewer.actions.registry import action
from viewer.jobs import Job
from viewer.session import Session


def _has_annotations(session: Session) -> bool:
    return session.workspace is not None and bool(session.workspace.document.annotations)


@action(
    "file.export_measurements", "Export measurements…", menu="File", icon="mdi6.table-arrow-right",
    enabled=_has_annotations, why_not="There is no annotation to measure yet.",
)  # fmt: skip
def export_measurements(session: Session) -> None:
    """Write size, form, parent and mask areas of every annotation to a table (CSV)."""
    if session.workspace is not None:
        export_measurements_of(session, tuple(session.workspace.document.annotations.values()))


def export_measurements_of(session: Session, annotations: Sequence[Annotation]) -> None:
    """Ask for a file and write a row for each of `annotations`."""
    workspace = session.workspace
    if workspace is None:
        return
    suggestion = workspace.slide.path.with_name(f"{workspace.slide.name}-measurements.csv")
    path = session.ask.file_to_save("Export measurements", suggestion, "Table (*.csv)")
    if path is not None:
        export_measurements_to(session, path, annotations)


def export_measurements_to(
    session: Session, path: Path, annotations: Sequence[Annotation]
) -> Job | None:
    """Export without asking."""
    workspace = session.workspace
    if workspace is None:
        return None
    from segcore.annotations.measurement_table import write_csv  # noqa: PLC0415 - not needed at the start

    slide, taxonomy = workspace.slide, session.taxonomy
    labels = workspace.document.mask.label_map()
    job = session.jobs.start(
        "Exporting measurements",
        lambda report: write_csv(
            path,
            annotations,
            image=slide.path.name,
            mpp=slide.mpp,
            masks=[] if labels is None else [labels],
            taxonomy=taxonomy,
            report=report,
        ),
    )
    job.succeeded.connect(lambda n: session.tell.wrote(_told(n, path), path))
    job.failed.connect(
        lambda error: session.tell_failure(
            error, lambda: export_measurements_to(session, path, annotations)
        )
    )
    return job


def _told(rows: int, path: Path) -> str:
    return f"{rows:,} {'row is' if rows == 1 else 'rows are'} in {path.name}."
