"""Maps of why a network answered as it did: made, checked, written. torch is imported here only."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from segcore.annotations import Annotation
from segcore.errors import ModelError
from segcore.progress import Report
from segcore.slides import Slide
from viewer.jobs.models import Models

if TYPE_CHECKING:
    from segcore.explain import Layer, Readout, RegionHeat
    from segcore.models import Bundle

Method = Literal["grad_cam", "shap", "uncertainty", "robustness"]


@dataclass(frozen=True, eq=False)
class Explained:
    """A map, and where Grad-CAM looked and could look."""

    heat: "RegionHeat"
    layers: "tuple[Layer, ...]" = ()
    layer: str | None = None


def explain(
    slide: Slide,
    region: Annotation,
    models: Models,
    *,
    model: str = "default",
    method: Method,
    class_name: str,
    layer: str,
    report: Report,
) -> Explained:
    """Return the map of `region`; only Grad-CAM and SHAP ask for the class, only Grad-CAM for the layer.

    A layer that the network does not have is the usual one. Raises ModelError, RegionError.
    """
    report(0.0, "loading the model")
    from segcore.explain import (  # noqa: PLC0415 - torch takes a second to import
        explain_region,
        explained_layers,
        robustness_map,
        uncertainty_map,
    )

    bundle, place = models.get(model), region.geometry
    if method == "uncertainty":
        return Explained(uncertainty_map(slide, bundle, place, report=report))
    if method == "robustness":
        return Explained(robustness_map(slide, bundle, place, report=report))
    index = _channel(bundle, class_name)
    if method == "shap":
        return Explained(explain_region(slide, bundle, place, index, method="shap", report=report))
    layers = explained_layers(bundle.model)
    looked_at = layer if layer in {each.name for each in layers} else layers[0].name
    heat = explain_region(slide, bundle, place, index, layer=looked_at, report=report)
    return Explained(heat, layers, looked_at)


def check(
    slide: Slide, heat: "RegionHeat", models: Models, *, model: str, report: Report
) -> "Readout":
    """Measure how far a map of one class may be trusted."""
    report(0.0, "loading the model")
    from segcore.explain import check_map  # noqa: PLC0415 - torch takes a second to import

    return check_map(slide, models.get(model), heat, report=report)


def export(
    path: Path, slide: Slide, heat: "RegionHeat", region: Annotation, *, report: Report
) -> Path:
    """Write the numbers to `path` (OME-TIFF) and a picture with its legend beside them; return the picture's path."""
    report(0.0, "writing the map")
    from segcore.annotations.atomic import replacing  # noqa: PLC0415 - not needed at the start
    from segcore.explain import write_heat  # noqa: PLC0415 - torch takes a second to import
    from segcore.reporting.heat_picture import draw_heat  # noqa: PLC0415 - likewise

    picture = path.with_name(f"{path.name.removesuffix('.tif').removesuffix('.ome')}.png")
    write_heat(path, heat, slide)
    report(0.5, "drawing the picture")
    with replacing(picture) as temporary, temporary.open("wb") as file:
        draw_heat(slide, heat, region.geometry).save(file, "PNG")
    return picture


def _channel(bundle: "Bundle", class_name: str) -> int:
    if class_name not in bundle.classes:
        raise ModelError(
            f"{bundle.card.name!r} does not know the class {class_name}; choose one of {', '.join(bundle.classes)}."
        )
    return bundle.classes.index(class_name)
