"""Explain: maps that show why a network answered as it did.

A *map* is (H, W) over an image: Grad-CAM from one layer's features, SHAP from the pixels themselves. Both
explain one class's score: its mean logit where it was predicted.
"""

from segcore.explain.gradcam import grad_cam
from segcore.explain.region import RegionHeat, explain_region
from segcore.explain.shap import shap_map

__all__ = ["RegionHeat", "explain_region", "grad_cam", "shap_map"]
