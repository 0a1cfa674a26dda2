"""The view as a picture for a talk or a paper: as on the screen, but finer, with scale bar and legend.

Where two slides are seen side by side, so they are on the picture, cut to the same height.
"""

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QRect
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QApplication

from segcore.errors import ExportError
from segcore.progress import Report
from viewer.rendering import SlideLayer
from viewer.rendering.tile_loader import TileLoader, as_image
from viewer.rendering.tiles import TileKey
from viewer.rendering.viewport import Viewport
from viewer.session import Session
from viewer.session.ports import PictureOptions
from viewer.widgets.legend import legend_of, paint_legend
from viewer.widgets.scale_bar import paint_scale_bar
from viewer.widgets.slide_pane import SlidePane
from viewer.widgets.slide_view import SlideView

DOTS_PER_METRE = 11811  # 300 dpi, of which a finer picture has a multiple
BUDGET = 2 << 30
GAP = 8  # screen pixels between two slides


@dataclass(frozen=True, slots=True)
class Part:
    """One slide of a picture: who paints it, from which tiles, as seen how."""

    pane: SlidePane
    tissue: SlideLayer
    view: Viewport

    @property
    def frame(self) -> QRect:
        return QRect(0, 0, round(self.view.width), round(self.view.height))


def picture_size(main: SlidePane) -> tuple[int, int]:
    """Return width and height in screen pixels of a picture of this pane, and of its neighbour."""
    views = [view for _, view in _seen(main)]
    across = sum(view.width for view in views) + GAP * (len(views) - 1)
    return round(across), round(views[0].height)


def _seen(main: SlidePane) -> list[tuple[SlidePane, Viewport]]:
    panes = [main] if main.neighbour is None else [main, main.neighbour]
    height = min(pane.viewport.height for pane in panes)
    return [(pane, pane.viewport.resized(pane.viewport.width, height)) for pane in panes]


def copy_picture(session: Session, main: SlideView) -> None:
    """Put what is seen on the clipboard, as fine as the screen."""
    parts = [Part(pane, pane.slide_layer, view) for pane, view in _seen(main) if pane.slide_layer]
    finer = main.devicePixelRatioF()
    picture = paint_picture(session, main, parts, finer, PictureOptions(legend=False))
    QApplication.clipboard().setImage(picture)


def export_picture(session: Session, main: SlideView, path: Path, options: PictureOptions) -> None:
    """Read what is seen at full fineness, paint it and write it to `path`."""
    parts, wanted = [], []
    for pane, view in _seen(main):
        if pane.loader is not None:
            tissue = SlideLayer(pane.loader.grid, BUDGET)
            tissue.adjust(pane.adjustment)
            keys = tissue.needed(view.upright, options.finer)
            parts.append(Part(pane, tissue, view))
            wanted += [(tissue, pane.loader, key) for key in keys]

    def write(tiles: list[QImage]) -> None:
        for (tissue, _, key), image in zip(wanted, tiles, strict=True):
            tissue.add(key, image)
        picture = paint_picture(session, main, parts, options.finer, options)
        if picture.save(str(path), quality=95):
            size = f"{picture.width():,} x {picture.height():,} pixels"
            session.tell.wrote(f"The view is in {path.name}, {size}.", path)
        else:
            error = ExportError(
                f"{path.name} cannot be written; choose another folder, and .png, .jpg or .tif."
            )
            session.tell_failure(error, lambda: export_picture(session, main, path, options))

    job = session.jobs.start(
        "Reading the view", lambda report: _read(wanted, report), owner=session.workspace
    )
    job.succeeded.connect(write)
    job.failed.connect(session.tell_failure)


def _read(wanted: list[tuple[SlideLayer, TileLoader, TileKey]], report: Report) -> list[QImage]:
    tiles = []
    for i, (_, loader, key) in enumerate(wanted):
        report(i / len(wanted), f"{i} of {len(wanted)} tiles")
        tiles.append(as_image(loader.displayed(key)))
    return tiles


def paint_picture(
    session: Session, main: SlideView, parts: list[Part], finer: float, options: PictureOptions
) -> QImage:
    """Return the parts side by side, with `finer` pixels for each of the screen's."""
    across, down = picture_size(main)
    picture = QImage(round(across * finer), round(down * finer), QImage.Format.Format_RGB32)
    picture.setDevicePixelRatio(finer)
    picture.setDotsPerMeterX(DOTS_PER_METRE)
    picture.setDotsPerMeterY(DOTS_PER_METRE)
    picture.fill(QColor("white"))
    painter = QPainter(picture)
    painter.setFont(QApplication.font())
    for part in parts:
        painter.save()
        painter.setClipRect(part.frame)
        part.pane.paint_scene(painter, part.tissue, part.view, finer)
        if options.scale_bar and part.pane.slide is not None:
            paint_scale_bar(painter, part.frame, part.view.scale, part.pane.slide.mpp)
        if options.legend and part.pane is main:  # which alone has layers
            paint_legend(painter, part.frame.toRectF(), legend_of(session, main))
        painter.restore()
        painter.translate(part.frame.width() + GAP, 0)
    painter.end()
    return picture
