"""The hand: drives the gesture of the chosen tool, from pointer events to an edit or a selection."""

from collections.abc import Callable

from segcore.errors import AcinusError
from viewer.document import Edit
from viewer.session import Session
from viewer.tools import (
    AcceptRegion,
    Choice,
    Context,
    Gesture,
    Pointer,
    Preview,
    Refusal,
    Result,
    Scribble,
)


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
        """Begin a gesture of the chosen tool, or pass the press to the one under way."""
        if self._gesture is not None:
            self.send(pointer)
            return
        context = self._session.context()
        tool = self._session.tool
        if context is None or tool.begin is None:
            return
        why_not = self._why_not(context)
        if why_not:
            self._session.tell.warn(why_not)
            return
        self.begin(tool.begin(pointer, context))

    def begin(self, gesture: Gesture) -> None:
        """Take up a gesture."""
        self._gesture = gesture
        self._advance(None)

    def send(self, pointer: Pointer) -> bool:
        """Pass an event on; True where the gesture ended with it and came to something."""
        return self._gesture is not None and self._advance(pointer)

    def drop(self) -> None:
        """Leave the gesture without a trace."""
        if self._gesture is not None:
            self._gesture.close()
            self._gesture = None
            self._show(None)

    def _why_not(self, context: Context) -> str:
        """Return why the mask cannot be painted now, "" where it can or is not to be."""
        if not self._session.tool.is_on_mask(context):
            return ""
        if context.grid is None:
            return "Set the pixel size under Measure before you paint a mask."
        running = any(not job.quiet for job in self._session.jobs.running)
        if context.document.mask.grid is None and running:
            return "Wait until the segmentation has started the mask."
        return ""

    def _advance(self, pointer: Pointer | None) -> bool:
        gesture = self._gesture
        if gesture is None:
            return False
        try:
            preview = next(gesture) if pointer is None else gesture.send(pointer)
        except StopIteration as end:
            self._gesture = None
            return self._finish(end.value)
        except AcinusError as error:  # a slide that cannot be read just now
            self._gesture = None
            return self._finish(Refusal(str(error)))
        self._show(preview)
        return False

    def _finish(self, result: Result | None) -> bool:
        session = self._session
        if isinstance(result, Refusal):
            session.tell.warn(result.text)
        workspace = session.workspace
        if isinstance(result, Choice) and workspace is not None:
            session.select(result.of(workspace.selection))
            self._show(None)
            return True
        if isinstance(result, (Scribble, AcceptRegion)):
            session.proposals.take(result)
        edit = result if isinstance(result, Edit) else None
        applied = session.apply(edit)
        self._show(None)
        if applied and edit is not None and edit.changes:
            self._select_changed(edit)
            if not session.tool.sticky:
                session.give_back_tool()
        return applied

    def _select_changed(self, edit: Edit) -> None:
        """Select what a gesture made or changed, so that it can be gone on with."""
        changed = [each.after.id for each in edit.changes if each.after is not None]
        if changed:
            self._session.select(frozenset(changed))

    def _show(self, preview: Preview | None) -> None:
        before, self.preview = self.preview, preview
        if preview is not None or before is not None:
            self._repaint(before)
