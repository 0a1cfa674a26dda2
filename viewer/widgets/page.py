from PySide6.QtCore import Qt
from PySide6.QtGui import QTextDocument, QTextLength, QTextTable
from PySide6.QtWidgets import QDialog, QTextBrowser, QVBoxLayout, QWidget

KEYS = 34  # per cent of the width that the first of two columns takes
PADDING, ROOM = 4, 12


class Page(QDialog):
    """Something to read beside the work, given as Markdown."""

    def __init__(self, title: str, text: str, parent: QWidget | None) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.resize(620, 620)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        words = QTextBrowser()
        words.setMarkdown(text)
        _calm_tables(words.document())
        QVBoxLayout(self).addWidget(words)


def _calm_tables(document: QTextDocument) -> None:
    """Let tables take the whole width, without lines; those of two columns stand in one line."""
    for frame in document.rootFrame().childFrames():
        if not isinstance(frame, QTextTable):
            continue
        look = frame.format().toTableFormat()
        look.setWidth(QTextLength(QTextLength.Type.PercentageLength, 100))
        look.setBorder(0)
        look.setBottomMargin(ROOM)
        look.setCellPadding(PADDING)
        if frame.columns() == 2:
            shares = (KEYS, 100 - KEYS)
            look.setColumnWidthConstraints(
                [QTextLength(QTextLength.Type.PercentageLength, each) for each in shares]
            )
        frame.setFormat(look)
