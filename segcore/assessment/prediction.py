"""What a bundle says about one picture: stitched class probabilities, and the codes they stand for."""

from collections.abc import Sequence
from copy import copy

import numpy as np
import numpy.typing as npt
import torch

from segcore.annotations import load_taxonomy
from segcore.inference.cache import RunCache
from segcore.inference.canvas import Canvas
from segcore.inference.tiles import TileSource
from segcore.inference.tiling import Lattice, Window
from segcore.models import Bundle
from segcore.models.bundle import CPU_BATCH
from segcore.refinement import Refinement, propagate_labels
from segcore.slides import ArraySlide, Rgb

Probabilities = npt.NDArray[np.float32]
Codes = npt.NDArray[np.uint8]

OTHER = "Other"


def exact(bundle: Bundle) -> Bundle:
    """Return the bundle run in float32: with half the bits each machine gives figures of its own."""
    if bundle.precision == torch.float32:
        return bundle
    other = copy(bundle)
    other.__dict__.pop("_engine", None)  # made for the other precision
    other.precision = torch.float32
    return other


def answered_classes(bundle: Bundle) -> tuple[str, ...]:
    """Return the classes of `predict_picture`'s channels; what a one-class bundle does not find is "Other"."""
    names = bundle.classes
    return names if len(names) > 1 else (*names, OTHER)


def tells_one(classes: Sequence[str]) -> bool:
    """Tell whether these classes are one and the rest, so that "Other" stands for all that is not the one."""
    return len(classes) == 2 and OTHER in classes


def predict_picture(bundle: Bundle, image: Rgb) -> Probabilities:
    """Return (C, H, W) probabilities of an (H, W, 3) picture at the bundle's pixel size.

    A picture larger than the bundle's tile is predicted tile by tile and blended, as in the midst of a slide.
    """
    height, width = image.shape[:2]
    if max(height, width) > bundle.tile:
        return _stitched(bundle, image)
    probabilities = bundle.predict(image[None])[0]
    if len(probabilities) == 1:
        probabilities = np.concatenate([probabilities, 1 - probabilities])
    return probabilities


def _stitched(bundle: Bundle, image: Rgb) -> Probabilities:
    lattice = Lattice(bundle.tile, bundle.halo)
    height, width = image.shape[:2]
    picture = Window(0, 0, width, height)
    slide = ArraySlide(image, mpp=bundle.mpp)
    # A tile that touches the picture with its faded border alone knows less of it than its neighbour.
    wanted = [i for i in lattice.covering(picture) if lattice.core(i).within(picture)]
    batch = 16 if bundle.device.type == "cuda" else CPU_BATCH
    source = TileSource(slide, bundle, lattice, scale=1.0, batch=batch, cache=RunCache(0))
    canvas = Canvas(lattice, picture, len(answered_classes(bundle)))
    for tiles in source.stream(wanted):
        for tile in tiles:
            canvas.add(tile)
    return canvas.probabilities()


def refine_picture(probabilities: Probabilities, image: Rgb, by: Refinement) -> Probabilities:
    """Return the probabilities after label propagation, adding up to 1 again."""
    F = propagate_labels(
        probabilities,
        image,
        alpha=by.alpha,
        sigma_intensity=by.sigma_intensity,
        sigma_space=by.sigma_space,
        radius=by.radius,
        device="cpu",
    )
    F = F.clip(0, None)
    return F / np.maximum(F.sum(axis=0), 1e-12)


def comparable_reference(reference: Codes, classes: Sequence[str]) -> Codes:
    """Return the reference in the terms of `classes`: where they are one and the rest, the rest is "Other"."""
    if not tells_one(classes):
        return reference
    taxonomy = load_taxonomy()
    one = next(taxonomy.named(name).code for name in classes if name != OTHER)
    rest = np.uint8(taxonomy.named(OTHER).code)
    return np.where((reference == 0) | (reference == one), reference, rest)
