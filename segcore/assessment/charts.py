"""The charts of a report: the confusion of classes, and how far confidence can be trusted."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from segcore.annotations import load_taxonomy
from segcore.assessment.drawing import FAINT, GREEN, GRID, INK, PANEL, RED, font, mix, sheet
from segcore.evaluation import Calibration, Confusion

_CELL = 130
_LEFT, _TOP = 250, 186


def draw_confusion(counts: Confusion, classes: Sequence[str], *, title: str) -> Image.Image:
    """Draw a row per class of the reference: where its pixels went, in per cent."""
    size = len(classes)
    picture = sheet(_LEFT + size * _CELL + 40, _TOP + size * _CELL + 70)
    draw = ImageDraw.Draw(picture)
    draw.text((40, 28), "Confusion of classes", INK, font(32))
    draw.text((40, 70), title, FAINT, font(20))
    draw.text((_LEFT, _TOP - 72), "predicted as", FAINT, font(18))
    draw.text((40, _TOP - 36), "reference", FAINT, font(18))
    for i, name in enumerate(classes):
        x, y = _LEFT + i * _CELL, _TOP + i * _CELL
        colour = load_taxonomy().named(name).colour
        draw.rectangle((x + 3, _TOP - 12, x + _CELL - 3, _TOP - 6), fill=colour)
        draw.text((x + _CELL / 2, _TOP - 22), name, INK, font(20), anchor="ms")
        draw.rectangle((_LEFT - 12, y + 3, _LEFT - 6, y + _CELL - 3), fill=colour)
        draw.text((_LEFT - 22, y + _CELL / 2 - 12), name, INK, font(22), anchor="rm")
        total = f"{_short(int(counts.reference[i]))} pixels"
        draw.text((_LEFT - 22, y + _CELL / 2 + 16), total, FAINT, font(18), anchor="rm")
        _draw_row(draw, counts, i, y)
    text = "Shares of each row. Pixels without label are left out."
    draw.text((40, picture.height - 44), text, FAINT, font(18))
    return picture


def _draw_row(draw: ImageDraw.ImageDraw, counts: Confusion, row: int, y: int) -> None:
    total = counts.reference[row]
    for column, pixels in enumerate(counts.counts[row, :-1]):
        x = _LEFT + column * _CELL
        box = (x + 3, y + 3, x + _CELL - 3, y + _CELL - 3)
        if not total:
            draw.rectangle(box, fill=PANEL)
            continue
        share = pixels / total
        colour, weight = (GREEN, share) if row == column else (RED, share**0.5)  # few errors show
        draw.rectangle(box, fill=mix(PANEL, colour, weight))
        ink = PANEL if weight > 0.55 else INK if share >= 0.005 else FAINT
        text = f"{share:.1%}" if pixels else "0"
        draw.text((x + _CELL / 2, y + _CELL / 2 - 10), text, ink, font(26), anchor="mm")
        if pixels:
            under = (x + _CELL / 2, y + _CELL / 2 + 20)
            draw.text(under, _short(int(pixels)), ink, font(17), anchor="mm")


def _short(count: int) -> str:
    for power, letter in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if count >= power:
            return f"{count / power:.3g} {letter}"
    return str(count)


_SIDE, _HISTOGRAM = 620, 150
_X, _Y = 120, 120


def draw_reliability(found: Calibration, *, title: str) -> Image.Image:
    """Draw accuracy against confidence, bin by bin, and below how many pixels each bin has."""
    picture = sheet(_X + _SIDE + 60, _Y + _SIDE + _HISTOGRAM + 150)
    draw = ImageDraw.Draw(picture)
    draw.text((40, 28), "Reliability of confidence", INK, font(32))
    draw.text((40, 70), title, FAINT, font(20))
    _draw_frame(draw)
    bins = len(found.pixels)
    for i in range(bins):
        if found.pixels[i]:
            _draw_bin(draw, found, i, bins)
    draw.line((_X, _Y + _SIDE, _X + _SIDE, _Y), fill=INK, width=2)
    _draw_key(draw, found.expected_error)
    _draw_histogram(draw, found)
    return picture


def _draw_frame(draw: ImageDraw.ImageDraw) -> None:
    draw.rectangle((_X, _Y, _X + _SIDE, _Y + _SIDE), fill=PANEL)
    for fifth in range(6):
        at = fifth * _SIDE / 5
        label = f"{fifth / 5:.0%}"
        draw.line((_X, _Y + at, _X + _SIDE, _Y + at), fill=GRID)
        draw.line((_X + at, _Y, _X + at, _Y + _SIDE), fill=GRID)
        draw.text((_X - 12, _Y + _SIDE - at), label, FAINT, font(18), anchor="rm")
        bottom = _Y + _SIDE + _HISTOGRAM + 40
        draw.text((_X + at, bottom), label, FAINT, font(18), anchor="ma")
    draw.text((_X + 14, _Y + 12), "share of right predictions", FAINT, font(18))
    text = (_X + _SIDE / 2, _Y + _SIDE + _HISTOGRAM + 72)
    draw.text(text, "confidence of the chosen class", FAINT, font(18), anchor="ma")


def _draw_bin(draw: ImageDraw.ImageDraw, found: Calibration, i: int, bins: int) -> None:
    accuracy, confidence = (
        float(part[i] / found.pixels[i]) for part in (found.right, found.confidence)
    )
    left, right = _X + i * _SIDE / bins + 2, _X + (i + 1) * _SIDE / bins - 2
    top, wanted = (_Y + _SIDE * (1 - value) for value in (accuracy, confidence))
    draw.rectangle((left, top, right, _Y + _SIDE), fill=mix(PANEL, GREEN, 0.75))
    gap = mix(PANEL, RED, 0.75)
    draw.rectangle((left, min(top, wanted), right, max(top, wanted)), fill=gap)
    draw.line((left, top, right, top), fill=INK, width=3)


def _draw_key(draw: ImageDraw.ImageDraw, error: float) -> None:
    x, y = _X + 14, _Y + 48
    draw.text((x, y), f"calibration error {error:.3f}", INK, font(22))
    for line, (colour, text) in enumerate(((GREEN, "right"), (RED, "gap to confidence"))):
        top = y + 38 + 30 * line
        draw.rectangle((x, top, x + 20, top + 18), fill=mix(PANEL, colour, 0.75))
        draw.text((x + 30, top - 1), text, INK, font(18))


def _draw_histogram(draw: ImageDraw.ImageDraw, found: Calibration) -> None:
    shares = found.pixels / max(1, found.pixels.sum())
    base, bins = _Y + _SIDE + _HISTOGRAM + 30, len(shares)
    for i, share in enumerate(shares):
        left, right = _X + i * _SIDE / bins + 2, _X + (i + 1) * _SIDE / bins - 2
        high = float(share / np.max(shares, initial=1e-12)) * (_HISTOGRAM - 40)
        if share:
            draw.rectangle((left, base - max(high, 2), right, base), fill=mix(PANEL, INK, 0.55))
        if share >= 0.01:
            middle = (left + right) / 2, base - high - 4
            draw.text(middle, f"{share:.0%}", FAINT, font(15), anchor="ms")
    draw.line((_X, base, _X + _SIDE, base), fill=INK)
    draw.text((_X - 12, base - 8), "pixels", FAINT, font(18), anchor="rs")
