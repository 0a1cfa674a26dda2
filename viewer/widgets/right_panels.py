"""The right side: classes, composition, model, and why."""

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from viewer.actions import action_named, perform
from viewer.jobs.models import read_card
from viewer.rendering.heatmap_layer import Heatmap
from viewer.session import Session
from viewer.session.composition import Composition
from viewer.widgets.controls import Bar, LabelledSlider, Ramp
from viewer.widgets.panels import Panel

LAST_ROW = 256  # below the rows of all classes


class CompositionPanel(Panel):
    """Areas per class in the region, and the tumor-to-stroma ratio."""

    def __init__(self, session: Session) -> None:
        super().__init__("Composition")
        self.session = session
        self._bar = Bar()
        self._grid = QGridLayout()
        self._grid.setVerticalSpacing(5)
        self._grid.setHorizontalSpacing(10)
        self._grid.setColumnStretch(0, 1)
        self._cells: dict[int, tuple[QLabel, QLabel, QLabel]] = {}
        about = "The part of the region that has no class yet"
        self._blank = self._row(LAST_ROW, "Unlabelled", about)
        self._fill()
        self.ratio = QLabel()
        self.ratio.setStyleSheet("font-weight: 700;")
        self._ratio_row = QHBoxLayout()
        self._ratio_title = QLabel("Tumor : stroma")
        self._ratio_row.addWidget(self._ratio_title, 1)
        self._ratio_row.addWidget(self.ratio)
        self._empty = QLabel("Segment a region (S) and its areas appear here.")
        self._empty.setObjectName("muted")
        self._empty.setWordWrap(True)
        self.rows.addWidget(self._empty)
        self.rows.addWidget(self._bar)
        self.rows.addLayout(self._grid)
        self.rows.addLayout(self._ratio_row)
        session.composition_changed.connect(self.show_composition)
        session.classes_changed.connect(lambda _: self._on_classes())
        self.show_composition(None)

    def _fill(self) -> None:
        """Make a row for each class that is counted."""
        for cells in self._cells.values():
            for label in cells:
                self._grid.removeWidget(label)
                label.deleteLater()
        counted = [each for each in self.session.taxonomy.classes if not each.ignored]
        self._cells = {
            each.code: self._row(row, each.name, each.about) for row, each in enumerate(counted)
        }

    def _on_classes(self) -> None:
        self._fill()
        self.show_composition(self.session.composition)

    def _row(self, row: int, name: str, about: str) -> tuple[QLabel, QLabel, QLabel]:
        cells = (QLabel(name), QLabel(), QLabel())
        cells[0].setToolTip(about)
        for column, label in enumerate(cells):
            if column:
                label.setAlignment(Qt.AlignmentFlag.AlignRight)
            self._grid.addWidget(label, row, column)
        return cells

    def show_composition(self, composition: Composition | None) -> None:
        found = composition.areas_mm2() if composition is not None else {}
        areas = {code: area for code, area in found.items() if code in self._cells}
        blank = composition.unlabelled_mm2() if composition is not None else 0.0
        total = sum(areas.values()) + blank
        self.set_title(f"Composition of {composition.name}" if composition else "Composition")
        self._empty.setVisible(not areas)
        for widget in (self._bar, self._ratio_title, self.ratio):
            widget.setVisible(bool(areas))
        parts = []
        for each in (c for c in self.session.taxonomy.classes if c.code in self._cells):
            area = areas.get(each.code, 0.0)
            for label in self._cells[each.code]:
                label.setVisible(area > 0)
            if area > 0:
                self._cells[each.code][1].setText(f"{area:.3f} mm²")
                self._cells[each.code][2].setText(f"{100 * area / total:.0f} %")
                parts.append((area / total, QColor(*each.colour)))
        self._bar.show_parts(parts)
        for label in self._blank:
            label.setVisible(bool(areas) and blank > 0)
        if areas:
            self._blank[1].setText(f"{blank:.3f} mm²")
            self._blank[2].setText(f"{100 * blank / total:.0f} %")
        tumor, stroma = areas.get(1, 0.0), areas.get(2, 0.0)
        self.ratio.setText(f"{tumor / stroma:.2f}" if stroma else "no stroma")


