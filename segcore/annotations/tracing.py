"""A mask as annotations: what the pixels say, in the form that other programs read."""

from segcore.annotations.labelmap import LabelMap
from segcore.annotations.model import Annotation
from segcore.annotations.polygons import polygons_from_labels
from segcore.annotations.taxonomy import Taxonomy, load_taxonomy


def annotations_from_labels(labels: LabelMap, taxonomy: Taxonomy | None = None) -> list[Annotation]:
    """Return one classed, locked annotation for each connected area of a mask, in level-0 pixels.

    Rasterised again on the same grid they are the mask, pixel by pixel. A value that is no class of the
    taxonomy, as 7, is the class "Class 7".
    """
    taxonomy = taxonomy or load_taxonomy()
    names = {each.code: each.name for each in taxonomy.classes}
    pixel = (labels.mpp / labels.scale) ** 2  # square micrometres per level-0 pixel
    return [
        Annotation(
            polygon,
            class_name=names.get(code, f"Class {code}"),
            locked=True,
            measurements={"Area µm^2": round(polygon.area * pixel, 2)},
            metadata={"source": "Acinus mask"},
        )
        for code, polygon in polygons_from_labels(labels)
    ]
