"""All numbers of a region, in a window of its own that follows the session until it is closed."""

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt, QTimer
from PySide6.QtGui import QBrush, QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QSizePolicy,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from segcore.annotations import Class
from viewer.actions import action_named, perform
from viewer.actions.counts import count
from viewer.document import BY_MODEL, Edit, MaskLayer, as_segmented
from viewer.jobs import Job
from viewer.jobs.counts import NOTE, Figures, Line
from viewer.session import Session
from viewer.widgets.theme import HATCHES

REST_MS = 400  # after the last stroke it is counted again
EXPORT = "measure.export_counts"
HEADERS = ("", "Segmented", "Now", "Unit")
RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class CountsWindow(QDialog):
    """Areas as bars, then the whole table, before and after correction."""

    def __init__(self, session: Session, parent: QWidget) -> None:
        super().__init__(parent)
        self.session = session
        self.setWindowTitle("Figures")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(560, 760)
        self.title, self.changed = QLabel(), QLabel()
        self.title.setStyleSheet("font-weight: 600;")
        self.changed.setWordWrap(True)
        self.bars = AreaBars()
        self.table = QTreeWidget()
        self.table.setObjectName("framed")
        self.table.setAccessibleName("Figures of the region")
        self.table.setHeaderLabels(HEADERS)
        self.table.setRootIsDecorated(False)
        self.table.setSelectionMode(QTreeWidget.SelectionMode.NoSelection)
        self._given: MaskLayer | None = None
        self._job: Job | None = None
        self._rest = QTimer(self, singleShot=True, interval=REST_MS)
        self._rest.timeout.connect(self.count)
        self._arrange()
        session.composition_changed.connect(self._on_change)
        session.edited.connect(self._on_edit)
        session.closed.connect(self._on_closed)
        self.count()

    def done(self, result: int) -> None:
        """Close, and follow the session no longer."""
        self.session.composition_changed.disconnect(self._on_change)
        self.session.edited.disconnect(self._on_edit)
        self.session.closed.disconnect(self._on_closed)
        self._rest.stop()
        if self._job is not None:
            self._job.cancel()
        super().done(result)

    def count(self) -> None:
        """Count anew; what is shown stays until that is done."""
        if self._job is not None:
            self._job.cancel()
        workspace = self.session.workspace
        if workspace is None:
            return
        if self._given is None:
            self._given = as_segmented(workspace.document)
        job = self._job = count(self.session, self._given)
        if job is None:
            self.title.setText("There is no mask here yet.")
            return
        job.succeeded.connect(self.show_figures)
        job.failed.connect(self.session.tell_failure)
        job.finished.connect(lambda: self._forget(job))

    def show_figures(self, figures: Figures) -> None:
        region = figures.region
        about = (region.name or "the region") if region is not None else "the whole mask"
        self.title.setText(f"Figures of {about}, mask of {figures.now.mpp:g} µm per pixel")
        self.changed.setText(_said(figures))
        before = figures.segmented.areas.area_mm2 if figures.segmented else {}
        self.bars.show_areas(self.session.taxonomy.classes, figures.now.areas.area_mm2, before)
        self.table.clear()
        self._add(figures.lines())
        changed = [each for each in figures.changed() if each.now]
        if changed:
            self._add_heading("Changed by hand since the segmentation")
            self._add(changed)

    def _arrange(self) -> None:
        header = self.table.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for column in (1, 2):
            self.table.headerItem().setTextAlignment(column, RIGHT)
        note = QLabel(NOTE)
        note.setObjectName("muted")
        note.setWordWrap(True)
        foot = QHBoxLayout()
        foot.addWidget(note, 1)
        export = QPushButton("Export…")
        export.setAutoDefault(False)
        export.setToolTip(action_named(EXPORT).help)
        export.clicked.connect(lambda: perform(action_named(EXPORT), self.session))
        foot.addWidget(export)
        column = QVBoxLayout(self)
        column.setSpacing(10)
        for widget in (self.title, self.bars, self.changed):
            column.addWidget(widget)
        column.addWidget(self.table, 1)
        column.addLayout(foot)

    def _add(self, lines: Sequence[Line]) -> None:
        for line in lines:
            values = (_written(line.segmented, line.unit), _written(line.now, line.unit))
            item = QTreeWidgetItem([line.name, *values, line.unit])
            for column in (1, 2):
                item.setTextAlignment(column, RIGHT)
            if line.meaning:
                item.setToolTip(0, f"<p>{line.meaning}</p>")  # as rich text it wraps
            self.table.addTopLevelItem(item)

    def _add_heading(self, text: str) -> None:
        heading = QTreeWidgetItem([text])
        font = heading.font(0)
        font.setBold(True)
        heading.setFont(0, font)
        self.table.addTopLevelItem(heading)
        heading.setFirstColumnSpanned(True)

    def _on_change(self, _: object) -> None:
        self._rest.start()

    def _on_edit(self, edit: Edit) -> None:
        if edit.name.startswith(BY_MODEL):
            self._given = None  # strokes do not change what models gave

    def _on_closed(self, _: object) -> None:
        self.reject()

    def _forget(self, job: Job) -> None:
        if self._job is job:
            self._job = None


