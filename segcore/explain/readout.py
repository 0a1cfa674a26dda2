"""How far to trust a region's map: deletion, infidelity, and how much of it lies on bare glass."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from segcore.errors import RegionError
from segcore.explain.faithfulness import CONTROLS, Deletion, deletion, infidelity
from segcore.explain.frame import Frame, Map, Place
from segcore.explain.heat import ATTENTION, RegionHeat
from segcore.models import Bundle
from segcore.progress import Report, share, silent
from segcore.slides import Slide
from segcore.slides.tissue import find_tissue

WINDOWS = 2
MUCH_GLASS = 0.2
"""A share of the attribution on glass that is worth a warning."""
FULL = 0.5
"""A window is looked at where at least so much of it lies in the region."""
BACKGROUND = "Other"
"""The class of bare glass itself, whose attribution belongs there."""


@dataclass(frozen=True, eq=False)
class Readout:
    """What speaks for and against a map."""

    deletion: Deletion
    """The mean over the windows."""
    infidelity: float
    """The mean over the windows; see `faithfulness`."""
    off_tissue: float
    """Share of the attribution for the class that lies on bare glass."""
    glass: float
    """Share of the region that is bare glass."""
    windows: int
    flags: tuple[str, ...]
    """Sentences for people, none where nothing speaks against the map."""

    def to_json(self) -> dict[str, Any]:
        """Return the readout as a document."""
        curve = self.deletion
        return {
            "deletion": {
                "taken": list(curve.taken),
                "by_map": list(curve.by_map),
                "by_chance": [list(each) for each in curve.by_chance],
                "area": curve.area,
                "control_areas": list(curve.control_areas),
                "gain": curve.gain,
                "controls_beaten": curve.beaten,
            },
            "infidelity": self.infidelity if np.isfinite(self.infidelity) else None,
            "off_tissue": self.off_tissue,
            "glass": self.glass,
            "windows": self.windows,
            "flags": list(self.flags),
            "note": ATTENTION,
        }


def check_map(
    slide: Slide,
    bundle: Bundle,
    heat: RegionHeat,
    *,
    windows: int = WINDOWS,
    controls: int = CONTROLS,
    seed: int = 0,
    report: Report = silent,
) -> Readout:
    """Measure a map of `explain_region` in up to `windows` tiles of the region, drawn by `seed`.

    Tiles with pixels of the class come first. Raises RegionError where the map holds no number.
    """
    index = bundle.classes.index(heat.class_name or "")
    frame = Frame.around(slide, bundle.mpp, shapely.box(*heat.bounds), core=bundle.tile, context=0)
    places = _windows(slide, bundle, heat, frame, class_index=index, most=windows, seed=seed)
    curves, rests = [], []
    for number, place in enumerate(places):
        part = share(report, number, len(places))
        picture, map_ = frame.read(slide, place), _over_tile(heat, frame, place)
        curves.append(
            deletion(
                bundle, picture, map_, index,
                controls=controls, seed=seed + number, report=share(part, 0, 2),
            )
        )  # fmt: skip
        rests.append(
            infidelity(bundle, picture, map_, index, seed=seed + number, report=share(part, 1, 2))
        )
    report(1.0)
    off, glass = off_tissue(slide, heat)
    mean = Deletion(
        curves[0].taken,
        tuple(np.mean([each.by_map for each in curves], axis=0).tolist()),
        tuple(map(tuple, np.mean([each.by_chance for each in curves], axis=0).tolist())),
    )
    flags = _flags(mean, off, heat)
    return Readout(mean, float(np.mean(rests)), off, glass, len(places), flags)


def off_tissue(slide: Slide, heat: RegionHeat) -> tuple[float, float]:
    """Return which share of the attribution for the class lies on bare glass, and which share of the region is."""
    known = np.isfinite(heat.values)
    left, top, _, _ = heat.bounds
    height, width = heat.values.shape
    tissue = find_tissue(slide, slide.mpp or 1.0).window(
        left=left, top=top, scale=heat.cell[0], width=width, height=height
    )
    positive = np.where(known, np.maximum(heat.values, 0), 0).astype(np.float64)
    total, bare = positive.sum(), known & ~tissue
    off = float(positive[bare].sum() / total) if total else 0.0
    return off, float(bare.sum() / max(known.sum(), 1))


def _flags(curve: Deletion, off: float, heat: RegionHeat) -> tuple[str, ...]:
    found = []
    if curve.gain <= 0:
        found.append(
            "Taking away what the map marks changes the answer no more than taking away as much elsewhere: do not rely on it."
        )
    if off > MUCH_GLASS and heat.class_name != BACKGROUND:
        found.append(f"{off:.0%} of the attention lies on bare glass, where there is no tissue.")
    return tuple(found)


def _windows(
    slide: Slide,
    bundle: Bundle,
    heat: RegionHeat,
    frame: Frame,
    *,
    class_index: int,
    most: int,
    seed: int,
) -> list[Place]:
    """Return up to `most` tiles that lie well in the region, those with the class in them first."""
    places = frame.tiles()
    order = np.random.default_rng(seed).permutation(len(places))
    known = {at: float(np.isfinite(_over_tile(heat, frame, places[at])).mean()) for at in order}
    full = [at for at in order if known[at] >= FULL] or sorted(order, key=lambda at: -known[at])[:1]
    if not full or known[full[0]] == 0:
        raise RegionError("The map holds no number; explain a larger region.")
    chosen, others = [], []
    for at in full:
        likely = bundle.predict(frame.read(slide, places[at])[None])[0]
        mine = likely[0] > 0.5 if len(likely) == 1 else likely.argmax(axis=0) == class_index
        (chosen if mine.any() else others).append(places[at])
        if len(chosen) == most:
            break
    return [*chosen, *others][:most]


def _over_tile(heat: RegionHeat, frame: Frame, place: Place) -> Map:
    """Return (side, side): the map's value at each pixel of a tile, NaN beyond the region."""
    centres = np.arange(frame.side) + 0.5
    height, width = heat.values.shape
    columns = (frame.left + (place[0] + centres) * frame.scale - heat.bounds[0]) / heat.cell[0]
    rows = (frame.top + (place[1] + centres) * frame.scale - heat.bounds[1]) / heat.cell[1]
    inside = ((rows >= 0) & (rows < height))[:, None] & ((columns >= 0) & (columns < width))
    nearest = np.ix_(rows.astype(int).clip(0, height - 1), columns.astype(int).clip(0, width - 1))
    return np.where(inside, heat.values[nearest], np.nan).astype(np.float32)
