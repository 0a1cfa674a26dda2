import math
from datetime import datetime

from PySide6.QtWidgets import QLabel, QStatusBar

from viewer.rendering.heatmap_layer import reading
from viewer.session import Session, Workspace


class Status(QStatusBar):
    """State, not news: whether all is saved, where the cursor is, what lies under it."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self.setSizeGripEnabled(False)
        self.saved = QLabel("")
        self.place = QLabel("")
        self.under = QLabel("")
        self.study = QLabel("")
        self.display = QLabel("")
        for label in (self.saved, self.place, self.under):
            self.addWidget(label)
        self.addPermanentWidget(self.display)
        self.addPermanentWidget(self.study)
        self.addPermanentWidget(QLabel("Research use only"))
        session.opened.connect(self._open)
        session.closed.connect(lambda _: self._clear())
        session.study_changed.connect(lambda _: self.show_saved())
        session.adjusted.connect(lambda _: self._show_display())
        session.looks_changed.connect(lambda _: self._show_display())

    def show_saved(self) -> None:
        """Say when the last edit was saved, or how many are not."""
        workspace = self.session.workspace
        if workspace is None:
            self.saved.setText("")
            return
        self.study.setText(workspace.study.path.name)
        self.study.setToolTip(str(workspace.study.path))
        unsaved = workspace.study.unsaved
        if workspace.study.read_only:
            self.saved.setText("Read only")
        elif unsaved:
            self.saved.setText(f"<span style='color:#e0a63a'>●</span> {unsaved} edits not saved")
        else:
            now = datetime.now().astimezone()
            self.saved.setText(f"<span style='color:#2e9e5b'>●</span> Saved {now:%H:%M:%S}")

    def point(self, place: tuple[float, float] | None) -> None:
        """Show what is under the cursor: position in µm and pixels, class of the mask, value of the heatmap."""
        workspace = self.session.workspace
        if workspace is None or place is None or not _inside(workspace, *place):
            self.place.setText("")
            self.under.setText("")
            return
        x, y = place
        mpp = workspace.slide.mpp
        pixels = f"{x:,.0f}, {y:,.0f} px"
        self.place.setText(f"x {x * mpp:,.1f}  y {y * mpp:,.1f} µm · {pixels}" if mpp else pixels)
        under = (self._class_at(workspace, x, y), _heat_at(workspace, x, y))
        self.under.setText(" · ".join(each for each in under if each))

    def _class_at(self, workspace: Workspace, x: float, y: float) -> str:
        grid = workspace.document.mask.grid
        if grid is None:
            return ""
        column, row = int(x / grid.scale), int(y / grid.scale)
        tile = workspace.shown_tile((column // 256, row // 256))
        code = int(tile[row % 256, column % 256]) if tile is not None else 0
        named = (each.name for each in self.session.taxonomy.classes if each.code == code)
        return next(named, f"Pixel value {code}") if code else ""

    def _open(self, workspace: Workspace) -> None:
        self.show_saved()
        self._show_display()
        if not workspace.study.read_only:
            self.saved.setText("<span style='color:#2e9e5b'>●</span> Everything is saved")

    def _show_display(self) -> None:
        """Say how what is seen differs from what was scanned."""
        session, said = self.session, []
        if session.workspace is not None:
            if session.workspace.slide.icc_profile and session.settings["colour.managed"]:
                said.append("Colours by ICC profile")
            if not session.adjustment.changes_nothing:
                said.append("Display adjusted")
        self.display.setText(" · ".join(said))

    def _clear(self) -> None:
        for label in (self.saved, self.place, self.under, self.study, self.display):
            label.setText("")


def _heat_at(workspace: Workspace, x: float, y: float) -> str:
    """Return what the heatmap says at a place, "" where it says nothing."""
    heat = workspace.heatmap.heat if workspace.heatmap is not None else None
    value = heat.at(x, y) if heat is not None else math.nan
    return "" if heat is None or math.isnan(value) else f"{heat.title}: {reading(heat, value)}"


def _inside(workspace: Workspace, x: float, y: float) -> bool:
    width, height = workspace.slide.dimensions
    return 0 <= x < width and 0 <= y < height
