"""An explanation of a region of any size: tile by tile, as one image would be explained."""

import torch
from shapely.geometry.base import BaseGeometry
from torch import nn

from segcore.explain.frame import Frame
from segcore.explain.heat import Method, RegionHeat
from segcore.explain.layers import default_layer
from segcore.explain.region_cam import cam_of_region
from segcore.explain.region_shap import SAMPLES, shap_of_region
from segcore.explain.score import check_class
from segcore.models import Bundle, fuse
from segcore.progress import Report, silent
from segcore.slides import Slide

CORE, CONTEXT = 512, 64  # model pixels: a tile explains its core and sees its context besides


def explain_region(
    slide: Slide,
    bundle: Bundle,
    region: BaseGeometry,
    class_index: int,
    *,
    method: Method = "grad_cam",
    layer: str | None = None,
    samples: int = SAMPLES,
    seed: int = 0,
    report: Report = silent,
) -> RegionHeat:
    """Return what in `region` (level-0 pixels) made the network answer with a class.

    The score is the sum of the class's logits over the pixels of the region that are predicted as it, or
    over all its pixels where none is.

    "grad_cam": Selvaraju et al. 2017, eq. 1 and 2, on `layer` (see `explained_layers`), in [0, 1]; the
    channel weights (eq. 1) are those of the whole region, so that tiles compare. "shap": expected gradients
    at `samples` points between blank glass and the picture, drawn from `seed`; in [-1, 1], below 0 what
    speaks against the class.

    Memory beside the map is bounded. `report` may cancel: no hook and no gradient is left, whatever happens.
    Raises PixelSizeMissingError, RegionError, ModelError.
    """
    check_class(bundle, class_index)
    frame = Frame.around(slide, bundle.mpp, region, core=CORE, context=CONTEXT)
    with torch.inference_mode(mode=False):  # which would keep gradients from what is made within it
        network = _folded(bundle.model)
        if method == "grad_cam":
            chosen = layer or default_layer(network)
            return cam_of_region(
                slide, bundle, network, frame, class_index, layer=chosen, report=report
            )
        return shap_of_region(
            slide, bundle, network, frame, class_index, samples=samples, seed=seed, report=report
        )


def _folded(model: nn.Module) -> nn.Module:
    """Return a quicker copy: only rounding differs, and the layers that are looked at are in their places."""
    return fuse(model).to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
