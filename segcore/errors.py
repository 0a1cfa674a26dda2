"""Everything that may go wrong and that a user can cause or meet.

    AcinusError
    |-- SlideError            a slide cannot be opened or read
    |   `-- PixelSizeMissingError  the physical pixel size is unknown and may not be guessed
    |-- AnnotationError       an annotation file or geometry cannot be used
    |-- ModelError            a network or bundle is unknown, damaged or does not fit
    |   `-- DeviceMemoryError   a network needs more memory than its device has
    |-- RegionError           a region is empty, outside the slide or unsuited to the model
    |-- ExportError           a result could not be written
    |-- DataError             a training data set cannot be used
    `-- StudyError            a study file cannot be opened or written

A message is one sentence that names the thing and the way out.
"""


class AcinusError(Exception):
    """A known error, told to people in one sentence."""


class SlideError(AcinusError):
    """A slide cannot be opened or read."""


class PixelSizeMissingError(SlideError):
    """The physical pixel size is unknown, and the engine refuses to guess it."""


class AnnotationError(AcinusError):
    """An annotation file or geometry cannot be used."""


class ModelError(AcinusError):
    """A network or bundle is unknown, damaged or does not fit."""


class DeviceMemoryError(ModelError):
    """A network needs more memory than its device has."""


class RegionError(AcinusError):
    """A region is empty, outside the slide, or unsuited to the model."""


class ExportError(AcinusError):
    """A result could not be written."""


class DataError(AcinusError):
    """A training data set cannot be used."""


class StudyError(AcinusError):
    """A study file cannot be opened or written."""
