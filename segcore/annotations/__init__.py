"""What is marked on a slide: annotations (vector), label maps (a class per pixel), the classes, the files.

All geometry is in level-0 pixels of the full slide, (0, 0) the top left corner of pixel (0, 0).
"""

from segcore.annotations.files import (
    format_of,
    read_annotations,
    read_annotations_report,
    write_annotations,
)
from segcore.annotations.formats import FORMATS, Format, Origin, format_for, format_named
from segcore.annotations.labelmap import LabelMap
from segcore.annotations.model import Annotation
from segcore.annotations.qupath_project import (
    Project,
    ProjectImage,
    read_project,
    read_project_annotations,
)
from segcore.annotations.receipts import Receipt, check_written
from segcore.annotations.reports import ReadReport, Written
from segcore.annotations.taxonomy import Class, Taxonomy, load_taxonomy
from segcore.annotations.texts import annotations_from_text, text_from_annotations

__all__ = [
    "FORMATS",
    "Annotation",
    "Class",
    "Format",
    "LabelMap",
    "Origin",
    "Project",
    "ProjectImage",
    "ReadReport",
    "Receipt",
    "Taxonomy",
    "Written",
    "annotations_from_text",
    "check_written",
    "format_for",
    "format_named",
    "format_of",
    "load_taxonomy",
    "read_annotations",
    "read_annotations_report",
    "read_project",
    "read_project_annotations",
    "text_from_annotations",
    "write_annotations",
]
