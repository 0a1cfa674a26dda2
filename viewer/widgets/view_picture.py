"""The view as a picture for a talk or a paper: as on the screen, but finer, with scale bar and legend."""

from pathlib import Path

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFont, QImage, QPainter
from PySide6.QtWidgets import QApplication

from segcore.annotations import Class
from segcore.errors import ExportError
from segcore.progress import Report
from viewer.rendering import SlideLayer
from viewer.rendering.tile_loader import as_image
from viewer.rendering.tiles import TileKey
from viewer.session import Session
from viewer.session.ports import PictureOptions
from viewer.widgets.scale_bar import paint_scale_bar
from viewer.widgets.slide_view import SlideView

DOTS_PER_METRE = 11811  # 300 dpi, of which a finer picture has a multiple
BUDGET = 2 << 30
ROW, PAD = 22, 12
Tiles = list[tuple[TileKey, QImage]]


def export_picture(session: Session, view: SlideView, path: Path, options: PictureOptions) -> None:
    """Read what the view shows at full fineness, paint it and write it to `path`."""
    loader, viewport = view.loader, view.viewport
    if loader is None:
        return
    tissue = SlideLayer(loader.grid, BUDGET)
    tissue.adjust(view.adjustment)
    keys = tissue.needed(viewport.upright, options.finer)

    def read(report: Report) -> Tiles:
        tiles = []
        for i, key in enumerate(keys):
            report(i / len(keys), f"{i} of {len(keys)} tiles")
            tiles.append((key, as_image(loader.displayed(key))))
        return tiles

    def write(tiles: Tiles) -> None:
        for key, image in tiles:
            tissue.add(key, image)
        picture = paint_picture(session, view, tissue, options)
        if picture.save(str(path), quality=95):
            size = f"{picture.width():,} x {picture.height():,} pixels"
            session.tell.info(f"The view is in {path.name}, {size}.")
        else:
            error = ExportError(
                f"{path.name} cannot be written; choose another folder, and .png, .jpg or .tif."
            )
            session.tell_failure(error, lambda: export_picture(session, view, path, options))

    job = session.jobs.start("Reading the view", read, owner=session.workspace)
    job.succeeded.connect(write)
    job.failed.connect(session.tell_failure)


def paint_picture(
    session: Session, view: SlideView, tissue: SlideLayer, options: PictureOptions
) -> QImage:
    """Return the view with `options.finer` pixels for each of the screen's."""
    viewport, finer = view.viewport, options.finer
    size = round(viewport.width * finer), round(viewport.height * finer)
    picture = QImage(*size, QImage.Format.Format_RGB32)
    picture.setDevicePixelRatio(finer)
    picture.setDotsPerMeterX(DOTS_PER_METRE)
    picture.setDotsPerMeterY(DOTS_PER_METRE)
    picture.fill(QColor("white"))
    painter = QPainter(picture)
    painter.setFont(QApplication.font())
    view.paint_scene(painter, tissue, viewport, float(finer))
    workspace = session.workspace
    if options.scale_bar and workspace is not None:
        paint_scale_bar(painter, view.rect(), viewport.scale, workspace.slide.mpp)
    if options.legend and session.show_mask:
        paint_legend(painter, view.rect().toRectF(), _shown_classes(session))
    painter.end()
    return picture


def _shown_classes(session: Session) -> list[Class]:
    """Return the classes that the mask has somewhere and that are not hidden."""
    workspace = session.workspace
    tiles = workspace.document.mask.tiles.values() if workspace is not None else ()
    codes = {int(code) for tile in tiles for code in np.unique(tile)} - session.hidden_classes
    return [each for each in session.taxonomy.classes if each.code in codes]


def paint_legend(painter: QPainter, frame: QRectF, classes: list[Class]) -> None:
    """Paint names and colours of classes at the lower right."""
    if not classes:
        return
    font = QFont(painter.font())
    font.setPixelSize(12)
    painter.setFont(font)
    widest = max(painter.fontMetrics().horizontalAdvance(each.name) for each in classes)
    width, height = widest + 2 * PAD + 24, len(classes) * ROW + PAD
    narrow = frame.width() < 2 * width + 220  # then it stands above the scale bar
    foot = frame.bottom() - (74 if narrow else 16)
    card = QRectF(frame.right() - 16 - width, foot - height, width, height)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(20, 22, 26, 200))
    painter.drawRoundedRect(card, 7, 7)
    for i, each in enumerate(classes):
        top = card.top() + PAD / 2 + i * ROW
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(*each.colour))
        painter.drawRoundedRect(QRectF(card.left() + PAD, top + 4, 14, 14), 3, 3)
        painter.setPen(QColor("white"))
        text = QRectF(card.left() + PAD + 24, top, widest + 4, ROW)
        painter.drawText(text, Qt.AlignmentFlag.AlignVCenter, each.name)
