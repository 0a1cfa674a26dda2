"""One picture with its reference mask, read when it is asked for."""

from collections.abc import Callable
from copy import copy
from functools import partial

from segcore.data.cache import PictureCache
from segcore.data.pictures import Codes, Pixels, Rgb, resample

__all__ = ["KEPT", "Codes", "Pixels", "Rgb", "Sample", "resample"]

KEPT = PictureCache()
"""What all samples of the process have read lately."""


class Sample:
    """One picture and its reference mask, both at the working pixel size.

    Made of arrays, or `stored`: then the pixels are read when they are first asked for, and again after
    others have taken their place in memory. Stored pixels cannot be written to.
    """

    case: str
    """The patient, slide or region it comes from: what splits never cut."""
    source: str
    label: str
    """The class of the whole picture in a classification data set, else empty."""

    def __init__(
        self, case: str, source: str, image: Rgb, codes: Codes, *, label: str = ""
    ) -> None:
        self.case, self.source, self.label = case, source, label
        self._read: Callable[[], Pixels] = partial(_same, image, codes)

    @staticmethod
    def stored(case: str, source: str, read: Callable[[], Pixels], *, label: str = "") -> "Sample":
        """Return a sample whose pixels `read` gives; a `partial` can be sent to another process."""
        return _StoredSample(case, source, read, label=label)

    @property
    def image(self) -> Rgb:
        """Return (H, W, 3) uint8; raises DataError where the file cannot be read any more."""
        return self._pixels()[0]

    @property
    def codes(self) -> Codes:
        """Return (H, W) uint8: class codes of the taxonomy; 0 = unlabelled."""
        return self._pixels()[1]

    def _pixels(self) -> Pixels:
        return self._read()

    def named(self, source: str) -> "Sample":
        """Return the same sample under another source's name; nothing is read."""
        other = copy(self)
        other.source = source
        return other

    def changed(self, change: Callable[[Rgb, Codes], Pixels]) -> "Sample":
        """Return a sample whose pixels are those of this one after `change`, which runs when they are read."""
        read = partial(_changed, self._read, change)
        return Sample.stored(self.case, self.source, read, label=self.label)


class _StoredSample(Sample):
    def __init__(self, case: str, source: str, read: Callable[[], Pixels], *, label: str) -> None:
        self.case, self.source, self.label = case, source, label
        self._read = read

    def _pixels(self) -> Pixels:
        return KEPT.get(self._read)


def _same(image: Rgb, codes: Codes) -> Pixels:
    return image, codes


def _changed(read: Callable[[], Pixels], change: Callable[[Rgb, Codes], Pixels]) -> Pixels:
    return change(*read())
