"""The hand: drives the gesture of the chosen tool, from pointer events to an edit."""

from collections.abc import Callable

from viewer.document import Edit
from viewer.session import Session
from viewer.tools import Gesture, MaskPreview, Pointer, Preview


class Hand:
    """Holds at most one gesture; knows no Qt, so that tests can drive it too."""

    def __init__(self, session: Session, repaint: Callable[[Preview | None], None]) -> None:
        self.preview: Preview | None = None
        self._session = session
        self._repaint = repaint
        self._gesture: Gesture | None = None

    @property
    def busy(self) -> bool:
        return self._gesture is not None

    def press(self, pointer: Pointer) -> None:
        """Begin a gesture, or pass the press to the one under way."""
        if self._gesture is not None:
            self.send(pointer)
            return
        context = self._session.context()
        tool = self._session.tool
        if context is None or tool.begin is None:
            return
        if tool.paints and context.grid is None:
            self._session.tell.warn("Set the pixel size under Measure before you paint a mask.")
            return
        if tool.paints and context.document.mask.grid is None and self._session.jobs.running:
            self._session.tell.info("Wait until the segmentation has started the mask.")
            return
        self._gesture = tool.begin(pointer, context)
        self._advance(None)

    def send(self, pointer: Pointer) -> None:
        if self._gesture is not None:
            self._advance(pointer)

    def drop(self) -> None:
        """Leave the gesture without a trace."""
        if self._gesture is not None:
            self._gesture.close()
            self._gesture = None
            self._show(None)

    def _advance(self, pointer: Pointer | None) -> None:
        gesture = self._gesture
        if gesture is None:
            return
        try:
            preview = next(gesture) if pointer is None else gesture.send(pointer)
        except StopIteration as end:
            self._gesture = None
            self._finish(end.value)
        else:
            self._show(preview)

    def _finish(self, edit: Edit | None) -> None:
        before = self.preview
        session = self._session
        applied = session.apply(edit)
        self._show(None)
        if isinstance(before, MaskPreview) or session.workspace is None:
            return
        if applied and not session.tool.sticky:
            newest = next(reversed(list(session.workspace.document.annotations)), None)
            if newest is not None:
                session.select(frozenset({newest}))
            session.give_back_tool()

    def _show(self, preview: Preview | None) -> None:
        before, self.preview = self.preview, preview
        if preview is not None or before is not None:
            self._repaint(before)
