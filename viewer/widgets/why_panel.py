import math

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from segcore.annotations import Class
from viewer.actions import action_named, perform
from viewer.actions.explain import OF_A_CLASS
from viewer.jobs.models import read_card
from viewer.rendering.heatmap_layer import Heatmap, ends
from viewer.session import Session
from viewer.widgets.controls import LabelledSlider, Ramp
from viewer.widgets.panels import Panel

METHODS = {
    "grad_cam": "Grad-CAM",
    "shap": "SHAP",
    "uncertainty": "Uncertainty",
    "robustness": "Stain robustness",
}
"""What is asked, by the end of the name of its action."""
OF_QUANTITY = {"entropy": "uncertainty", "flips": "robustness"}
NOT_DIAGNOSIS = "Attention, not diagnosis"
"""As `segcore.explain.ATTENTION`, which would load torch."""


class WhyPanel(Panel):
    """What is asked of the network, its heatmap with colour bar, and how far to trust it."""

    def __init__(self, session: Session) -> None:
        super().__init__("Why")
        self.session = session
        self.method, self.class_name, self.layer = (
            _picker(name) for name in ("What is asked", "Of which class", "At which layer")
        )
        for key, title in METHODS.items():
            self.method.addItem(title, key)
            help_ = action_named(f"explain.{key}").help
            self.method.setItemData(self.method.count() - 1, help_, Qt.ItemDataRole.ToolTipRole)
        self.method.activated.connect(lambda _: self._on_method())
        self.class_name.activated.connect(lambda _: self._on_class())
        self.layer.activated.connect(lambda _: self._on_layer())
        self._ask = QPushButton("Show")
        self._ask.setToolTip("Ask this of the region")
        self._ask.clicked.connect(self.ask)
        self.rows.addLayout(self._questions())
        self.shown = HeatmapBox(session)
        self.rows.addWidget(self.shown)
        session.heatmap_changed.connect(self.show_heatmap)
        session.opened.connect(lambda workspace: self.show_heatmap(workspace.heatmap))
        session.closed.connect(lambda _: self.show_heatmap(None))
        session.class_changed.connect(self._follow_class)
        session.model_changed.connect(lambda _: self._fill_classes())
        self._fill_classes()
        self.show_heatmap(None)

    def ask(self) -> None:
        """Ask what is picked."""
        perform(action_named(f"explain.{self.method.currentData()}"), self.session)

    def show_heatmap(self, heatmap: Heatmap | None) -> None:
        """Show what a heatmap means; the pickers say what it was asked."""
        self.shown.setVisible(heatmap is not None)
        self.layer.clear()
        if heatmap is not None:
            quantity = heatmap.heat.quantity
            self.method.setCurrentIndex(self.method.findData(OF_QUANTITY.get(quantity, quantity)))
            for each in heatmap.layers:
                self.layer.addItem(each.title, each.name)
            self.layer.setCurrentIndex(self.layer.findData(heatmap.layer))
            self.layer.setToolTip(f"At which layer Grad-CAM looks: {self.layer.currentText()}")
            self.shown.show_heatmap(heatmap)
            QTimer.singleShot(0, self, self._come_into_view)
        self._show_pickers()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().height() > event.oldSize().height() and self.shown.isVisibleTo(self):
            QTimer.singleShot(0, self, self._come_into_view)  # a check has found something to say

    def _come_into_view(self) -> None:
        """Scroll such that what the colours mean can be read."""
        above = self.parentWidget()
        while above is not None and not isinstance(above, QScrollArea):
            above = above.parentWidget()
        if above is not None:
            above.ensureWidgetVisible(self)

    def _questions(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setSpacing(6)
        grid.setColumnStretch(0, 1)
        grid.addWidget(self.method, 0, 0)
        grid.addWidget(self._ask, 0, 1)
        grid.addWidget(self.class_name, 1, 0, 1, 2)
        grid.addWidget(self.layer, 2, 0, 1, 2)
        return grid

    def _show_pickers(self) -> None:
        method = self.method.currentData()
        self.method.setToolTip(action_named(f"explain.{method}").help)
        self.class_name.setVisible(method in OF_A_CLASS)
        self.layer.setVisible(method == "grad_cam" and self.layer.count() > 0)

    def _fill_classes(self) -> None:
        """Offer the classes that the model knows, or all where its card cannot be read."""
        card = read_card(str(self.session.settings["model"]))
        names = [each.name for each in self.session.taxonomy.classes]
        self.class_name.clear()
        self.class_name.addItems(card["classes"] if card else names)
        self._follow_class(self.session.active_class)

    def _follow_class(self, chosen: Class) -> None:
        self.class_name.setCurrentIndex(self.class_name.findText(chosen.name))

    def _on_method(self) -> None:
        self._show_pickers()
        if self.session.workspace is not None:
            self.ask()

    def _on_class(self) -> None:
        chosen = self.session.taxonomy.find(self.class_name.currentText())
        if chosen is not None:
            self.session.set_class(chosen)
            self._ask_again()

    def _on_layer(self) -> None:
        self.session.settings["explain.layer"] = self.layer.currentData()
        self._ask_again()

    def _ask_again(self) -> None:
        """Where a map is shown, show the one that is asked for now."""
        if self.shown.isVisibleTo(self):
            self.ask()


class HeatmapBox(QWidget):
    """The legend of a heatmap, how strongly it is drawn, and what a check has found."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self.title, self.note = QLabel(), QLabel(NOT_DIAGNOSIS)
        self.title.setStyleSheet("font-weight: 600;")
        self.note.setObjectName("muted")
        self.note.setToolTip("A map says what a network looked at, not what the tissue is. It is not kept with the study.")  # fmt: skip
        self.ramp = Ramp()
        self.low, self.high = QLabel(), QLabel()
        self.opacity = LabelledSlider("Opacity", 0, 100, "{:.0f} %")
        self.opacity.set(float(session.settings["heatmap.opacity"]) * 100)
        self.opacity.moved.connect(self._on_opacity)
        self.check = self._link("Check this map", "explain.check")
        self.readout = ReadoutBox()
        self._arrange()

    def show_heatmap(self, heatmap: Heatmap) -> None:
        self.title.setText(heatmap.heat.title)
        self.ramp.load(signed=heatmap.heat.signed)
        low, high = ends(heatmap.heat)
        self.low.setText(low)
        self.high.setText(high)
        self.check.setVisible(heatmap.heat.class_name is not None)
        self.readout.show_readout(heatmap)

    def _arrange(self) -> None:
        scale, links = QHBoxLayout(), QHBoxLayout()
        for label, place in ((self.low, Qt.AlignmentFlag.AlignLeft), (self.high, Qt.AlignmentFlag.AlignRight)):  # fmt: skip
            label.setObjectName("key")
            scale.addWidget(label, 1, place)
        links.addWidget(self.check)
        links.addWidget(self._link("Export…", "explain.export"))
        links.addStretch(1)
        links.addWidget(self._link("Hide", "explain.clear"))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 6, 0, 0)
        column.setSpacing(5)
        for each in (self.title, self.note, self.ramp, scale, self.opacity, links, self.readout):
            column.addLayout(each) if isinstance(each, QHBoxLayout) else column.addWidget(each)

    def _link(self, text: str, name: str) -> QPushButton:
        button = QPushButton(text)
        button.setObjectName("link")
        button.setToolTip(action_named(name).help)
        button.clicked.connect(lambda: perform(action_named(name), self.session))
        return button

    def _on_opacity(self, percent: float) -> None:
        self.session.settings["heatmap.opacity"] = percent / 100
        self.session.looks_changed.emit(None)


class ReadoutBox(QWidget):
    """What speaks for and against a map, in three figures and in sentences."""

    FIGURES = (
        ("Against chance", "How much faster the class's probability falls when what the map marks is taken away\nthan when as much is taken away elsewhere; above 0 the map beats chance"),
        ("Not foretold", "Which share of the changes of the network's score the map does not foretell (infidelity):\n0 % foretells all, 100 % nothing"),
        ("On bare glass", "Which share of the attention for the class lies where there is no tissue"),
    )  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(0, 1)
        self.values: list[QLabel] = []
        for row, (title, tip) in enumerate(self.FIGURES):
            name, value = QLabel(title), QLabel()
            for label in (name, value):
                label.setToolTip(tip)
            grid.addWidget(name, row, 0)
            grid.addWidget(value, row, 1, Qt.AlignmentFlag.AlignRight)
            self.values.append(value)
        self.flags = QLabel()
        self.flags.setWordWrap(True)
        grid.addWidget(self.flags, len(self.FIGURES), 0, 1, 2)

    def show_readout(self, heatmap: Heatmap) -> None:
        found = heatmap.readout
        self.setVisible(found is not None)
        if found is None:
            return
        curve, rest = found.deletion, found.infidelity
        beaten = round(curve.beaten * len(curve.by_chance))
        texts = (
            f"{curve.gain:+.2f}, beats {beaten} of {len(curve.by_chance)}",
            "unknown" if math.isnan(rest) else f"{100 * rest:.0f} %",
            f"{100 * found.off_tissue:.0f} %, glass is {100 * found.glass:.0f} %",
        )
        for label, text in zip(self.values, texts, strict=True):
            label.setText(text)
        self.flags.setObjectName("warning" if found.flags else "muted")
        self.flags.style().polish(self.flags)  # its colour hangs on its name
        self.flags.setText(" ".join(found.flags) or "Nothing speaks against this map.")


def _picker(name: str) -> QComboBox:
    picker = QComboBox()
    picker.setAccessibleName(name)
    picker.setToolTip(name)
    picker.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    return picker
