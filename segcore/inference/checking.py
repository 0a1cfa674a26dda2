"""Before a run: what in a region will spoil its mask, found in less than a second from a few reads."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.ndimage import uniform_filter
from shapely.affinity import translate
from shapely.geometry.base import BaseGeometry

from segcore.annotations.raster import region_mask
from segcore.inference.region import Region, clip_to_slide, grid_scale
from segcore.models import Bundle
from segcore.slides import Rgb, Slide, read_scaled
from segcore.slides.preprocessing import StainRange, appearance
from segcore.slides.quality import BLURRED, FAINT, pen_marks, sharpness
from segcore.slides.tissue import MPP, find_tissue

Mask = npt.NDArray[np.bool_]
Severity = Literal["caution", "warning"]

MOST_PIXELS = 1 << 20
"""Of the low-power picture of a region."""
FIELDS, FIELD = 8, 256
"""So many places are looked at closely, this many pixels wide and high."""
MAGNIFIED = 1.25, 2.0
"""Slide pixels over the model's: from here on a caution, a warning."""
OBJECTIVE = 1.7
"""A factor between objective and pixel size that no optics explain; 10 um over the magnification is usual."""
BLANK = 0.05
PEN = 0.003
"""Share of the region; real slides without pen have 0.0011 at the most."""
STRANGE = 3.0, 5.0
"""Stain distances: of 160 pictures of the training data two lie above 3, of ten slides with exchanged
colours or of fluorescence all above 5 (but red for blue, which in H&E are nearly alike)."""

LEARNED = StainRange(
    pictures=160,
    mean=(-0.7666, -0.7173, -0.5991),
    covariance=(
        (0.05442, -0.00033, -0.00962),
        (-0.00033, 0.03681, 0.00772),
        (-0.00962, 0.00772, 0.05802),
    ),
)
"""Of the pictures that the shipped bundle learned from; for cards that do not tell their own range."""


@dataclass(frozen=True, slots=True)
class Concern:
    """A reason to think twice. The run is possible all the same."""

    name: Literal["pixel size", "blank", "blur", "pen", "stain"]
    sentence: str
    severity: Severity


class _View(NamedTuple):
    """A region at low power: its picture, which pixels are in it, which of these show tissue."""

    picture: Rgb
    inside: Mask
    tissue: Mask
    left: float
    top: float
    scale: float


def check_region(slide: Slide, bundle: Bundle, region: Region) -> tuple[Concern, ...]:
    """Return what speaks against segmenting `region` (level-0 pixels) with `bundle`, worst first.

    Raises what `segment_region` would raise at once: PixelSizeMissingError, RegionError.
    """
    grid_scale(slide, bundle.mpp)
    view = _look(slide, clip_to_slide(region, slide))
    found = [_pixel_size(slide, bundle), _blank(view), _pen(view)]
    fields = _fields(slide, bundle, view)
    found += [_blur(fields), _stain(fields, bundle, _field_mpp(slide, bundle))]
    concerns = [each for each in found if each is not None]
    return tuple(sorted(concerns, key=lambda each: each.severity != "warning"))


def _look(slide: Slide, region: BaseGeometry) -> _View:
    mpp = slide.mpp or MPP
    left, top, right, bottom = region.bounds
    coarse = ((right - left) * (bottom - top) / MOST_PIXELS) ** 0.5
    scale = max(1.0, coarse, min(MPP / mpp, (right - left) / 32, (bottom - top) / 32))
    width, height = (max(1, round(side / scale)) for side in (right - left, bottom - top))
    place = {"left": left, "top": top, "scale": scale, "width": width, "height": height}
    picture = read_scaled(slide, **place)
    inside = region_mask(
        translate(region, -left, -top), column=0, row=0, width=width, height=height, scale=scale
    )
    least = picture.min(axis=2)
    # Where a slide is all glass, Otsu finds tissue in its noise; that is no darker than the rest.
    glass = np.percentile(least[inside], 99) if inside.any() else 0
    dark = least < max(FAINT, 0.93 * glass)
    tissue = find_tissue(slide, mpp).window(**place) & dark & inside
    return _View(picture, inside, tissue, left, top, scale)


