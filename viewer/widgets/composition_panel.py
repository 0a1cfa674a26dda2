from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QGridLayout, QLabel, QPushButton

from viewer.actions import action_named, perform
from viewer.actions.counts import score_of
from viewer.session import Session
from viewer.session.composition import Composition, ratios
from viewer.widgets.controls import Bar
from viewer.widgets.panels import Panel

LAST_ROW = 256  # below the rows of all classes
MORE = "measure.counts"


class CompositionPanel(Panel):
    """Areas per class in the region, and the few ratios that people ask for first."""

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
        self.ratio, self.tumor, self.til = QLabel(), QLabel(), QLabel()
        self._figures = (
            (FigureName("Tumor : stroma", "tumor_to_stroma"), self.ratio),
            (FigureName("Tumor share", "tumor_share"), self.tumor),
            (FigureName("Stromal TIL share", "stromal_til_share"), self.til),
        )
        self._score = (QLabel("The model says"), QLabel())
        self._more = QPushButton("More figures…")
        self._more.setObjectName("link")
        self._more.setToolTip(action_named(MORE).help)
        self._more.clicked.connect(lambda: perform(action_named(MORE), session))
        self._empty = QLabel("Segment a region (S) and its areas appear here.")
        self._empty.setObjectName("muted")
        self._empty.setWordWrap(True)
        self._arrange()
        session.composition_changed.connect(self.show_composition)
        session.classes_changed.connect(lambda _: self._on_classes())
        self.show_composition(None)

    def _arrange(self) -> None:
        figures = QGridLayout()
        figures.setVerticalSpacing(5)
        figures.setColumnStretch(0, 1)
        for row, (name, value) in enumerate((*self._figures, self._score)):
            value.setStyleSheet("font-weight: 700;")
            figures.addWidget(name, row, 0)
            figures.addWidget(value, row, 1, Qt.AlignmentFlag.AlignRight)
        self.rows.addWidget(self._empty)
        self.rows.addWidget(self._bar)
        self.rows.addLayout(self._grid)
        self.rows.addLayout(figures)
        self.rows.addWidget(self._more, 0, Qt.AlignmentFlag.AlignLeft)

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
        for widget in (self._bar, self._more, *sum(self._figures, ())):
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
        self._show_figures(areas)

    def _show_figures(self, areas: dict[int, float]) -> None:
        score = score_of(self.session) if areas else None
        for label in self._score:
            label.setVisible(score is not None)
        if score is not None:
            self._score[1].setText(f"{score['label']}, {100 * score['confidence']:.0f} %")
            tissue = " and ".join(score["inside"]).lower()
            self._score[0].setToolTip(f"What the model calls the {tissue} it segmented here, and how likely\nit takes that to be. Corrections do not change it. No diagnosis.")  # fmt: skip
        ratio, tumor, til = ratios(areas)
        self.ratio.setText("no stroma" if ratio is None else f"{ratio:.2f}")
        for label, share in ((self.tumor, tumor), (self.til, til)):
            label.setText("none" if share is None else f"{100 * share:.0f} %")


class FigureName(QLabel):
    """The name of a figure; what it means is looked up when somebody asks, as that takes half a second."""

    def __init__(self, text: str, key: str) -> None:
        super().__init__(text)
        self._key = key

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and not self.toolTip():
            from segcore.counting import MEANINGS  # noqa: PLC0415 - see above

            self.setToolTip(f"<p>{MEANINGS[self._key]}</p>")  # as rich text it wraps
        return super().event(event)
