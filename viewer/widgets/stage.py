from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, QSize, Qt
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent, QResizeEvent
from PySide6.QtWidgets import QSplitter, QStackedWidget

from viewer.actions import action_named, perform
from viewer.actions.projects import is_annotation_file, take_in
from viewer.jobs import Job
from viewer.session import Session, Workspace
from viewer.session.ports import Offer
from viewer.tools import Tool
from viewer.widgets.adjustments import Adjustments
from viewer.widgets.canvas import Canvas
from viewer.widgets.companion import Companion
from viewer.widgets.floats import Hint, JobCard, Message, Overview
from viewer.widgets.proposal_bar import ProposalBar
from viewer.widgets.welcome import Welcome

MARGIN = 14
PIXEL_SIZE = "measure.pixel_size"
MOST_MESSAGES = 3
SCALE_BAR, ABOVE_SCALE_BAR = 226, 66  # where it ends at most, and what is free above it


class Stage(QStackedWidget):
    """The middle of the window: the welcome page or the canvas, and what floats over them."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self.welcome = Welcome(session)
        self.canvas = Canvas(session)
        self.addWidget(self.welcome)
        self.companion = Companion(session, self.canvas)
        self.slides = QSplitter(Qt.Orientation.Horizontal)
        self.slides.setHandleWidth(1)
        self.slides.setChildrenCollapsible(False)
        self.slides.addWidget(self.canvas)
        self.slides.addWidget(self.companion)
        self.addWidget(self.slides)
        self.adjustments = Adjustments(self, session)
        self.overview = Overview(self)
        self.hint = Hint(self)
        self.proposal_bar = ProposalBar(self, session, self.canvas)
        self.messages: list[Message] = []
        self._trouble = ""
        self.cards: dict[Job, JobCard] = {}
        self.setAcceptDrops(True)
        self.overview.jumped.connect(self._jump)
        self.canvas.view_changed.connect(lambda: self.overview.look(self.canvas.viewport))
        self.canvas.trouble.connect(self._note_trouble)
        self.canvas.recovered.connect(self._end_trouble)
        session.opened.connect(self._open)
        session.closed.connect(lambda _: self._close())
        session.tool_changed.connect(self._on_tool)
        session.jobs.started.connect(self._on_job)
        session.looks_changed.connect(lambda _: self._show_floats())
        session.beside.changed.connect(lambda opened: self._make_room(beside=opened is not None))
        session.proposals.changed.connect(lambda _: self.arrange())
        self.slides.splitterMoved.connect(lambda *_: self.arrange())

    def add_message(self, text: str, *, kind: str, offers: Sequence[Offer] = ()) -> None:
        """Show one sentence; the same sentence is not shown twice at once."""
        for each in [m for m in self.messages if m.text == text]:
            self._drop_message(each)
        message = Message(self, text, kind=kind, offers=offers)
        message.closed.connect(lambda: self._drop_message(message))
        message.installEventFilter(self)
        self.messages.append(message)
        for old in self.messages[:-MOST_MESSAGES]:
            self._drop_message(old)
        message.show()
        self.arrange()

    @property
    def _right(self) -> int:
        """Return where the canvas ends, beside which a second slide may be."""
        return self.canvas.width() if self.companion.isVisibleTo(self) else self.width()

    def arrange(self) -> None:
        """Put every floating thing in its place."""
        self.overview.move(self._right - self.overview.width() - MARGIN, MARGIN)
        self._place_adjustments()
        bottom = self.height() - MARGIN
        for card in self.cards.values():
            size = card.sizeHint()
            card.setGeometry(
                self.width() - card.width() - MARGIN,
                bottom - size.height(),
                card.width(),
                size.height(),
            )
            card.raise_()
            bottom -= size.height() + 8
        self._place_hint()
        lies = self.adjustments.isVisible() and self.adjustments.y() > MARGIN
        foot = self.adjustments.y() - 8 if lies else self.height() - MARGIN
        self._stack_messages(self._place_proposal_bar(foot))

    def _place_adjustments(self) -> None:
        """Put the display controls into a corner; over two slides, to which they apply, along the foot of both."""
        beside = self.companion.isVisibleTo(self)
        self.adjustments.lay_out(room=self.width() - 2 * MARGIN if beside else 0)
        foot = self.height() - ABOVE_SCALE_BAR - self.adjustments.height()
        middle = (self.width() - self.adjustments.width()) // 2
        self.adjustments.move(middle if beside else MARGIN, foot if beside else MARGIN)

    def _place_proposal_bar(self, foot: int) -> int:
        """Put the bar over `foot` in the middle; return the foot of what stands above it."""
        bar = self.proposal_bar
        if not bar.isVisibleTo(self):
            return foot
        bar.fit(self._right - 2 * MARGIN)
        left = max(MARGIN, (self._right - bar.width()) // 2)
        foot = min(foot, self.height() - ABOVE_SCALE_BAR) if left < SCALE_BAR else foot
        bar.move(left, foot - bar.height())
        bar.raise_()
        return bar.y() - 8

    def _place_hint(self) -> None:
        """Centre the hint, but never under the overview."""
        seen = self.overview.isVisibleTo(self)
        right = (self.overview.x() if seen else self._right) - MARGIN
        width = min(self.hint.sizeHint().width(), right - MARGIN)
        height = (
            self.hint.heightForWidth(width) if self.hint.hasHeightForWidth() else self.hint.height()
        )
        left = max(MARGIN, min((self._right - width) // 2, right - width))
        self.hint.setGeometry(left, MARGIN, width, height)

    def _stack_messages(self, foot: int) -> None:
        """Put messages in the middle of what the cards of running jobs leave free."""
        room = min((card.x() for card in self.cards.values()), default=self.width())
        for message in reversed(self.messages):
            width = min(message.sizeHint().width(), 640, room - 2 * MARGIN)
            height = max(message.heightForWidth(width), message.minimumSizeHint().height())
            left = (room - width) // 2
            if left < SCALE_BAR:
                foot = min(foot, self.height() - ABOVE_SCALE_BAR)
            message.setGeometry(left, foot - height, width, height)
            message.raise_()
            foot -= height + 8

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.arrange()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.LayoutRequest and watched in self.messages:
            self.arrange()
        return super().eventFilter(watched, event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasUrls():
            event.acceptProposedAction()
            files = [Path(url.toLocalFile()) for url in event.mimeData().urls()]
            importing = all(is_annotation_file(each) for each in files)
            self._say(
                "Drop to import the annotations" if importing else "Drop the slide to open it"
            )

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        super().dragLeaveEvent(event)
        self._on_tool(self.session.tool)

    def dropEvent(self, event: QDropEvent) -> None:
        self._on_tool(self.session.tool)
        files = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        if not files:
            self.session.tell.warn("Only files from this computer can be opened.")
            return
        event.acceptProposedAction()
        take_in(self.session, files)

    def _open(self, workspace: Workspace) -> None:
        for message in list(self.messages):
            self._drop_message(message)  # what was wrong with another slide is over
        self.setCurrentWidget(self.slides)
        self.overview.show_slide(workspace.thumbnail, workspace.slide.bounds)
        self.overview.look(self.canvas.viewport)
        self._show_floats()
        if workspace.slide.mpp is None:
            ask = Offer(
                "Set it…", lambda: perform(action_named(PIXEL_SIZE), self.session), closes=True
            )
            self.session.tell.info(
                "This slide does not say how large its pixels are.", offers=[ask]
            )

    def _show_floats(self) -> None:
        wanted = self.session.show_overview and self.session.workspace is not None
        self.overview.setVisible(wanted)
        self.overview.raise_()
        adjusting = self.session.show_adjustments and self.session.workspace is not None
        self.adjustments.setVisible(adjusting)
        self.adjustments.raise_()
        self.arrange()

    def _make_room(self, *, beside: bool) -> None:
        """Give both slides half of the stage."""
        half = self.width() // 2
        self.slides.setSizes([half, half] if beside else [self.width(), 0])
        self.arrange()

    def _close(self) -> None:
        self.overview.hide()
        self.adjustments.hide()
        self.hint.say("")
        self.welcome.refresh()
        self.setCurrentWidget(self.welcome)

    def _on_tool(self, tool: Tool) -> None:
        self._say("" if tool.begin is None or self.session.workspace is None else tool.hint)

    def _say(self, text: str) -> None:
        self.hint.say(text)
        self.hint.raise_()
        self.arrange()

    def _on_job(self, job: Job) -> None:
        card = JobCard(self, job)
        self.cards[job] = card
        job.succeeded.connect(lambda _: self._drop_card(job))  # before what asks about its result
        job.finished.connect(lambda: self._drop_card(job))
        card.show()
        self.arrange()

    def _drop_card(self, job: Job) -> None:
        card = self.cards.pop(job, None)
        if card is not None:
            card.hide()
            card.deleteLater()
            self.arrange()

    def _drop_message(self, message: Message) -> None:
        if message in self.messages:
            self.messages.remove(message)
            message.hide()
            message.deleteLater()
            self.arrange()

    def _note_trouble(self, text: str) -> None:
        self._trouble = text

    def _end_trouble(self) -> None:
        """Take away what was said of a slide that can be read again."""
        for message in [each for each in self.messages if each.text == self._trouble]:
            self._drop_message(message)

    def _jump(self, x: float, y: float) -> None:
        view = self.canvas.viewport
        across, down = view.to_screen(x, y)
        self.canvas.look(view.panned(view.width / 2 - across, view.height / 2 - down))

    def sizeHint(self) -> QSize:
        return QSize(900, 700)
