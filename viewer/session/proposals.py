"""What is proposed for the mask and waits for the person's word."""

import math
from typing import TYPE_CHECKING

from viewer.document import Edit, Event, MaskGrid, Proposal, corrected_window
from viewer.jobs import Job
from viewer.jobs.spreading import MOST, Influence, box_of, influence_of, proposal_of, warm_up
from viewer.session.refining import Refining
from viewer.tools import AcceptRegion, Scribble, Tool

if TYPE_CHECKING:
    from viewer.session.session import Session


class Proposals:
    """The proposal that is shown over the mask, if any, and the scribbles that it grows from."""

    def __init__(self, session: "Session") -> None:
        self._session = session
        self.current: Proposal | None = None
        self.shows_before = False
        """Whether the mask is shown as it is, to compare."""
        self.changed: Event[None] = Event()
        self.refining = Refining(session)
        self._strokes: dict[Scribble, Influence | None] = {}
        session.tool_changed.connect(self._warm_up)
        session.edited.connect(self._on_edit)
        session.closed.connect(lambda _: self.drop())

    @property
    def scribbles(self) -> tuple[Scribble, ...]:
        return tuple(self._strokes)

    @property
    def spreading(self) -> bool:
        """Whether a scribble is still on its way."""
        return None in self._strokes.values()

    @property
    def waiting(self) -> bool:
        """Whether there is something to accept or to drop."""
        return bool(self.current is not None or self._strokes)

    # -- where proposals come from ------------------------------------------------------------

    def take(self, gesture: Scribble | AcceptRegion) -> None:
        """Go on from what the hand has done: another scribble, or a region that is right."""
        if isinstance(gesture, AcceptRegion):
            self.accept(self.current.at(gesture.x, gesture.y) if self.current else None)
        else:
            self._spread(gesture)

    def show(self, proposal: Proposal) -> None:
        """Show a proposal in the place of the present one."""
        self._strokes.clear()
        self._put(proposal)

    def take_back(self) -> None:
        """Forget the last scribble."""
        if self._strokes:
            self._strokes.popitem()
            self._propose()

    def weigh_again(self) -> None:
        """Propose anew, since strokes weigh more or less now, or are fewer."""
        if self._strokes:
            self._propose()

    # -- what becomes of them -----------------------------------------------------------------

    def accept(self, part: Proposal | None = None) -> bool:
        """Make the proposal true, or a part of it, in one edit; the rest stays proposed."""
        session, proposal = self._session, part or self.current
        if session.workspace is None or proposal is None or not proposal.pixels:
            return False
        names = {each.code: each.name.lower() for each in session.taxonomy.classes}
        what = " and ".join(names.get(code, "unlabelled") for code in proposal.counts)
        return session.apply(proposal.edit(session.workspace.document.mask, what))

    def drop(self) -> None:
        """Forget the proposal and the scribbles; the mask is as it was."""
        if self.waiting:
            self._strokes.clear()
            self._put(None)

    def compare(self, *, before: bool) -> None:
        """Show the mask without the proposal, or with it again."""
        if before != self.shows_before:
            self.shows_before = before
            self.changed.emit(None)

    # -- inside -------------------------------------------------------------------------------

    def _spread(self, scribble: Scribble) -> None:
        session, workspace = self._session, self._session.workspace
        grid = workspace.default_grid if workspace is not None else None
        if workspace is None or workspace.tissue is None or grid is None:
            return
        tissue = workspace.tissue
        self._strokes[scribble] = None
        self.changed.emit(None)
        job: Job = session.jobs.start(
            "Spreading a stroke",
            lambda report: influence_of(scribble, grid, tissue, report=report),
            owner=workspace,
            quiet=True,
        )
        job.succeeded.connect(lambda found: self._add(scribble, found))
        job.failed.connect(lambda error: self._fail(scribble, error))

    def _add(self, scribble: Scribble, influence: Influence) -> None:
        if scribble not in self._strokes:  # dropped meanwhile
            return
        self._strokes[scribble] = influence
        left, top, right, bottom = box_of(self._known())
        if max(right - left, bottom - top) > MOST:
            del self._strokes[scribble]
            self._session.tell.info(
                "This is too far from the other strokes; accept or drop those first."
            )
        self._propose()

    def _fail(self, scribble: Scribble, error: Exception) -> None:
        self._strokes.pop(scribble, None)
        self._session.tell_failure(error)
        self._propose()

    def _known(self) -> list[Influence]:
        return [each for each in self._strokes.values() if each is not None]

    def _propose(self) -> None:
        """Propose what the scribbles say together."""
        workspace, known = self._session.workspace, self._known()
        grid: MaskGrid | None = workspace.default_grid if workspace is not None else None
        if workspace is None or grid is None or not known:
            self._put(None)
            return
        width, height = workspace.slide.dimensions
        box = box_of(known)
        place = box[0], box[1], box[2] - box[0], box[3] - box[1]
        document = workspace.document
        self._put(
            proposal_of(
                known,
                document.mask.read(*place),
                corrected_window(document, *place),
                box=box,
                grid=grid,
                size=(math.ceil(width / grid.scale), math.ceil(height / grid.scale)),
                strength=float(self._session.settings["spread.strength"]),
            )
        )

    def _put(self, proposal: Proposal | None) -> None:
        self.current = proposal if proposal is not None and proposal.pixels else None
        self.shows_before = False
        self.changed.emit(None)

    def _on_edit(self, edit: Edit) -> None:
        """Fit the proposal to the mask as it is now; when nothing of it is left, it is over."""
        workspace = self._session.workspace
        if edit.grid is not None and edit.grid.before is not None:
            self.drop()  # the strokes were weighed on pixels of another size
        if self.current is None or workspace is None or not edit.tiles:
            return
        rest = self.current.on(workspace.document.mask)
        if rest.pixels:
            self._put(rest)
        else:
            self.drop()

    def _warm_up(self, tool: Tool) -> None:
        """Compile what spreading needs, before the first stroke is finished."""
        if tool.name == "spread":
            self._session.jobs.start("Getting ready to spread", warm_up, quiet=True)
