"""Annotated slides as cases of a data set: windows of one size, streamed, with their masks."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from shapely.geometry.base import BaseGeometry

from segcore.annotations import Annotation
from segcore.annotations.formats.holes import cut_out
from segcore.data.cases import Cut, Part, Remark
from segcore.data.pictures import Codes, Rgb
from segcore.data.regions import Classify, Kind, RegionMap, Window, code_of, read_regions
from segcore.errors import DataError, PixelSizeMissingError
from segcore.slides import Slide, open_slide, read_scaled
from segcore.slides.preflight import check_slide
from segcore.slides.preprocessing import Macenko, estimate_stains, preprocess
from segcore.slides.tissue import Tissue, find_tissue

LEAST_TISSUE = 0.05
"""Windows with a smaller share of tissue are bare glass, unless something is marked there."""
_FIELDS, _FIELD = 16, 128
"""How many places of a slide, and how many pixels of each, tell its stains."""


@dataclass(frozen=True)
class SlideCase:
    """A slide and its annotation file; None where nothing is marked on it."""

    name: str
    case: str
    source: str
    slide: Path
    annotations: Path | None
    classify: Classify
    split: str = "train"
    rest: Kind | None = None
    """What tissue is that nothing is marked on; None: unlabelled."""
    holes: frozenset[str] = frozenset()
    """Classes of annotations that are cut out of the others."""
    mpp: float | None = None
    """Of level 0, where the slide does not say."""
    negative: bool = False
    """Whether it is known that there was nothing to mark, and no annotation file is missing."""

    @property
    def title(self) -> str:
        return self.slide.name

    def parts(self, cut: Cut, remark: Remark) -> Iterator[Part]:
        """Yield tiles of `cut.tile` pixels at `cut.mpp`; (x, y) is in level-0 pixels."""
        if cut.mpp is None or cut.tile is None:
            raise DataError("Slides are cut into tiles; give a pixel size and a tile size.")
        if self.annotations is None and not self.negative:
            raise DataError("It has no annotation file of the same name.")
        check_slide(self.slide)
        with open_slide(self.slide) as slide:
            own_mpp = slide.mpp or self.mpp
            if own_mpp is None:
                raise PixelSizeMissingError(
                    "It does not say its pixel size; give it with --source-mpp."
                )
            scale = cut.mpp / own_mpp
            tissue = find_tissue(slide, own_mpp) if self.rest or cut.regularise else None
            regions = RegionMap(self._areas(slide, remark), self.rest, tissue)
            look = _regularised(slide, tissue, scale, remark) if cut.regularise else None
            yield from _tiles(slide, regions, cut, scale=scale, mpp=cut.mpp, look=look)

    def _areas(self, slide: Slide, remark: Remark) -> list[tuple[Kind, BaseGeometry]]:
        """Return the marked areas with their kinds, in the order of the file."""
        if self.annotations is None:
            return []
        annotations, report = read_regions(self.annotations, slide)
        for sentence in report.skipped:
            remark(sentence)
        solid = [each for each in annotations if each.geometry.area]
        kinds = [(self.classify(each), each) for each in cut_out(solid, self.holes)]
        if unknown := sorted({_class_name(each) for kind, each in kinds if kind is None}):
            remark(f"Annotations of the class {', '.join(unknown)} were left out.")
        return [(kind, each.geometry) for kind, each in kinds if kind is not None]


def _class_name(annotation: Annotation) -> str:
    return annotation.class_name or "(none)"


def _tiles(
    slide: Slide,
    regions: RegionMap,
    cut: Cut,
    *,
    scale: float,
    mpp: float,
    look: partial | None,
) -> Iterator[Part]:
    for window in _windows(slide, cut.tile or 0, scale):
        bare = regions.tissue_share(window) < LEAST_TISSUE if regions.rest else True
        if bare and not regions.touches(window):
            continue
        codes, label = regions.paint(window)
        if not _wanted(codes, cut):
            continue
        image = _read(slide, window)
        yield Part(look(image) if look else image, codes, mpp, window.left, window.top, label)


def _windows(slide: Slide, side: int, scale: float) -> Iterator[Window]:
    """Yield the windows that cover what was scanned, row by row."""
    left, top, width, height = slide.bounds
    for row in range(int(top / scale), int(np.ceil((top + height) / scale)), side):
        for column in range(int(left / scale), int(np.ceil((left + width) / scale)), side):
            yield Window(column, row, side, scale)


def _wanted(codes: Codes, cut: Cut) -> bool:
    if np.count_nonzero(codes) < max(1.0, cut.least_labelled * codes.size):
        return False
    if cut.tumor is None:
        return True
    share = np.count_nonzero(codes == code_of("Tumor")) / codes.size
    return cut.tumor[0] <= share <= cut.tumor[1]


def _read(slide: Slide, window: Window) -> Rgb:
    return read_scaled(
        slide,
        left=window.left,
        top=window.top,
        scale=window.scale,
        width=window.side,
        height=window.side,
    )


def _regularised(
    slide: Slide, tissue: Tissue | None, scale: float, remark: Remark
) -> partial | None:
    """Return what gives a tile of the slide the stains of the reference, by places all over its tissue."""
    places = np.argwhere(tissue.mask) if tissue else np.zeros((0, 2))
    chosen = places[np.linspace(0, len(places) - 1, min(_FIELDS, len(places))).astype(int)]
    corners = (chosen + 0.5) * (tissue.scale if tissue else 1) / scale - _FIELD / 2
    fields = [_read(slide, Window(int(x), int(y), _FIELD, scale)) for y, x in corners]
    stains = estimate_stains(np.concatenate(fields).astype(np.float32)) if fields else None
    if stains is None:
        remark("Its stains could not be told apart; its colours stay as they are.")
        return None
    return partial(_restained, Macenko(source=stains))


def _restained(step: Macenko, image: Rgb) -> Rgb:
    return np.rint(preprocess(image, [step])).astype(np.uint8)
