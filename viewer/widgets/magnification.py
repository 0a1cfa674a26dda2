import math

from PySide6.QtCore import Qt

from viewer.rendering.viewport import MPP_AT_1X
from viewer.session import Session
from viewer.widgets.canvas import Canvas
from viewer.widgets.text_field import TextField


class MagnificationBox(TextField):
    """The magnification on screen; type another one. Per cent where the pixel size is unknown."""

    def __init__(self, session: Session, canvas: Canvas) -> None:
        super().__init__()
        self._session, self._canvas = session, canvas
        self.setFixedWidth(78)
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.setAccessibleName("Magnification")
        self.setToolTip("Magnification; type a number, such as 20, and press Enter")
        self.setEnabled(False)
        canvas.view_changed.connect(self.show_view)
        session.opened.connect(lambda _: self.show_view())
        session.closed.connect(lambda _: self.show_view())
        session.study_changed.connect(lambda _: self.show_view())
        self.returnPressed.connect(self._go)

    def show_view(self) -> None:
        workspace = self._session.workspace
        self.setEnabled(workspace is not None)
        if workspace is None:
            self.clear()
        elif not self.hasFocus():
            self.setText(magnification_text(self._canvas.viewport.scale, workspace.slide.mpp))

    def _go(self) -> None:
        workspace = self._session.workspace
        text = self.text().strip().rstrip("x×%").replace(",", ".")
        try:
            wanted = float(text)
        except ValueError:
            wanted = 0.0
        self._canvas.setFocus()
        if workspace is None or not 0 < wanted < math.inf:
            self._session.tell.info("Type a magnification such as 20.")
        elif workspace.slide.mpp is None:
            self._canvas.set_scale(100 / wanted)
        else:
            self._canvas.set_scale(MPP_AT_1X / wanted / workspace.slide.mpp)
        self.show_view()


def magnification_text(scale: float, mpp: float | None) -> str:
    """Return the objective power that a view corresponds to, or per cent of level 0."""
    if mpp is None:
        return f"{100 / scale:.3g} %"
    power = MPP_AT_1X / (mpp * scale)
    return f"{power:.1f}×" if power < 10 else f"{power:.0f}×"
