"""The curves of a run: loss, rate and validation Dice over the steps, as a table and as a picture."""

import csv
import io
import math
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import msgspec
from PIL import Image, ImageDraw, ImageFont

from segcore.annotations import load_taxonomy
from segcore.annotations.atomic import write_bytes

TABLE, PICTURE = "curves.csv", "curves.png"
WIDTH, HEIGHT, EDGE = 960, 320, 56
INK, FAINT, PAPER = (40, 44, 52), (222, 225, 230), (255, 255, 255)
Line = list[tuple[int, float]]


class Point(msgspec.Struct, frozen=True):
    """What is known after a step: the mean loss since the point before, the rate, and the validation."""

    step: int
    loss: float
    """NaN before the first step."""
    rate: float
    dice: float
    """Mean validation Dice; NaN without validation."""
    by_class: dict[str, list[float]]
    """The Dice of each class for each source; NaN where the source lacks the class."""


def write_curves(folder: Path, points: Sequence[Point], classes: Sequence[str]) -> None:
    """Write `curves.csv` and `curves.png`."""
    write_bytes(folder / TABLE, _table(points, classes).encode())
    picture = io.BytesIO()
    draw_curves(points, classes).save(picture, "PNG")
    write_bytes(folder / PICTURE, picture.getvalue())


def _table(points: Sequence[Point], classes: Sequence[str]) -> str:
    """Return a row for each point; a column of Dice for each class of each source."""
    sources = list(dict.fromkeys(source for point in points for source in point.by_class))
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    scores = [f"Dice {name} ({source})" for source in sources for name in classes]
    table.writerow(["step", "loss", "rate", "Dice", *scores])
    for point in points:
        rows = [point.by_class.get(source, [math.nan] * len(classes)) for source in sources]
        dice = [_cell(value) for value in (point.dice, *(v for row in rows for v in row))]
        table.writerow([point.step, _cell(point.loss, digits=9), f"{point.rate:.3g}", *dice])
    return text.getvalue()


def _cell(value: float, *, digits: int = 4) -> str:
    return "" if math.isnan(value) else f"{value:.{digits}f}"


def draw_curves(points: Sequence[Point], classes: Sequence[str]) -> Image.Image:
    """Draw the loss above, and below it the mean Dice and that of each class in the class's colour."""
    picture = Image.new("RGB", (WIDTH, 2 * HEIGHT), PAPER)
    last = max([1, *(point.step for point in points)])
    losses = [(p.step, p.loss) for p in points]
    top = max((loss for _, loss in losses if loss > 0), default=1.0)
    panel = _Panel(picture, 0, "loss", steps=last, top=top)
    panel.draw(losses, INK, 2)
    panel = _Panel(picture, HEIGHT, "validation Dice", steps=last, top=1.0)
    taxonomy = load_taxonomy()
    for i, name in enumerate(classes):
        line = [(p.step, _mean([row[i] for row in p.by_class.values()])) for p in points]
        panel.draw(line, taxonomy.named(name).colour, 2)
        panel.name(name, taxonomy.named(name).colour, i)
    panel.draw([(p.step, p.dice) for p in points], INK, 4)
    panel.name("mean", INK, len(classes))
    return picture


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return sum(known) / len(known) if known else math.nan


class _Panel:
    """One pair of axes, from step 0 and value 0, with its upper edge at row `y` of the picture."""

    def __init__(self, picture: Image.Image, y: int, title: str, *, steps: int, top: float) -> None:
        self.pen = ImageDraw.Draw(picture)
        self.font = ImageFont.load_default(14)
        self.y, self.steps, self.top = y, steps, top
        for i in range(6):
            value = top * i / 5
            row = self.at(0, value)[1]
            self.pen.line([(EDGE, row), (WIDTH - EDGE, row)], FAINT)
            self.pen.text((EDGE - 8, row), f"{value:.2g}", INK, self.font, anchor="rm")
            column, bottom = self.at(round(steps * i / 5), 0)
            self.pen.text((column, bottom + 6), f"{round(steps * i / 5)}", INK, self.font, "mt")
        self.pen.text((EDGE, y + 12), title, INK, self.font)

    def at(self, step: int, value: float) -> tuple[float, float]:
        x = EDGE + (WIDTH - 2 * EDGE) * step / self.steps
        return x, self.y + HEIGHT - EDGE / 2 - (HEIGHT - EDGE * 1.25) * value / self.top

    def draw(self, line: Line, colour: tuple[int, int, int], width: int) -> None:
        known = [self.at(step, value) for step, value in line if not math.isnan(value)]
        for start, end in pairwise(known):
            self.pen.line([start, end], colour, width)
        for x, y in known:
            self.pen.ellipse([x - width, y - width, x + width, y + width], colour)

    def name(self, text: str, colour: tuple[int, int, int], place: int) -> None:
        x = EDGE + 150 + 120 * place
        self.pen.line([(x, self.y + 20), (x + 18, self.y + 20)], colour, 4)
        self.pen.text((x + 24, self.y + 20), text, INK, self.font, anchor="lm")
