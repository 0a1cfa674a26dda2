from PySide6.QtCore import QMimeData
from PySide6.QtWidgets import QApplication

GEOJSON = "application/geo+json"
MARKS = ('"geometry"', '"feature"', '"coordinates"')
"""By one of these a text that was copied is taken for GeoJSON, as in QuPath."""


class SystemClipboard:
    """`Clipboard` that all programs share: GeoJSON under its own type, and as text."""

    def put(self, geojson: str) -> None:
        copied = QMimeData()
        copied.setData(GEOJSON, geojson.encode())
        copied.setText(geojson)
        QApplication.clipboard().setMimeData(copied)

    def geojson(self) -> str | None:
        copied = QApplication.clipboard().mimeData()
        if copied.hasFormat(GEOJSON):
            return bytes(copied.data(GEOJSON).data()).decode(errors="replace")
        text = copied.text() if copied.hasText() else ""
        return text if any(mark in text.lower() for mark in MARKS) else None