class ModelPanel(Panel):
    """Which model segments, whether it is trained, and how far its borders are refined."""

    def __init__(self, session: Session) -> None:
        super().__init__("Model")
        self.session = session
        self.name, self.mpp, self.note = QLabel(), QLabel(), QLabel()
        self.mpp.setObjectName("muted")
        self.name.setWordWrap(True)
        self.note.setWordWrap(True)
        head = QHBoxLayout()
        head.addWidget(self.name, 1)
        head.addWidget(self.mpp)
        self.rows.addLayout(head)
        self.rows.addWidget(self.note)
        self.alpha = LabelledSlider("Refine α", 0, 999, "{:.3f}", factor=1000)
        self.alpha.set(float(session.settings["refine.alpha"]))
        self.alpha.moved.connect(lambda value: self._keep("refine.alpha", value))
        self.alpha.setToolTip("How far label propagation reaches; 0 leaves the network's borders")
        self.sigma = LabelledSlider("Edge σ", 10, 500, "{:.2f}", factor=1000)
        self.sigma.set(float(session.settings["refine.sigma"]))
        self.sigma.moved.connect(lambda value: self._keep("refine.sigma", value))
        self.sigma.setToolTip("How large a step in colour may be before it stops the propagation")
        self.rows.addWidget(self.alpha)
        self.rows.addWidget(self.sigma)
        hint = QLabel("Applied at the next S")
        hint.setObjectName("key")
        self.rows.addWidget(hint)
        links = QHBoxLayout()
        for text, action in (("Figures and limits…", "help.model"), ("Change…", "segment.model")):
            links.addWidget(_link(text, action, session))
        self.rows.addLayout(links)
        session.model_changed.connect(lambda _: self.show_model())
        self.show_model()

    def show_model(self) -> None:
        name = str(self.session.settings["model"])
        card = read_card(name)
        self.name.setText(card["title"].split(" for ")[0] if card else Path(name).stem)
        self.mpp.setText(f"{card['mpp']:g} µm/px" if card else "")
        self.note.setText(_standing(name, card))
        self.note.setObjectName("muted" if card and card["trained"] else "warning")
        self.note.style().polish(self.note)  # its colour hangs on its name

    def _keep(self, key: str, value: float) -> None:
        self.session.settings[key] = value


class WhyPanel(Panel):
    """The heatmap: of which class, its colours, how strongly it is drawn."""

    def __init__(self, session: Session) -> None:
        super().__init__("Why · Grad-CAM")
        self.session = session
        self.session = session
        self._class = QLabel()
        self._ramp = Ramp()
        self.opacity = LabelledSlider("Opacity", 0, 100, "{:.0f} %")
        self.opacity.set(float(session.settings["heatmap.opacity"]) * 100)
        self.opacity.moved.connect(self._on_opacity)
        self._empty = QLabel("Choose a class and press Y to see where the network looked.")
        self._empty.setObjectName("muted")
        self._empty.setWordWrap(True)
        self._shown = self._arrange()
        self.rows.addWidget(self._empty)
        self.rows.addWidget(self._shown)
        session.heatmap_changed.connect(self.show_heatmap)
        session.opened.connect(lambda workspace: self.show_heatmap(workspace.heatmap))
        session.closed.connect(lambda _: self.show_heatmap(None))
        self.show_heatmap(None)

    def _arrange(self) -> QWidget:
        note = QLabel("attention, not diagnosis")
        note.setObjectName("muted")
        head, ends = QHBoxLayout(), QHBoxLayout()
        head.addWidget(self._class, 1)
        head.addWidget(note)
        left, right = Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignRight
        for text, place in (("0 low", left), ("1 high", right)):
            label = QLabel(text)
            label.setObjectName("key")
            ends.addWidget(label, 1, place)
        hide = QToolButton()
        hide.setText("Hide the heatmap")
        hide.clicked.connect(lambda: perform(action_named("explain.clear"), self.session))
        shown = QWidget()
        column = QVBoxLayout(shown)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(5)
        column.addLayout(head)
        column.addWidget(self._ramp)
        column.addLayout(ends)
        column.addWidget(self.opacity)
        column.addWidget(hide)
        return shown

    def show_heatmap(self, heatmap: Heatmap | None) -> None:
        self._empty.setVisible(heatmap is None)
        self._shown.setVisible(heatmap is not None)
        if heatmap is not None:
            self._class.setText(heatmap.class_name)
            self._ramp.load()

    def _on_opacity(self, percent: float) -> None:
        self.session.settings["heatmap.opacity"] = percent / 100
        self.session.looks_changed.emit(None)


def _link(text: str, action: str, session: Session) -> QPushButton:
    button = QPushButton(text)
    button.setObjectName("link")
    button.clicked.connect(lambda: perform(action_named(action), session))
    return button


def _standing(name: str, card: dict | None) -> str:
    if card is None and name == "default":
        return "No trained model is installed; segmenting is not possible yet."
    if card is None:
        return "A package of another program: nothing has been measured with it here."
    if not card["trained"]:
        return "Untrained weights: what this model draws means nothing."
    return "Research use only: a first mask that a person corrects."
