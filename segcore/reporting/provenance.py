"""Where a result comes from: what must be known to make it again."""

import platform
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import openslide

from segcore.slides import Slide, fingerprint

if TYPE_CHECKING:
    from segcore.models import Card  # loads torch

PACKAGES = ("acinus", "torch", "numpy", "scipy", "numba", "shapely", "pillow", "tifffile")


def of_slide(slide: Slide) -> dict[str, Any]:
    """Return what tells a slide and its frame apart from others. Its name stays out: it may name a patient."""
    return {
        "fingerprint": fingerprint(slide.path),
        "dimensions": list(slide.dimensions),
        "bounds": list(slide.bounds),
        "mpp": slide.mpp,
        "vendor": slide.vendor,
    }


def of_model(card: "Card") -> dict[str, Any]:
    """Return what tells a model apart from others."""
    return {
        "name": card.name,
        "title": card.title,
        "architecture": card.architecture.name,
        "sha256": card.sha256,
        "trained": card.trained,
        "classes": list(card.classes),
        "mpp": card.mpp,
        "licence": card.licence,
    }


def versions(*further: str) -> dict[str, str]:
    """Return the versions of Python, of the platform and of the packages that took part."""
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "openslide": openslide.__library_version__,
        **{name: version(name) for name in (*PACKAGES, *further)},
    }
