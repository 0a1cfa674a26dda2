"""The document: what has been marked on one slide, and how it came to be; and the study that keeps it.

A `Document` holds the annotations and the mask of one slide. It changes by an `Edit`, a value that
says what was and what is instead, so that undo is one for every verb. A `Journal` keeps the edits: in
memory, or in a `Study`, one SQLite file in which every edit is a transaction. Nothing here knows Qt;
the window listens to `Document.edited`, `Study.trouble` and `Study.saved`. Edits are made by the
functions of `viewer.document.edits`, and where shapes change by those of `viewer.document.shaping`.
"""

from viewer.document import edits, shaping
from viewer.document.changes import Change, Edit, GridChange, TileChange
from viewer.document.codec import StoredEdit, store_edit
from viewer.document.corrections import (
    BRUSH,
    BY_MODEL,
    ERASE,
    FILL,
    MAGIC,
    SPREAD,
    WAND,
    as_segmented,
    corrected_pixels,
    corrected_window,
)
from viewer.document.document import Document, StaleEditError
from viewer.document.event import Event
from viewer.document.grid import MASK_TILE, MaskGrid
from viewer.document.journal import Journal, MemoryJournal, State
from viewer.document.masks import MaskLayer
from viewer.document.proposal import Proposal
from viewer.document.spatial import SpatialIndex
from viewer.document.study import Study, StudySlide, default_study_path

__all__ = [
    "BRUSH",
    "BY_MODEL",
    "ERASE",
    "FILL",
    "MAGIC",
    "MASK_TILE",
    "SPREAD",
    "WAND",
    "Change",
    "Document",
    "Edit",
    "Event",
    "GridChange",
    "Journal",
    "MaskGrid",
    "MaskLayer",
    "MemoryJournal",
    "Proposal",
    "SpatialIndex",
    "StaleEditError",
    "State",
    "StoredEdit",
    "Study",
    "StudySlide",
    "TileChange",
    "as_segmented",
    "corrected_pixels",
    "corrected_window",
    "default_study_path",
    "edits",
    "shaping",
    "store_edit",
]
