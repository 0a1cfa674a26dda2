"""Explain: maps that show why a network answered as it did, how sure it is, and how far to trust the map.

A *map* is (H, W) over an image, or a `RegionHeat` over a region of a slide. Grad-CAM, from one layer's
features, and SHAP, from the pixels themselves, explain one class's score: its logit where it was predicted.
Uncertainty and robustness speak of the answer as a whole; `uncertain_places` lists where to look.
"""

from segcore.explain.confidence import uncertainty_map
from segcore.explain.faithfulness import Deletion, deletion, infidelity
from segcore.explain.gradcam import grad_cam
from segcore.explain.heat import ATTENTION, Method, RegionHeat
from segcore.explain.heat_files import write_heat
from segcore.explain.layers import Layer, explained_layers
from segcore.explain.places import UncertainPlace, uncertain_places
from segcore.explain.readout import Readout, check_map
from segcore.explain.region import explain_region
from segcore.explain.robustness import robustness_map
from segcore.explain.shap import shap_map

__all__ = [
    "ATTENTION",
    "Deletion",
    "Layer",
    "Method",
    "Readout",
    "RegionHeat",
    "UncertainPlace",
    "check_map",
    "deletion",
    "explain_region",
    "explained_layers",
    "grad_cam",
    "infidelity",
    "robustness_map",
    "shap_map",
    "uncertain_places",
    "uncertainty_map",
    "write_heat",
]
