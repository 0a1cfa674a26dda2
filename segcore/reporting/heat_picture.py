"""The picture of a map: the tissue, the tissue under the map, a colour bar, and what it is not."""

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont
from shapely.geometry.base import BaseGeometry

from segcore.explain import ATTENTION, RegionHeat
from segcore.reporting.overview import draw_outlines, draw_scale_bar
from segcore.slides import Rgb, Slide, read_scaled

LONGEST = 900
FOOT = 96
MARGIN = 24
PAPER, INK, FAINT = (250, 250, 248), (30, 34, 38), (110, 116, 122)

# Magma, which is even to the eye and safe for colour-blind readers, from nothing to all.
MAGMA = (
    (0, 0, 4), (28, 16, 68), (79, 18, 123), (129, 37, 129), (181, 54, 122),
    (229, 80, 100), (251, 135, 97), (254, 194, 135), (252, 253, 191),
)  # fmt: skip
# Blue against, red for the class, nearly white between.
AGAINST_AND_FOR = ((33, 102, 172), (146, 197, 222), (247, 247, 247), (244, 165, 130), (178, 24, 43))


def draw_heat(slide: Slide, heat: RegionHeat, region: BaseGeometry) -> Image.Image:
    """Return the region (level-0 pixels) without and with the map, and the legend; `slide.mpp` is known."""
    left, top, right, bottom = heat.bounds
    scale = max(right - left, bottom - top) / LONGEST
    width, height = max(1, round((right - left) / scale)), max(1, round((bottom - top) / scale))
    tissue = read_scaled(slide, left=left, top=top, scale=scale, width=width, height=height)
    plain, covered = Image.fromarray(tissue), Image.fromarray(laid_over(tissue, heat))
    for each in (plain, covered):
        draw_outlines(each, [region], left=left, top=top, scale=scale)
    draw_scale_bar(plain, (slide.mpp or 1.0) * scale)
    sheet = Image.new("RGB", (max(2 * width + MARGIN, 700), height + FOOT), PAPER)
    sheet.paste(plain, (0, 0))
    sheet.paste(covered, (width + MARGIN, 0))
    _draw_legend(sheet, heat, top=height)
    return sheet


def laid_over(tissue: Rgb, heat: RegionHeat) -> Rgb:
    """Return the tissue under the map's colours; where the map has little to say, the tissue shows."""
    height, width = tissue.shape[:2]
    known = np.isfinite(heat.values)
    values = _resized(np.where(known, heat.values, 0), width, height)
    cover = np.clip(2.5 * np.abs(values), 0, 0.75)[..., None]
    cover *= _resized(known.astype(np.float32), width, height)[..., None] > 0.5
    return (tissue * (1 - cover) + coloured(values, signed=heat.signed) * cover).astype(np.uint8)


def coloured(values: npt.NDArray[np.floating], *, signed: bool) -> npt.NDArray[np.float64]:
    """Return the colour (..., 3) of each value: in [-1, 1] where signed, else in [0, 1]."""
    stops = np.array(AGAINST_AND_FOR if signed else MAGMA, np.float64)
    places = (values + 1) / 2 if signed else values
    at = np.linspace(0, 1, len(stops))
    return np.stack([np.interp(places, at, channel) for channel in stops.T], axis=-1)


def _resized(values: npt.NDArray[np.floating], width: int, height: int) -> npt.NDArray[np.float32]:
    picture = Image.fromarray(values.astype(np.float32))
    return np.asarray(picture.resize((width, height), Image.Resampling.BILINEAR))


def _draw_legend(sheet: Image.Image, heat: RegionHeat, *, top: int) -> None:
    """Write what is shown on the left, the colour bar on the right."""
    draw = ImageDraw.Draw(sheet)
    draw.text((MARGIN, top + 14), heat.title, INK, ImageFont.load_default(20))
    draw.text(
        (MARGIN, top + 48), f"{ATTENTION}. Research use only.", FAINT, ImageFont.load_default(16)
    )
    lowest = -1.0 if heat.signed else 0.0
    bar = coloured(np.linspace(lowest, 1, 240)[None], signed=heat.signed).astype(np.uint8)
    place = sheet.width - MARGIN - 240, top + 16
    sheet.paste(Image.fromarray(bar.repeat(22, axis=0)), place)
    low, high = _ends(heat)
    font = ImageFont.load_default(15)
    draw.text((place[0], top + 48), low, FAINT, font)
    draw.text((place[0] + 240, top + 48), high, FAINT, font, anchor="ra")


def _ends(heat: RegionHeat) -> tuple[str, str]:
    """Return what the ends of the colour bar mean."""
    if heat.signed:
        return "against", "for the class"
    if heat.quantity == "grad_cam":
        return "none", "most of the region"
    return "0", f"{heat.one:.3g} {heat.unit}" if heat.unit == "bits" else f"all {heat.unit}"
