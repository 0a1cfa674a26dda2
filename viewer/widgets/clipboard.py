from PySide6.QtCore import QMimeData
from PySide6.QtWidgets import QApplication

GEOJSON = "application/geo+json"
MARKS = ('"geometry"', '"feature"', '"coordinates"')
"""By one of these a text that was copied is taken for GeoJSON, as in QuPath."""


class SystemClipboard:
    """`Clipboard` that all programs share: GeoJSON under its own type, and as text."""

    def __init__(self) -> None:
        self._put = ""
        app = QApplication.instance()
        if app is not None:
            app.aboutToQuit.connect(self.let_go)

    def put(self, geojson: str) -> None:
        copied = QMimeData()
        copied.setData(GEOJSON, geojson.encode())
        copied.setText(geojson)
        QApplication.clipboard().setMimeData(copied)
        self._put = geojson

    def let_go(self) -> None:
        """Leave mere text behind: Qt would end our own object when Python is gone already, and crash."""
        clipboard = QApplication.clipboard()
        if self._put and clipboard.text() == self._put:
            clipboard.setText(self._put)

    def geojson(self) -> str | None:
        copied = QApplication.clipboard().mimeData()
        if copied.hasFormat(GEOJSON):
            return bytes(copied.data(GEOJSON).data()).decode(errors="replace")
        text = copied.text() if copied.hasText() else ""
        return text if any(mark in text.lower() for mark in MARKS) else None
