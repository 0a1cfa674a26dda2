"""The pictures that were read lately, within a budget of bytes."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock

from segcore.data.pictures import Pixels

BUDGET = 1 << 30


class PictureCache:
    """Keeps what readers gave, the least recently used going first; for any number of threads.

    The latest picture is kept even where it alone is larger than the budget, because its mask is asked for
    right after it.
    """

    def __init__(self, budget: int = BUDGET) -> None:
        self.budget = budget
        self._kept: OrderedDict[Hashable, Pixels] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    @property
    def nbytes(self) -> int:
        return self._bytes

    def get(self, read: Callable[[], Pixels]) -> Pixels:
        """Return what `read` gives, from memory where it was called before."""
        with self._lock:
            if read in self._kept:
                self._kept.move_to_end(read)
                return self._kept[read]
        pixels = read()  # outside the lock: others need not wait for a disk
        for each in pixels:
            each.flags.writeable = False  # it is shared
        with self._lock:
            if read not in self._kept:
                self._kept[read] = pixels
                self._bytes += _size(pixels)
            while self._bytes > self.budget and len(self._kept) > 1:
                self._bytes -= _size(self._kept.popitem(last=False)[1])
        return pixels


def _size(pixels: Pixels) -> int:
    return sum(each.nbytes for each in pixels)
