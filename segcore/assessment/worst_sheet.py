"""The sheet of the worst tiles: picture, reference and prediction side by side."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from segcore.annotations import load_taxonomy
from segcore.assessment.drawing import FAINT, INK, PAPER, font, laid_over, sheet
from segcore.assessment.worst import WorstTile
from segcore.slides import Rgb

_PANEL, _GAP, _MARGIN = 300, 8, 40
_HEAD, _CAPTION, _FOOT = 110, 46, 70
_TRIPLE = 3 * _PANEL + 2 * _GAP


def draw_worst(tiles: Sequence[WorstTile], *, title: str) -> Image.Image:
    """Draw the tiles in two columns, worst first."""
    columns = 2 if len(tiles) > 1 else 1
    rows = -(-max(1, len(tiles)) // columns)
    width = 2 * _MARGIN + columns * _TRIPLE + (columns - 1) * _MARGIN
    picture = sheet(width, _HEAD + rows * (_CAPTION + _PANEL + 16) + _FOOT)
    draw = ImageDraw.Draw(picture)
    draw.text((_MARGIN, 28), "Worst tiles: picture, reference, prediction", INK, font(32))
    draw.text((_MARGIN, 70), title, FAINT, font(20))
    for i, tile in enumerate(tiles):
        row, column = divmod(i, columns)
        left = _MARGIN + column * (_TRIPLE + _MARGIN)
        top = _HEAD + row * (_CAPTION + _PANEL + 16)
        _draw_tile(picture, tile, left, top)
    if not tiles:
        draw.text((_MARGIN, _HEAD + 20), "Every labelled pixel is right.", INK, font(22))
    _draw_legend(draw, picture.height - _FOOT + 14)
    return picture


def _draw_tile(picture: Image.Image, tile: WorstTile, left: int, top: int) -> None:
    draw = ImageDraw.Draw(picture)
    text = f"{tile.wrong:.0%} of the labelled pixels wrong"
    right = left + _TRIPLE
    draw.text((right, top + 14), text, INK, font(18), anchor="ra")
    room = _TRIPLE - draw.textlength(text, font(18)) - 30
    draw.text((left, top + 14), _fitted(draw, f"{tile.source}: {tile.case}", room), INK, font(18))
    taxonomy = load_taxonomy()
    panels = (
        tile.image,
        laid_over(tile.image, tile.reference, taxonomy),
        laid_over(tile.image, tile.predicted, taxonomy),
    )
    for i, panel in enumerate(panels):
        picture.paste(_fit(panel), (left + i * (_PANEL + _GAP), top + _CAPTION))


def _fitted(draw: ImageDraw.ImageDraw, text: str, room: float) -> str:
    while draw.textlength(text, font(18)) > room:
        text = text[:-4] + "..."
    return text


def _fit(panel: Rgb) -> Image.Image:
    """Scale into a square without distortion, on the paper's colour."""
    image = Image.fromarray(np.ascontiguousarray(panel))
    scale = _PANEL / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    square = sheet(_PANEL, _PANEL)
    square.paste(
        image.resize(size, Image.Resampling.LANCZOS if scale < 1 else Image.Resampling.BICUBIC)
    )
    return square


def _draw_legend(draw: ImageDraw.ImageDraw, y: int) -> None:
    x = float(_MARGIN)
    for each in load_taxonomy().classes:
        draw.rectangle((x, y, x + 22, y + 22), fill=each.colour, outline=INK)
        draw.text((x + 32, y + 1), each.name, INK, font(18))
        x += 60 + draw.textlength(each.name, font(18))
    draw.rectangle((x, y, x + 22, y + 22), fill=(160, 160, 160))
    for start in (2, 12, 22):
        draw.line((x + start, y, x, y + start), fill=PAPER, width=2)
    draw.line((x + 22, y + 10, x + 10, y + 22), fill=PAPER, width=2)
    draw.rectangle((x, y, x + 22, y + 22), outline=INK)
    draw.text((x + 32, y + 1), "no label: counts for nothing", INK, font(18))