class AreaBars(QWidget):
    """The area of each class now, as a bar in its colour and hatch; a thin one shows what was segmented."""

    ROW, NAME, VALUE = 26, 96, 92

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[tuple[Class, float, float | None]] = []
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Area of each class")

    def show_areas(
        self, classes: Sequence[Class], now: dict[str, float], before: dict[str, float]
    ) -> None:
        """Show areas by class name; `before` is empty where nothing was segmented."""
        self._rows = [
            (each, now.get(each.name, 0.0), before.get(each.name))
            for each in classes
            if now.get(each.name) or before.get(each.name)
        ]
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(400, self.ROW * len(self._rows))

    def paintEvent(self, _: QPaintEvent) -> None:
        painter = QPainter(self)
        most = max((max(now, before or 0.0) for _, now, before in self._rows), default=0.0)
        room = self.width() - self.NAME - self.VALUE
        for number, (shown, now, before) in enumerate(self._rows):
            row = QRectF(0, number * self.ROW, self.width(), self.ROW)
            self._write(painter, row, shown.name, f"{now:.3f} mm²")
            bar = QRectF(self.NAME, row.top() + 4, room * now / most, 11)
            painter.fillRect(bar, QColor(*shown.colour))
            if (pattern := HATCHES.get(shown.hatch)) is not None:
                painter.fillRect(bar, QBrush(QColor(0, 0, 0, 110), pattern))
            if before is not None:
                thin = QRectF(self.NAME, row.top() + 17, room * before / most, 4)
                painter.setPen(QPen(QColor(*shown.colour), 1))
                painter.drawRect(thin)

    def _write(self, painter: QPainter, row: QRectF, name: str, value: str) -> None:
        painter.setPen(self.palette().windowText().color())
        painter.drawText(row, Qt.AlignmentFlag.AlignVCenter, name)
        painter.drawText(row, RIGHT, value)


def _said(figures: Figures) -> str:
    if figures.changes is None:
        return "No model has painted here: all of it is by hand."
    changes = figures.changes
    if not changes.pixels:
        return "Thick bars: now. Thin bars: as segmented. Nothing was changed by hand."
    return (
        f"Thick bars: now. Thin bars: as segmented. A person changed {100 * changes.fraction:.1f} % of "
        f"the labelled area, {changes.area_mm2:.4f} mm²."
    )


def _written(value: float | None, unit: str) -> str:
    """Return a number as it is read best."""
    if value is None:
        return ""
    if isinstance(value, int):
        return f"{value:,}"
    digits = {"mm²": 4, "%": 1, "µm²": 0, "mm": 2}.get(unit, 3)
    return f"{value:,.{digits}f}"
