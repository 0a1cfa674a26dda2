"""Colours and shapes of the window: calm chrome, one green action, dark or light."""

from dataclasses import asdict, dataclass
from string import Template

import qtawesome
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QIcon, QPalette
from PySide6.QtWidgets import QApplication

from segcore.config import resources


@dataclass(frozen=True, slots=True)
class Theme:
    """Named colours; everything in the window takes its colours from here."""

    name: str
    window: str
    panel: str
    card: str
    field: str
    line: str
    text: str
    muted: str
    accent: str
    chosen: str
    go: str
    go_hover: str
    canvas: str
    warning: str
    danger: str


DARK = Theme(
    name="dark", window="#191b1f", panel="#202328", card="#292d34", field="#31363f",
    line="#3a404a", text="#e3e6eb", muted="#9aa1ad", accent="#5aa2f5", chosen="#2f4a6b",
    go="#2e9e5b", go_hover="#37b56a", canvas="#15171a", warning="#e0a63a", danger="#e5645a",
)  # fmt: skip
LIGHT = Theme(
    name="light", window="#e9ebee", panel="#f4f5f7", card="#ffffff", field="#ffffff",
    line="#cfd4db", text="#1d2127", muted="#5b6470", accent="#1f6fd1", chosen="#cfe2fa",
    go="#23874b", go_hover="#1d7440", canvas="#dfe2e6", warning="#9a6a00", danger="#b3261e",
)  # fmt: skip


def theme_named(name: str) -> Theme:
    return LIGHT if name == "light" else DARK


def icon(name: str, theme: Theme, *, on: bool = False) -> QIcon:
    """Return a vector icon in the theme's colours; unknown names give an empty icon."""
    if not name:
        return QIcon()
    colour = "#ffffff" if on else theme.text
    return qtawesome.icon(name, color=colour, color_disabled=theme.line)


def apply_theme(app: QApplication, theme: Theme) -> None:
    app.setStyle("Fusion")
    app.setPalette(_palette(theme))
    app.setStyleSheet(_sheet(theme))


def _palette(theme: Theme) -> QPalette:
    palette = QPalette()
    roles = {
        QPalette.ColorRole.Window: theme.panel,
        QPalette.ColorRole.WindowText: theme.text,
        QPalette.ColorRole.Base: theme.field,
        QPalette.ColorRole.AlternateBase: theme.card,
        QPalette.ColorRole.Text: theme.text,
        QPalette.ColorRole.Button: theme.card,
        QPalette.ColorRole.ButtonText: theme.text,
        QPalette.ColorRole.BrightText: theme.danger,
        QPalette.ColorRole.Highlight: theme.chosen,
        QPalette.ColorRole.HighlightedText: theme.text,
        QPalette.ColorRole.ToolTipBase: theme.card,
        QPalette.ColorRole.ToolTipText: theme.text,
        QPalette.ColorRole.PlaceholderText: theme.muted,
        QPalette.ColorRole.Link: theme.accent,
    }
    for role, colour in roles.items():
        palette.setColor(role, QColor(colour))
    for role in (
        QPalette.ColorRole.Text,
        QPalette.ColorRole.ButtonText,
        QPalette.ColorRole.WindowText,
    ):
        palette.setColor(QPalette.ColorGroup.Disabled, role, QColor(theme.muted))
    return palette


def _sheet(theme: Theme) -> str:
    folder = resources() / "themes"
    text = (folder / "acinus.qss").read_text(encoding="utf-8")
    return Template(text).substitute(asdict(theme), pictures=folder.as_posix())


HATCHES = {
    "diagonal": Qt.BrushStyle.BDiagPattern,
    "dots": Qt.BrushStyle.Dense5Pattern,
    "horizontal": Qt.BrushStyle.HorPattern,
}
