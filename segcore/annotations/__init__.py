"""What is marked on a slide: annotations (vector), label maps (a class per pixel), the classes, the files.

All geometry is in level-0 pixels of the full slide, (0, 0) the top left corner of pixel (0, 0).
"""

from segcore.annotations.files import read_annotations, read_annotations_report, write_annotations
from segcore.annotations.labelmap import LabelMap
from segcore.annotations.model import Annotation
from segcore.annotations.taxonomy import Class, Taxonomy, load_taxonomy

__all__ = [
    "Annotation",
    "Class",
    "LabelMap",
    "Taxonomy",
    "load_taxonomy",
    "read_annotations",
    "read_annotations_report",
    "write_annotations",
]
