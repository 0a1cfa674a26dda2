"""The report for people: Markdown written from a `Document`."""

from collections.abc import Iterable, Iterator, Sequence

from segcore.assessment.card import CardCheck
from segcore.assessment.document import Alternative, Document, Summary
from segcore.assessment.figures import MEAN, Figure
from segcore.assessment.paired import FEWEST, PairedTest
from segcore.assessment.prediction import OTHER, tells_one

CONFUSION, RELIABILITY, WORST = PICTURES = ("confusion.png", "reliability.png", "worst.png")

_LEVEL_TITLES = {
    "pixels": "All labelled pixels together",
    "tile": "Mean over tiles",
    "roi": "Mean over whole pictures (ROIs, stitched)",
    "case": "Mean over cases",
}

_UNITS = {"tile": "tiles", "roi": "pictures"}


def markdown(document: Document) -> str:
    """Return the whole report; the pictures of `PICTURES` lie beside it."""
    parts = [
        _opening(document),
        _card(document.card) if document.card else [],
        _overall(document.overall),
        _sources(document),
        _confusion(document),
        _calibration(document),
        _boundaries(document),
        _propagation(document.refined) if document.refined else [],
        _against(document, document.against) if document.against else [],
        _worst(),
        _cases(document),
    ]
    return "\n".join(line for part in parts for line in part) + "\n"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return a Markdown table; all columns but the first are set to the right."""
    rule = ["---", *("---:" for _ in header[1:])]
    return [*("| " + " | ".join(row) + " |" for row in [header, rule, *rows]), ""]


def shown(figure: Figure) -> str:
    """Return value and interval: `0.812 [0.740, 0.871]`."""
    if figure.value is None:
        return "-"
    if figure.low is None or figure.high is None:
        return f"{figure.value:.3f} (one case)"
    return f"{figure.value:.3f} [{figure.low:.3f}, {figure.high:.3f}]"


def number(value: float | None, *, sign: str = "") -> str:
    return "-" if value is None else f"{value:{sign}.3f}"


def _opening(document: Document) -> Iterator[str]:
    model, overall = document.model, document.overall
    yield f"# Assessment of {model.name}"
    yield ""
    yield f"{model.title}. {model.architecture}, {model.mpp:g} µm per pixel, weights `{model.sha256[:12]}`."
    if not model.trained:
        yield "**The weights are untrained: the figures mean nothing.**"
    yield ""
    yield (
        f"Measured on {document.data}: {overall.cases} cases, {overall.rois} pictures, "
        f"{overall.tiles} tiles, {overall.pixels:,} labelled pixels."
    )
    if document.unknown_pixels:
        yield f"Left out are {document.unknown_pixels:,} pixels of classes that the model does not know."
    if tells_one(document.classes):
        yield f"{OTHER} is all that is not {next(c for c in document.classes if c != OTHER)}."
    yield ""
    yield (
        f"Brackets hold 95 % intervals: percentiles of {document.bootstrap_draws} bootstrap samples of *cases* "
        f"(seed {document.bootstrap_seed}). One case has no interval; with fewer than about ten they are too "
        "narrow. A class is scored where the reference shows it; what is wrongly called so elsewhere counts in "
        "*all labelled pixels together* and in the confusion. Pixels without label count for nothing. "
        "Research use only."
    )
    yield ""


def _card(check: CardCheck) -> Iterator[str]:
    yield "## The card's figures"
    yield ""
    yield f"**{check.sentence}**"
    yield ""
    if check.differences:
        yield from table(
            ("figure", "class", "measured on", "card", "here"),
            (
                (d.metric, d.class_name, d.split, *map(_card_number, (d.card, d.measured)))
                for d in check.differences
            ),
        )


def _card_number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _overall(overall: Summary) -> Iterator[str]:
    yield "## Classes"
    yield ""
    for level, metrics in overall.overlap.items():
        units = [_UNITS[level]] if level in _UNITS else []
        yield f"**{_LEVEL_TITLES[level]}**"
        yield ""
        names = next(iter(metrics.values()))
        yield from table(
            ("class", *metrics, *units, "cases"),
            (
                (
                    _emphasised(name),
                    *(shown(figures[name]) for figures in metrics.values()),
                    *(str(names[name].units) for _ in units),
                    str(names[name].cases),
                )
                for name in names
            ),
        )
    yield (
        f"Pixel accuracy {number(overall.accuracy)}, mean pixel accuracy {number(overall.mean_accuracy)}, "
        f"frequency-weighted IoU {number(overall.frequency_weighted_iou)}."
    )
    yield ""


def _emphasised(name: str) -> str:
    return f"**{name}**" if name == MEAN else name


def _sources(document: Document) -> Iterator[str]:
    yield "## Data sets"
    yield ""
    yield "IoU over all labelled pixels of each data set."
    yield ""
    yield from table(
        ("data set", "cases", "pictures", *document.classes, MEAN, "accuracy", "calibration error"),
        (
            (
                each.source,
                str(each.cases),
                str(each.rois),
                *(number(f.value) for f in each.overlap["pixels"]["IoU"].values()),
                number(each.accuracy),
                number(each.calibration_error.value),
            )
            for each in (*document.sources, document.overall)
        ),
    )


def _confusion(document: Document) -> Iterator[str]:
    yield "## Confusion"
    yield ""
    yield f"![Where the pixels of each class went]({CONFUSION})"
    yield ""
    yield from table(
        ("reference", *(f"as {name}" for name in document.classes)),
        (
            (name, *(f"{count:,}" for count in row))
            for name, row in zip(document.classes, document.overall.confusion, strict=True)
        ),
    )


def _calibration(document: Document) -> Iterator[str]:
    yield "## Calibration"
    yield ""
    yield f"![Accuracy against confidence]({RELIABILITY})"
    yield ""
    yield f"Expected calibration error {shown(document.overall.calibration_error)}."
    yield ""


def _boundaries(document: Document) -> Iterator[str]:
    yield "## Boundaries"
    yield ""
    yield (
        f"Boundary F1 per picture at a tolerance of {document.boundary_tolerance_um:g} µm. Only borders between "
        "labelled pixels count: labels that leave the borders out tell little here."
    )
    yield ""
    plain = document.overall.boundary_f1
    refined = document.refined.overall.boundary_f1 if document.refined else None
    names = [name for name in (*document.classes, MEAN) if plain[name].units]
    if not names:
        yield "No border between two classes is labelled."
        yield ""
        return
    header = (
        "class",
        "as predicted",
        *(["after label propagation"] if refined else []),
        "pictures",
    )
    yield from table(
        header,
        (
            (
                _emphasised(name),
                shown(plain[name]),
                *([shown(refined[name])] if refined else []),
                str(plain[name].units),
            )
            for name in names
        ),
    )


def _propagation(refined: Alternative) -> Iterator[str]:
    yield "## Label propagation"
    yield ""
    yield f"As predicted (first) against after {refined.name} (second)."
    yield ""
    yield from tests_table(refined.tests)
    before = shown(refined.overall.calibration_error)
    yield f"Expected calibration error after it {before}."
    yield ""


def _against(document: Document, other: Alternative) -> Iterator[str]:
    yield f"## Against {other.name}"
    yield ""
    yield f"First: {document.model.name}. Second: {other.name}."
    yield ""
    yield from tests_table(other.tests)


def tests_table(tests: Iterable[PairedTest]) -> Iterator[str]:
    """Yield the table of paired tests and what to think of it."""
    yield from table(
        ("IoU per case", "cases", "first", "second", "difference", "p", "conclusion"),
        (
            (
                _emphasised(test.class_name),
                str(test.cases),
                number(test.first),
                number(test.second),
                _difference(test),
                "-" if test.p_value is None else f"{test.p_value:.3g}",
                test.conclusion,
            )
            for test in tests
        ),
    )
    yield (
        "Differences are second minus first, with 95 % bootstrap intervals; p is Wilcoxon's signed-rank test, "
        f"two-sided, not corrected for the number of classes. It needs {FEWEST} differing cases to reach 0.05. "
        f"{MEAN} is that of the classes which each case shows."
    )
    yield ""


def _difference(test: PairedTest) -> str:
    text = number(test.difference, sign="+")
    if test.low is None or test.high is None:
        return text
    return f"{text} [{test.low:+.3f}, {test.high:+.3f}]"


def _worst() -> Iterator[str]:
    yield "## Worst tiles"
    yield ""
    yield f"![The worst tiles, no two of one case]({WORST})"
    yield ""


def _cases(document: Document) -> Iterator[str]:
    yield "## Cases"
    yield ""
    yield from table(
        ("case", "data set", "pictures", "labelled pixels", "accuracy", *document.classes),
        (
            (
                each.case,
                each.source,
                str(each.rois),
                f"{each.pixels:,}",
                number(each.accuracy),
                *(number(value) for value in each.iou.values()),
            )
            for each in document.cases
        ),
    )
