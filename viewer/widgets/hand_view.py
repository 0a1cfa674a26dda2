from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from viewer.rendering import paint_scribbles
from viewer.rendering.previews import paint_handles, paint_outline, paint_sketch, paint_text
from viewer.session import Session
from viewer.tools import MaskPreview, Outline, Preview, Scribble, Sketch
from viewer.tools.handles import handles
from viewer.widgets.hand import Hand
from viewer.widgets.key_hand import KeyHand
from viewer.widgets.slide_view import SlideView


class HandView(SlideView):
    """The slide with what the hand is doing: previews of gestures, handles, the footprint of the brush."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.hand = Hand(session, self._on_preview)
        self.keys = KeyHand(session, self.hand)
        self.cursor_at: QPointF | None = None
        """Where the mouse is, None while it is elsewhere."""
        self.holds_space = False
        session.closed.connect(lambda _: self.hand.drop())

    def paint_over(self, painter: QPainter) -> None:
        super().paint_over(painter)
        preview = self.hand.preview
        if isinstance(preview, Outline):
            paint_outline(painter, self.viewport, preview)
        elif isinstance(preview, Sketch):
            paint_sketch(painter, self.viewport, preview, self.class_colour(preview.class_name))
            if preview.text and self.cursor_at is not None:
                paint_text(painter, self.cursor_at, preview.text)
        elif isinstance(preview, Scribble):
            paint_scribbles(painter, self.viewport, [preview], self.code_colour)
        elif not self.hand.busy:
            self._paint_handles(painter)
        self._paint_footprint(painter)
        self.keys.paint(painter, self.viewport)

    def _paint_handles(self, painter: QPainter) -> None:
        session = self.session
        # The number first: looking up 100 000 selected ones at every frame would stop a pan.
        if session.workspace is None or len(session.workspace.selection) != 1:
            return
        for each in session.selection if session.show_annotations else ():
            if not each.locked and session.tool.begin is None:
                paint_handles(painter, self.viewport, handles(each))

    def _paint_footprint(self, painter: QPainter) -> None:
        tool = self.session.tool
        if not tool.paints or self.cursor_at is None or self.holds_space:
            return
        radius = float(self.session.settings["brush.size"]) / 2
        erasing = tool.name == "erase"
        colour = QColor("white") if erasing else QColor(*self.session.active_class.colour)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for tone, width in ((QColor(0, 0, 0, 160), 4.0), (colour, 2.0)):
            painter.setPen(QPen(tone, width))
            painter.drawEllipse(self.cursor_at, radius, radius)

    def _on_preview(self, before: Preview | None) -> None:
        preview = self.hand.preview
        self.lifted = preview.replaces if isinstance(preview, Sketch) else frozenset()
        if isinstance(preview, MaskPreview):
            self.show_stroke(preview)
        elif isinstance(before, MaskPreview):
            self.end_stroke()
        else:
            self.update()

    def update_footprint(self, before: QPointF | None) -> None:
        """Paint again where the footprint was and is."""
        radius = float(self.session.settings["brush.size"]) / 2 + 4
        for at in (before, self.cursor_at):
            if at is not None:
                rect = QRectF(at.x() - radius, at.y() - radius, 2 * radius, 2 * radius)
                self.update(rect.toAlignedRect())
