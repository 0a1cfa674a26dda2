"""All annotations with their measurements, in a window of their own."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import shapely
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from segcore.annotations import Annotation
from segcore.annotations.hierarchy import parents
from segcore.annotations.measuring import measure, measure_all
from viewer.actions import action_named, perform
from viewer.actions.measurements import export_measurements_of
from viewer.session import Session
from viewer.widgets.annotation_table import FilterField
from viewer.widgets.annotation_table_columns import CLASS, LOCK, NAME_ALONE, Column, title_of
from viewer.widgets.annotation_table_model import AnnotationTableModel
from viewer.widgets.annotation_table_view import AnnotationTable

MEASURED = ("Area {u}^2", "Perimeter {u}", "Length {u}", "Circularity", "Num points")
SHOWN = {"Area {u}^2": "Area", "Perimeter {u}": "Perimeter", "Length {u}": "Length"}
KEYS = ("edit.undo", "edit.redo", "edit.toggle_lock", "edit.classify")
"""Actions whose keys work in this window too."""
WIDTHS = (190, 130, 105, 105, 95, 95, 70, 120, 0, 26)


class AnnotationTableWindow(QDialog):
    """The large table; it follows the session until it is closed."""

    def __init__(
        self, session: Session, open_menu: Callable[[QPoint], None], parent: QWidget
    ) -> None:
        super().__init__(parent)
        self.session = session
        self.setWindowTitle("Annotations")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(1080, 560)
        self.model = AnnotationTableModel(session, partial(_columns, session), self)
        self.table = AnnotationTable(session, self.model)
        self.table.arrange(WIDTHS)
        self.table.menu_wanted.connect(open_menu)
        self.filter = FilterField(self.model)
        self.filter.setPlaceholderText("Filter by name, class or notes; class:tumor for the class alone")  # fmt: skip
        self.filter.left.connect(self.table.setFocus)
        self._counted = QLabel()
        self._counted.setObjectName("muted")
        self.export = QPushButton("Export CSV…")
        self.export.setAutoDefault(False)
        self.export.setToolTip("Write the rows that are shown, with all their measurements")
        self.export.clicked.connect(self._export)
        self._arrange()
        self._add_keys()
        for signal in (self.model.modelReset, self.model.rowsInserted, self.model.rowsRemoved):
            signal.connect(self._count)
        session.selected.connect(self._on_selected)
        self._count()
        self.table.setFocus()
        self.table.show_selection()

    def done(self, result: int) -> None:
        """Close, and follow the session no longer."""
        self.session.selected.disconnect(self._on_selected)
        self.table.leave()
        super().done(result)

    def _arrange(self) -> None:
        head, foot = QHBoxLayout(), QHBoxLayout()
        head.addWidget(self.filter, 1)
        foot.addWidget(self._counted, 1)
        foot.addWidget(self.export)
        column = QVBoxLayout(self)
        column.setSpacing(10)
        column.addLayout(head)
        column.addWidget(self.table, 1)
        column.addLayout(foot)

    def _add_keys(self) -> None:
        find = QShortcut(QKeySequence("Ctrl+F"), self)
        find.activated.connect(self.filter.setFocus)
        for name in KEYS:
            each = action_named(name)
            for key in each.shortcut.split(" or "):
                QShortcut(QKeySequence(key), self).activated.connect(
                    partial(perform, each, self.session)
                )

    def _on_selected(self, _: frozenset[str]) -> None:
        self._count()

    def _count(self) -> None:
        shown, total = self.model.rowCount(), self.model.total
        workspace = self.session.workspace
        chosen = len(workspace.selection) if workspace is not None else 0
        said = f"{total:,} annotations" if shown == total else f"{shown:,} of {total:,} annotations"
        self._counted.setText(f"{said}, {chosen:,} selected" if chosen else said)
        self.export.setEnabled(shown > 0)

    def _export(self) -> None:
        rows = range(self.model.rowCount())
        export_measurements_of(self.session, [self.model.annotation(row) for row in rows])


def _columns(session: Session, mpp: float | None) -> tuple[Column, ...]:
    unit = "px" if mpp is None else "µm"
    measures = _Measures(mpp)
    measured = [
        Column(
            name.format(u=unit).replace("^2", "²").replace("Num points", "Points"),
            partial(measures.text, name.format(u=unit)),
            partial(measures.keys, name.format(u=unit)),
            number=True,
            hint=f"{SHOWN.get(name, name)}; empty where a shape has none",
        )
        for name in MEASURED
    ]
    parent = Column(
        "Lies in", partial(_parent, session), None, hint="The smallest annotation around it"
    )
    notes = Column("Notes", lambda each: each.notes.replace("\n", " "), _notes)
    return NAME_ALONE, CLASS, *measured, parent, notes, LOCK


class _Measures:
    """Measurements of the rows in sight; a row is measured once for all its cells."""

    def __init__(self, mpp: float | None) -> None:
        self._mpp = mpp
        self._of: Annotation | None = None
        self._found: dict[str, float] = {}

    def text(self, name: str, annotation: Annotation) -> str:
        if annotation is not self._of:
            self._of, self._found = annotation, measure(annotation.geometry, self._mpp)
        value = self._found.get(name)
        if value is None:
            return ""
        return f"{value:.3f}" if value < 10 and not value.is_integer() else f"{value:,.0f}"

    def keys(self, name: str, annotations: Sequence[Annotation]) -> Sequence[Any]:
        """Return the measured values; what has none counts as least."""
        values = measure_all([each.geometry for each in annotations], self._mpp)[name]
        return np.where(np.isfinite(values), values, -1.0).tolist()


def _parent(session: Session, annotation: Annotation) -> str:
    """Return the title of the smallest annotation around another, "" where nothing holds it."""
    workspace = session.workspace
    if workspace is None or annotation.geometry.is_empty:
        return ""
    whole = annotation.kind == "annotation"  # a detection lies where its centre lies
    place = annotation.geometry if whole else annotation.geometry.centroid
    left, top, right, bottom = shapely.bounds(place)
    rows = workspace.document.spatial.rows((left, top, right, bottom))
    bounds = rows.bounds
    around = (bounds[:, :2] <= (left, top)).all(1) & (bounds[:, 2:] >= (right, bottom)).all(1)
    held = [*rows.items[around].tolist()]
    near = sorted(held, key=lambda each: workspace.document.place(each.id))
    found = parents(near).get(annotation.id)
    return title_of(workspace.document.annotations[found]) if found is not None else ""


def _notes(annotations: Sequence[Annotation]) -> Sequence[Any]:
    return [(not each.notes, each.notes.casefold()) for each in annotations]
