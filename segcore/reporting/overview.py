"""The picture of a result: the segmented part with its mask, a legend, a scale bar, and where it lies."""

from collections.abc import Sequence

import numpy as np
import shapely
from PIL import Image, ImageDraw, ImageFont
from shapely.geometry.base import BaseGeometry

from segcore.annotations import LabelMap, Taxonomy
from segcore.annotations.statistics import statistics
from segcore.slides import Rgb, Slide, read_scaled

_LONGEST = 1400
_PANEL = 330
_MARGIN = 24
_OPACITY = 0.45
_PAPER, _INK, _FAINT = (250, 250, 248), (30, 34, 38), (110, 116, 122)
_ROUND = (1, 2, 5)


def draw_overview(
    slide: Slide, masks: Sequence[LabelMap], rois: Sequence[BaseGeometry], taxonomy: Taxonomy
) -> Image.Image:
    """Return a picture of the regions (level-0 pixels) with the masks laid over; `slide.mpp` is known."""
    left, top, right, bottom = shapely.total_bounds(list(rois))
    room = 0.04 * max(right - left, bottom - top)
    left, top, right, bottom = left - room, top - room, right + room, bottom + room
    scale = max(right - left, bottom - top) / _LONGEST
    width, height = round((right - left) / scale), round((bottom - top) / scale)
    view = read_scaled(slide, left=left, top=top, scale=scale, width=width, height=height)
    for mask in masks:
        _lay_over(view, mask, taxonomy, left=left, top=top, scale=scale)
    picture = Image.fromarray(view)
    draw_outlines(picture, rois, left=left, top=top, scale=scale)
    draw_scale_bar(picture, (slide.mpp or 1.0) * scale)
    panel = _draw_panel(slide, masks, rois, taxonomy)
    sheet = Image.new("RGB", (width + panel.width, max(height, panel.height)), _PAPER)
    sheet.paste(picture, (0, 0))
    sheet.paste(panel, (width, 0))
    return sheet


def _lay_over(
    view: Rgb, mask: LabelMap, taxonomy: Taxonomy, *, left: float, top: float, scale: float
) -> None:
    """Blend the class colours into the view, and draw the borders between classes in full."""
    height, width = view.shape[:2]
    columns = (
        np.floor((left + (np.arange(width) + 0.5) * scale) / mask.scale).astype(int) - mask.column
    )
    rows = np.floor((top + (np.arange(height) + 0.5) * scale) / mask.scale).astype(int) - mask.row
    codes = np.zeros((height, width), np.uint8)
    across = (columns >= 0) & (columns < mask.labels.shape[1])
    down = (rows >= 0) & (rows < mask.labels.shape[0])
    codes[np.ix_(down, across)] = mask.labels[np.ix_(rows[down], columns[across])]
    colours, opacity = np.zeros((256, 3), np.float32), np.zeros(256, np.float32)
    for each in taxonomy.classes:
        colours[each.code], opacity[each.code] = each.colour, _OPACITY * each.emphasis
    border = np.zeros(codes.shape, bool)
    border[1:] |= codes[1:] != codes[:-1]
    border[:, 1:] |= codes[:, 1:] != codes[:, :-1]
    weight = np.where(border & (codes > 0), np.sqrt(opacity[codes]), opacity[codes])[
        ..., np.newaxis
    ]
    view[:] = (view * (1 - weight) + colours[codes] * weight).round()


def draw_outlines(
    picture: Image.Image, rois: Sequence[BaseGeometry], *, left: float, top: float, scale: float
) -> None:
    draw = ImageDraw.Draw(picture)
    for ring in shapely.get_rings(shapely.get_parts(list(rois))):
        points = (shapely.get_coordinates(ring) - (left, top)) / scale
        draw.line([tuple(each) for each in points.tolist()], fill=_INK, width=2)


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def draw_scale_bar(picture: Image.Image, mpp: float) -> None:
    """Draw a bar of a round length, at most a quarter of the picture wide; `mpp` is of the picture."""
    most = picture.width * mpp / 4
    power = 10.0 ** np.floor(np.log10(most))
    length = max(step * power for step in _ROUND if step * power <= most)
    text = f"{length / 1000:g} mm"  # Pillow's own font has no µ
    draw = ImageDraw.Draw(picture)
    right, bottom = 20 + length / mpp, picture.height - 20
    wide = max(right, 20 + draw.textlength(text, _font(18)))
    draw.rectangle((10, bottom - 42, wide + 10, bottom + 10), fill=_PAPER)
    draw.rectangle((20, bottom - 6, right, bottom), fill=_INK)
    draw.text((20, bottom - 34), text, _INK, _font(18))


def _draw_panel(
    slide: Slide, masks: Sequence[LabelMap], rois: Sequence[BaseGeometry], taxonomy: Taxonomy
) -> Image.Image:
    """Draw the legend with the areas, and the whole slide with the regions on it."""
    areas = statistics(masks, taxonomy)
    inside = _PANEL - 2 * _MARGIN
    small = Image.fromarray(slide.thumbnail(inside))
    legend = 60 + 34 * len(taxonomy.classes) + 70
    panel = Image.new("RGB", (_PANEL, legend + small.height + 2 * _MARGIN + 60), _PAPER)
    draw = ImageDraw.Draw(panel)
    draw.text((_MARGIN, _MARGIN), "Acinus", _INK, _font(22))
    y = 66
    for each in taxonomy.classes:
        draw.rectangle((_MARGIN, y, _MARGIN + 22, y + 22), fill=each.colour, outline=_INK)
        draw.text((_MARGIN + 34, y + 1), each.name, _INK, _font(17))
        share = f"{areas.fraction[each.name]:.1%}"
        draw.text((_PANEL - _MARGIN, y + 1), share, _INK, _font(17), anchor="ra")
        y += 34
    ratio = "-" if areas.tumor_to_stroma is None else f"{areas.tumor_to_stroma:.2f}"
    draw.text((_MARGIN, y + 6), f"Tumor to stroma {ratio}", _INK, _font(17))
    draw.text((_MARGIN, y + 32), f"Labelled {areas.labelled_mm2:.3g} sq. mm", _FAINT, _font(15))
    scale = slide.dimensions[0] / small.width
    draw_outlines(small, rois, left=0, top=0, scale=scale)
    panel.paste(small, (_MARGIN, legend + _MARGIN))
    draw.text((_MARGIN, panel.height - 44), "Research use only", _FAINT, _font(15))
    return panel
