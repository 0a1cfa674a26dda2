"""Maps as OME-TIFF: the numbers themselves, with where they lie and what they mean."""

from pathlib import Path

import numpy as np
import tifffile

from segcore.annotations.atomic import replacing
from segcore.explain.heat import ATTENTION, RegionHeat
from segcore.slides import Slide


def write_heat(path: Path, heat: RegionHeat, slide: Slide) -> None:
    """Write the map's values, float32 with NaN outside the region; its frame stands in the OME-XML.

    Raises ExportError where the file cannot be written.
    """
    mpp = (slide.mpp or 1.0) * heat.cell[0]
    frame = dict(zip(("left", "top", "right", "bottom"), map(repr, heat.bounds), strict=True))
    told = {
        "acinus.note": ATTENTION,
        "acinus.quantity": heat.quantity,
        "acinus.class": heat.class_name or "",
        "acinus.one": repr(heat.one),
        "acinus.unit": heat.unit,
        **{f"acinus.{side}": value for side, value in frame.items()},
    }
    with replacing(path) as temporary, temporary.open("wb") as file:
        tifffile.imwrite(
            file,
            np.ascontiguousarray(heat.values),
            ome=True,
            compression="zlib",
            photometric="minisblack",
            resolution=(1e4 / mpp, 1e4 / mpp),
            resolutionunit="CENTIMETER",
            metadata={
                "axes": "YX",
                "Name": f"{heat.title}. {ATTENTION}.",
                "PhysicalSizeX": mpp,
                "PhysicalSizeXUnit": "µm",
                "PhysicalSizeY": mpp,
                "PhysicalSizeYUnit": "µm",
                "Channel": {"Name": heat.title},
                "MapAnnotation": told,
            },
        )
