"""Formats: how data sets of other people lie on a disk, and which of our classes their classes are.

A format finds the cases in a folder; nothing is read before a case is asked for its pictures. Where a data
set marks only one thing, such as tumor, `rest` says what everything else is.
"""

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from segcore.data.cases import Case


@dataclass(frozen=True)
class Format:
    """A format, and what a command must know of it without loading its readers."""

    name: str
    about: str
    finder: str
    """The function that finds the cases, as "module:function" of this package."""
    options: tuple[str, ...] = ()
    """Which arguments the finder takes besides the folder."""
    mpp: float | None = None
    """Of the new pictures, unless the user says another. Formats of slides have one: slides are always cut."""
    rest: str | None = None
    """The class of what nothing is marked on, unless the user says another; None: unlabelled."""

    def find(self, folder: Path, **options: Any) -> list[Case]:
        """Return the cases in a folder, not read yet; raises DataError where it holds none."""
        module, function = self.finder.split(":")
        return getattr(import_module(f"{__name__}.{module}"), function)(folder, **options)


FORMATS = (
    Format(
        "tiles",
        "folders of exported tiles (manifest.csv, images, labels), joined",
        "own:find_tiles",
    ),
    Format(
        "slides",
        "slides with annotations beside them (GeoJSON, ASAP or ImageScope XML)",
        "own:find_slides",
        ("annotations", "rest", "source_mpp"),
        mpp=0.5,
    ),
    Format(
        "folder",
        "a plain folder: images/ and masks/ with the same names",
        "plain:find_folder",
        ("source_mpp", "codes", "case"),
    ),
    Format("bcss", "BCSS: ROIs and masks with 21 region codes", "bcss:find_bcss", ("source_mpp",)),
    Format(
        "bcss-wsss",
        "BCSS-WSSS: tiles, training ones with [abcd] flags or pseudo-labels",
        "bcss:find_bcss_wsss",
        ("source_mpp", "pseudo"),
    ),
    Format(
        "bach",
        "BACH: photographs of four classes, slides with XML regions",
        "bach:find_bach",
        ("rest", "source_mpp"),
        mpp=0.5,
        rest="Other",
    ),
    Format(
        "breakhis",
        "BreakHis: pictures of eight tumor types",
        "breakhis:find_breakhis",
        ("magnification",),
    ),
    Format(
        "camelyon",
        "CAMELYON16 or 17: slides with ASAP XML",
        "camelyon:find_camelyon",
        ("annotations", "rest", "source_mpp"),
        mpp=0.5,
        rest="Other",
    ),
    Format(
        "glas",
        "GlaS: colon glands (.bmp, _anno.bmp, Grade.csv)",
        "glas:find_glas",
        ("rest",),
        rest="Other",
    ),
    Format(
        "hinet",
        "HI-Net's construction from slides with marked tumor",
        "hinet:find_hinet",
        ("annotations", "source_mpp"),
        mpp=1.0,
    ),
)

__all__ = ["FORMATS", "Format"]
