"""Colours and shapes of the window: calm chrome, one green action, dark or light."""

from dataclasses import dataclass

import qtawesome
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QIcon, QPalette
from PySide6.QtWidgets import QApplication


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


def _sheet(t: Theme) -> str:
    return f"""
    QWidget {{ color: {t.text}; font-size: 13px; }}
    QMainWindow, QMenuBar, QToolBar, QStatusBar {{ background: {t.window}; }}
    QMenuBar {{ padding: 3px 6px; border-bottom: 1px solid {t.line}; }}
    QMenuBar::item {{ padding: 4px 9px; border-radius: 5px; background: transparent; }}
    QMenuBar::item:selected {{ background: {t.card}; }}
    QMenu {{ background: {t.card}; border: 1px solid {t.line}; padding: 5px; }}
    QMenu::item {{ padding: 5px 26px 5px 22px; border-radius: 4px; }}
    QMenu::item:selected {{ background: {t.chosen}; }}
    QMenu::item:disabled {{ color: {t.muted}; }}
    QMenu::separator {{ height: 1px; background: {t.line}; margin: 5px 8px; }}
    QToolBar {{ border: none; border-bottom: 1px solid {t.line}; spacing: 3px; padding: 6px 10px; }}
    QToolBar::separator {{ width: 1px; background: {t.line}; margin: 5px 8px; }}
    QToolButton {{ background: transparent; border: none; border-radius: 6px; padding: 6px; }}
    QToolButton:hover {{ background: {t.card}; }}
    QToolButton:checked {{ background: {t.chosen}; }}
    QToolButton:focus, QPushButton:focus {{ outline: none; border: 1px solid {t.accent}; }}
    QPushButton {{ background: {t.card}; border: 1px solid {t.line}; border-radius: 6px;
        padding: 6px 13px; }}
    QPushButton:hover {{ background: {t.field}; }}
    QPushButton:disabled {{ color: {t.muted}; }}
    QPushButton#go {{ background: {t.go}; color: white; border: 1px solid {t.go};
        font-weight: 600; padding: 6px 16px; }}
    QPushButton#go:hover {{ background: {t.go_hover}; }}
    QPushButton#go:disabled {{ background: {t.card}; color: {t.muted}; border-color: {t.line}; }}
    QPushButton#link {{ background: transparent; border: none; color: {t.accent}; padding: 2px 4px;
        text-align: left; }}
    QPushButton#link:hover {{ text-decoration: underline; }}
    QScrollArea, QScrollArea > QWidget > QWidget {{ background: {t.panel}; border: none; }}
    QSplitter::handle {{ background: {t.line}; }}
    QLabel#title {{ color: {t.muted}; font-size: 11px; font-weight: 600; letter-spacing: 1px; }}
    QLabel#muted {{ color: {t.muted}; font-size: 12px; }}
    QLabel#warning {{ color: {t.warning}; font-size: 12px; }}
    QLabel#key {{ color: {t.muted}; font-size: 11px; }}
    QFrame#card {{ background: {t.card}; border: 1px solid {t.line}; border-radius: 8px; }}
    QFrame#float {{ background: {t.window}; border: 1px solid {t.line}; border-radius: 9px; }}
    QListWidget, QTreeWidget {{ background: transparent; border: none; outline: none; }}
    QListWidget::item {{ padding: 5px 7px; border-radius: 6px; }}
    QListWidget::item:selected {{ background: {t.chosen}; color: {t.text}; }}
    QListWidget::item:hover:!selected {{ background: {t.card}; }}
    QLineEdit, QDoubleSpinBox, QComboBox {{ background: {t.field}; border: 1px solid {t.line};
        border-radius: 6px; padding: 5px 9px; selection-background-color: {t.chosen}; }}
    QLineEdit:focus, QDoubleSpinBox:focus {{ border-color: {t.accent}; }}
    QProgressBar {{ background: {t.field}; border: none; border-radius: 3px; height: 6px; }}
    QProgressBar::chunk {{ background: {t.accent}; border-radius: 3px; }}
    QSlider::groove:horizontal {{ height: 4px; background: {t.field}; border-radius: 2px; }}
    QSlider::sub-page:horizontal {{ background: {t.accent}; border-radius: 2px; }}
    QSlider::handle:horizontal {{ width: 14px; height: 14px; margin: -5px 0; border-radius: 7px;
        background: {t.text}; }}
    QStatusBar {{ border-top: 1px solid {t.line}; color: {t.muted}; }}
    QStatusBar QLabel {{ color: {t.muted}; font-size: 12px; padding: 2px 7px; }}
    QStatusBar::item {{ border: none; }}
    QToolTip {{ background: {t.card}; color: {t.text}; border: 1px solid {t.line}; padding: 4px; }}
    QScrollBar:vertical {{ background: transparent; width: 10px; }}
    QScrollBar::handle:vertical {{ background: {t.line}; border-radius: 5px; min-height: 24px; }}
    QScrollBar::add-line, QScrollBar::sub-line {{ height: 0; }}
    QScrollBar:horizontal {{ height: 0; }}
    """


HATCHES = {
    "diagonal": Qt.BrushStyle.BDiagPattern,
    "dots": Qt.BrushStyle.Dense5Pattern,
    "horizontal": Qt.BrushStyle.HorPattern,
}
