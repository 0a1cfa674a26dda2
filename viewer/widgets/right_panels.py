import math
from pathlib import Path

from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QPushButton,
)

from viewer.actions import action_named, perform
from viewer.jobs.models import read_card
from viewer.session import Session
from viewer.widgets.controls import LabelledSlider
from viewer.widgets.panels import Panel


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
        self.strength = LabelledSlider("Strokes", 10, 35, "{:.1f}", factor=10)
        self.strength.set(math.log10(float(session.settings["spread.strength"])))
        self.strength.moved.connect(self._weigh)
        self.strength.setToolTip(
            "How much a stroke that spreads (Shift+B) weighs: the more, the further it reaches"
        )
        for slider in (self.alpha, self.sigma, self.strength):
            self.rows.addWidget(slider)
        hint = QLabel("Live on what is seen; S for all of it")
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
        self.session.proposals.refining.again()

    def _weigh(self, power: float) -> None:
        self.session.settings["spread.strength"] = 10.0**power
        self.session.proposals.weigh_again()


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
