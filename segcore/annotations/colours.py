"""Colours as annotation files write them."""

import colorsys
import re
import zlib
from typing import Any

Colour = tuple[int, int, int]


def colour_from(value: Any) -> Colour | None:
    """Return the colour in [r, g, b(, a)], a packed (A)RGB integer, "#rrggbb" or "rgb(r, g, b)", else None."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return (value >> 16) & 255, (value >> 8) & 255, value & 255
    if isinstance(value, str):
        return _from_text(value.strip())
    return _from_numbers(value) if isinstance(value, list) else None


def _from_text(text: str) -> Colour | None:
    if re.fullmatch(r"#?[0-9a-fA-F]{6}", text):
        red, green, blue = bytes.fromhex(text.removeprefix("#"))
        return red, green, blue
    numbers = re.fullmatch(r"rgba?\(([^)]*)\)", text)
    return _from_numbers(numbers.group(1).split(",")) if numbers else None


def _from_numbers(values: list[Any]) -> Colour | None:
    try:
        channels = [int(each) for each in values]
    except (TypeError, ValueError, OverflowError):
        return None
    if len(channels) not in {3, 4} or any(not 0 <= each <= 255 for each in channels[:3]):
        return None
    return channels[0], channels[1], channels[2]


def colour_for(name: str) -> Colour:
    """Return a strong colour for a class that has none: always the same one for a name."""
    hue = zlib.crc32(name.encode()) / 2**32
    red, green, blue = colorsys.hsv_to_rgb(hue, 0.75, 0.85)
    return round(red * 255), round(green * 255), round(blue * 255)