def _field_mpp(slide: Slide, bundle: Bundle) -> float:
    """Return the pixel size at which there is something to see: the model's, or the slide's if coarser."""
    return max(bundle.mpp, slide.mpp or 0.0)


def _fields(slide: Slide, bundle: Bundle, view: _View) -> list[Rgb]:
    """Return pictures of places spread over the region's tissue, where it is densest."""
    scale = _field_mpp(slide, bundle) / (slide.mpp or 1.0)
    side = FIELD * scale
    density = uniform_filter(view.tissue.astype(np.float32), max(1, round(side / view.scale)))
    rows, columns = np.nonzero(view.tissue & (density >= 0.6 * density.max(initial=0)))
    if not len(rows):
        return []
    chosen = np.unique(np.linspace(0, len(rows) - 1, FIELDS + 2).astype(int)[1:-1])
    return [
        read_scaled(
            slide,
            left=float(view.left + (columns[i] + 0.5) * view.scale - side / 2),
            top=float(view.top + (rows[i] + 0.5) * view.scale - side / 2),
            scale=scale,
            width=FIELD,
            height=FIELD,
        )
        for i in chosen
    ]


def _pixel_size(slide: Slide, bundle: Bundle) -> Concern | None:
    mpp = slide.mpp or bundle.mpp
    factor = mpp / bundle.mpp
    if factor >= MAGNIFIED[0]:
        return Concern(
            "pixel size",
            f"The slide has {mpp:.3g} µm per pixel and the model works at {bundle.mpp:.3g}: it would be "
            f"shown pixels magnified {factor:.2g} times, without the detail it knows.",
            "warning" if factor >= MAGNIFIED[1] else "caution",
        )
    if slide.magnification and not 1 / OBJECTIVE <= mpp * slide.magnification / 10 <= OBJECTIVE:
        return Concern(
            "pixel size",
            f"A pixel of {mpp:.3g} µm does not fit the objective of {slide.magnification:g}×, which makes it "
            f"about {10 / slide.magnification:.2g}; check the pixel size.",
            "warning",
        )
    return None


def _blank(view: _View) -> Concern | None:
    share = np.count_nonzero(view.tissue) / max(1, np.count_nonzero(view.inside))
    if share >= BLANK:
        return None
    return Concern(
        "blank",
        f"Only {share:.1%} of the region looks like tissue; the rest is bare glass.",
        "warning",
    )


def _pen(view: _View) -> Concern | None:
    share = np.count_nonzero(pen_marks(view.picture) & view.inside) / max(1, view.inside.sum())
    if share < PEN:
        return None
    return Concern(
        "pen",
        f"About {share:.1%} of the region looks like pen or ink, which the model was never shown; leave it out.",
        "caution",
    )


def _blur(fields: list[Rgb]) -> Concern | None:
    values = [value for each in fields if (value := sharpness(each)) is not None]
    blurred = sum(value < BLURRED for value in values)
    if not values or 2 * blurred < len(values):
        return None
    return Concern(
        "blur",
        f"{blurred} of {len(values)} places that were looked at are out of focus: small cells will be taken "
        "for others, and borders will be rough.",
        "warning" if blurred == len(values) else "caution",
    )


def _stain(fields: list[Rgb], bundle: Bundle, mpp: float) -> Concern | None:
    found = [value for each in fields if (value := appearance(each, mpp)) is not None]
    if not found:
        return None
    known = bundle.card.stain or LEARNED
    distance = known.distance(np.mean(found, axis=0))
    if distance < STRANGE[0]:
        return None
    return Concern(
        "stain",
        f"The stain lies {distance:.1f} standard deviations from that of the training data: expect more "
        "mistakes than the model's figures say.",
        "warning" if distance >= STRANGE[1] else "caution",
    )
