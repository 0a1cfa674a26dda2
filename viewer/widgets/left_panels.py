"""The left side: the slide, its annotations, the history of edits."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QBrush, QColor, QIcon, QPixmap
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
)

from segcore.annotations import Annotation
from viewer.document import Edit
from viewer.rendering.annotation_layer import UNCLASSIFIED
from viewer.rendering.tile_loader import as_image
from viewer.session import Session, Workspace
from viewer.widgets.panels import Panel

ROWS_SHOWN = 2000  # rows of the list; more are drawn on the slide but not listed


class SlidePanel(Panel):
    """Which slide is open, and what is known of it."""

    def __init__(self, session: Session) -> None:
        super().__init__("Slide")
        self._picture = QLabel()
        self._picture.setFixedSize(64, 48)
        self._picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._name = QLabel("No slide")
        self._name.setWordWrap(True)
        self._facts = QLabel("Open one to begin")
        self._facts.setObjectName("muted")
        self._facts.setWordWrap(True)
        texts = QVBoxLayout()
        texts.setSpacing(1)
        texts.addWidget(self._name)
        texts.addWidget(self._facts)
        row = QHBoxLayout()
        row.addWidget(self._picture)
        row.addLayout(texts, 1)
        self.rows.addLayout(row)
        self._picture.hide()
        session.opened.connect(self._show)
        session.closed.connect(lambda _: self._clear())
        session.study_changed.connect(lambda _: session.workspace and self._show(session.workspace))

    def _show(self, workspace: Workspace) -> None:
        slide = workspace.slide
        width, height = slide.dimensions
        picture = QPixmap.fromImage(as_image(workspace.thumbnail))
        self._picture.setPixmap(
            picture.scaled(
                QSize(64, 48),
                Qt.AspectRatioMode.KeepAspectRatio,
                Qt.TransformationMode.SmoothTransformation,
            )
        )
        self._picture.show()
        self._name.setText(slide.name)
        size = f"{slide.mpp:.3g} µm/px" if slide.mpp is not None else "pixel size unknown"
        levels = f"{len(slide.levels)} level{'s' if len(slide.levels) > 1 else ''}"
        self._facts.setText(f"{width:,} x {height:,}\n{size} · {levels}")

    def _clear(self) -> None:
        self._picture.hide()
        self._name.setText("No slide")
        self._facts.setText("Open one to begin")


class AnnotationsPanel(Panel):
    """The annotations of the slide; choosing one selects it."""

    def __init__(self, session: Session) -> None:
        super().__init__("Annotations")
        self.session = session
        self._mpp: float | None = None
        self.list = QListWidget()
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.list.setAccessibleName("Annotations")
        self.list.setMinimumHeight(90)
        self._empty = QLabel("None yet. Press R and drag over the tissue.")
        self._empty.setObjectName("muted")
        self._empty.setWordWrap(True)
        self.rows.addWidget(self._empty)
        self.rows.addWidget(self.list)
        self.list.itemSelectionChanged.connect(self._on_choice)
        self.list.itemDoubleClicked.connect(self._go_to)
        session.opened.connect(lambda _: self.refresh())
        session.closed.connect(lambda _: self.refresh())
        session.edited.connect(self._on_edit)
        session.selected.connect(lambda _: self._mark())
        session.study_changed.connect(lambda _: self._on_pixel_size())
        self.refresh()

    def refresh(self) -> None:
        workspace = self.session.workspace
        held = list(workspace.document.annotations.values()) if workspace is not None else []
        self.aside.setText(f"{len(held):,}" if held else "")
        self._empty.setVisible(not held)
        self.list.setVisible(bool(held))
        self.list.blockSignals(True)
        self.list.clear()
        for each in held[-ROWS_SHOWN:]:
            self.list.addItem(self._row(each))
        self.list.blockSignals(False)
        self._mark()

    def _on_edit(self, edit: Edit) -> None:
        if edit.changes:
            self.refresh()

    def _on_pixel_size(self) -> None:
        workspace = self.session.workspace
        mpp = workspace.slide.mpp if workspace is not None else None
        if mpp != self._mpp:  # areas were in pixels before
            self._mpp = mpp
            self.refresh()

    def _row(self, annotation: Annotation) -> QListWidgetItem:
        title = annotation.name or annotation.class_name or "Annotation"
        if annotation.name and annotation.class_name:
            title = f"{annotation.name} · {annotation.class_name}"
        item = QListWidgetItem(f"{title}    {self._size(annotation)}")
        item.setData(Qt.ItemDataRole.UserRole, annotation.id)
        dot = QPixmap(14, 14)
        dot.fill(self._colour(annotation))
        icon = QIcon(dot)
        icon.addPixmap(dot, QIcon.Mode.Selected)  # a selected row must not tint the class colour
        item.setIcon(icon)
        if annotation.locked:
            item.setForeground(QBrush(QColor("#9aa1ad")))
            item.setToolTip("Locked")
        return item

    def _size(self, annotation: Annotation) -> str:
        workspace = self.session.workspace
        if workspace is None or workspace.slide.mpp is None:
            return f"{annotation.geometry.area:,.0f} px²"
        area = annotation.geometry.area * (workspace.slide.mpp / 1000) ** 2
        return f"{area:.3g} mm²"

    def _colour(self, annotation: Annotation) -> QColor:
        if annotation.class_name is not None:
            for each in self.session.taxonomy.classes:
                if each.name == annotation.class_name:
                    return QColor(*each.colour)
        return UNCLASSIFIED

    def _mark(self) -> None:
        chosen = self.session.workspace.selection if self.session.workspace else frozenset()
        self.list.blockSignals(True)
        for row in range(self.list.count()):
            item = self.list.item(row)
            item.setSelected(item.data(Qt.ItemDataRole.UserRole) in chosen)
        self.list.blockSignals(False)

    def _on_choice(self) -> None:
        items = self.list.selectedItems()
        self.session.select(frozenset(each.data(Qt.ItemDataRole.UserRole) for each in items))

    def _go_to(self, item: QListWidgetItem) -> None:
        workspace = self.session.workspace
        if workspace is not None:
            found = workspace.document.annotations[item.data(Qt.ItemDataRole.UserRole)]
            self.session.view.show_region(*found.geometry.bounds)


class HistoryPanel(Panel):
    """Every edit by name, done and undone; choosing one goes back or forward to it."""

    def __init__(self, session: Session) -> None:
        super().__init__("History")
        self.session = session
        self.list = QListWidget()
        self.list.setAccessibleName("History of edits")
        self.list.setMinimumHeight(110)
        self.rows.addWidget(self.list)
        self.list.itemClicked.connect(self._go_to)
        session.opened.connect(lambda _: self.refresh())
        session.closed.connect(lambda _: self.refresh())
        session.edited.connect(lambda _: self.refresh())
        self.refresh()

    def refresh(self) -> None:
        workspace = self.session.workspace
        self.list.clear()
        if workspace is None:
            return
        document = workspace.document
        for number, name in enumerate(["Slide as it came", *document.history]):
            item = QListWidgetItem(name)
            item.setToolTip(name)
            if number > document.position:
                item.setForeground(QBrush(QColor("#767d89")))
                font = item.font()
                font.setItalic(True)
                item.setFont(font)
            self.list.addItem(item)
        self.list.setCurrentRow(document.position)
        self.list.scrollToItem(self.list.currentItem())

    def _go_to(self, item: QListWidgetItem) -> None:
        if self.session.workspace is not None:
            self.session.workspace.document.go_to(self.list.row(item))
