"""Small things that tests are made of."""

from functools import cached_property
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import shapely
import tifffile

TUMOR, STROMA, GLASS = (110, 50, 140), (230, 150, 190), (245, 243, 244)


def three_field_pixels(width=1200, height=800):
    """Return an image whose left third looks like tumor, its middle like stroma, its right like glass."""
    pixels = np.empty((height, width, 3), np.uint8)
    third = width // 3
    pixels[:, :third], pixels[:, third : 2 * third], pixels[:, 2 * third :] = TUMOR, STROMA, GLASS
    return pixels


def write_slide(path: Path, pixels=None, mpp: float | None = 0.5) -> Path:
    """Write a tiled TIFF that OpenSlide reads, with its pixel size unless `mpp` is None."""
    pixels = three_field_pixels() if pixels is None else pixels
    resolution = {} if mpp is None else {"resolution": (1e4 / mpp, 1e4 / mpp), "resolutionunit": 3}
    tifffile.imwrite(
        path, pixels, tile=(256, 256), photometric="rgb", compression="zlib", **resolution
    )
    return path


class Cpu:
    """Takes the place of torch.device."""

    type = "cpu"

    def __str__(self):
        return "cpu"


class ColourBundle:
    """A bundle that knows tumor, stroma and glass by their colour; needs no torch."""

    classes = ("Tumor", "Stroma", "Other")
    codes = (1, 2, 5)
    mpp = 0.5
    tile = 256
    halo = 32
    device = Cpu()
    precision = "torch.float32"
    classifier = None
    card = SimpleNamespace(
        name="colours",
        sha256="0" * 64,
        trained=True,
        stain=None,
        temperature=1.0,
        classification=None,
    )

    def __init__(self):
        self.calls = 0

    def predict(self, tiles):
        self.calls += 1
        colours = np.array([TUMOR, STROMA, GLASS], np.float32)
        far = np.abs(tiles[:, None].astype(np.float32) - colours[None, :, None, None]).sum(-1)
        likely = np.exp(-far / 20)
        return (likely / likely.sum(1, keepdims=True)).astype(np.float32)


class OneBundle:
    """Takes the place of `Models`: always gives the bundle it was made with."""

    def __init__(self, bundle):
        self.bundle = bundle

    @cached_property
    def runs(self):
        from segcore.inference import RunCache

        return RunCache()

    def get(self, name="default"):
        return self.bundle

    def loaded(self, name="default"):
        return self.bundle


def heatmap_of(values, bounds, class_name="Tumor", **fields):
    """Return a heatmap over `bounds` as the window shows it, made without a network."""
    from segcore.annotations import Annotation
    from segcore.explain import RegionHeat
    from viewer.rendering.heatmap_layer import Heatmap

    heat = RegionHeat(np.asarray(values, np.float32), bounds, class_name=class_name, **fields)
    return Heatmap(heat, Annotation(shapely.box(*bounds)), "default")
