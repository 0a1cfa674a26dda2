"""How large a pixel is: what files say about it, and how far to believe them."""

import re
from collections.abc import Mapping
from typing import Any

from segcore.slides.base import Slide

SANE = (0.02, 100.0)
"""Micrometres per pixel that a microscope can have."""
SANE_TAG = (0.02, 10.0)
"""The same for a resolution tag, which in a plain image is a print resolution: 300 dpi is 85 um."""

_UM_PER_UNIT = {2: 25_400.0, 3: 10_000.0}  # ResolutionUnit: inch, centimetre
_OME_UNITS = {"nm": 1e-3, "µm": 1.0, "μm": 1.0, "um": 1.0, "mm": 1e3, "cm": 1e4, "m": 1e6}


def plausible(mpp: float | None, within: tuple[float, float] = SANE) -> float | None:
    """Return `mpp`, or None where it lies outside the range `within` or is no number."""
    return mpp if mpp is not None and within[0] <= mpp <= within[1] else None


def mpp_from_resolution(x: object, y: object, unit: object) -> float | None:
    """Return the mpp that TIFF's XResolution, YResolution and ResolutionUnit (2 inch, 3 cm) give."""
    per_unit = _UM_PER_UNIT.get(unit if isinstance(unit, int) else 0)
    across, down = _positive(x), _positive(y)
    if per_unit is None or across is None or down is None:
        return None
    return plausible((per_unit / across + per_unit / down) / 2, SANE_TAG)


def _positive(value: object) -> float | None:
    if isinstance(value, tuple) and len(value) == 2:
        return value[0] / value[1] if value[0] and value[1] else None
    try:
        number = float(value)  # type: ignore[arg-type] - TIFF rationals have many types
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return number if number > 0 else None


def mpp_from_description(text: str) -> float | None:
    """Return the mpp that an OME-XML description gives, None where there is none."""
    sizes = [_ome_size(text, axis) for axis in "XY"]
    if sizes[0] is None:
        return None
    return plausible((sizes[0] + (sizes[1] or sizes[0])) / 2)


def _ome_size(text: str, axis: str) -> float | None:
    # The block is small and foreign: two attributes are taken out of it rather than a document parsed.
    size = re.search(rf'\bPhysicalSize{axis}="([0-9.eE+-]+)"', text)
    unit = re.search(rf'\bPhysicalSize{axis}Unit="([^"]*)"', text)
    factor = _OME_UNITS.get(unit.group(1) if unit else "µm")
    number = _positive(size.group(1)) if size else None
    return number * factor if number and factor else None


def mpp_from_tags(tags: Mapping[int, Any]) -> float | None:
    """Return the mpp of a TIFF page from its tags (number: value): OME-XML, ImageJ, resolution."""
    text = str(tags.get(270, ""))
    if "<OME" in text:
        return mpp_from_description(text) or _from_resolution_tags(tags)
    if text.startswith("ImageJ=") and re.search(r"unit=(micron|um|µm|\\u00B5m)", text):
        across = _positive(tags.get(282))
        return plausible(1 / across) if across else None
    return _from_resolution_tags(tags)


def _from_resolution_tags(tags: Mapping[int, Any]) -> float | None:
    return mpp_from_resolution(tags.get(282), tags.get(283), tags.get(296, 2))


def propose_mpp(slide: Slide) -> float | None:
    """Return a guess to offer where `slide.mpp` is None: 40x is 0.25, 20x is 0.5; None without a clue."""
    if slide.mpp is not None:
        return slide.mpp
    return plausible(10.0 / slide.magnification) if slide.magnification else None
