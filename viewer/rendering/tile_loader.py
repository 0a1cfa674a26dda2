import logging
import os
import threading
import time
from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from segcore.errors import SlideError
from segcore.slides import Slide, read_scaled
from segcore.slides.base import Rgb
from segcore.slides.colour_management import to_srgb
from viewer.rendering.tiles import TILE, TileGrid, TileKey

RETRY_SECONDS = (0.5, 1.0, 2.0, 4.0)
DEEPEST_READ = (
    4  # a tile reads at most 4 x 4 as many slide pixels; coarser ones are made of their children
)

log = logging.getLogger(__name__)


class TileLoader(QObject):
    """Reads tiles of one slide on threads. What is wanted is a list, replaced at every motion.

    So a tile that has scrolled away is simply no longer on the list, and the nearest is always next.
    """

    loaded = Signal(object, QImage)
    """(TileKey, its image), on the main thread."""
    failed = Signal(str)
    """One sentence, when tiles fail one after the other, which goes on being tried, or one is damaged."""
    recovered = Signal()

    def __init__(self, slide: Slide, threads: int | None = None) -> None:
        super().__init__()
        self.grid = TileGrid(*slide.dimensions)
        self.colour_managed = True
        """Whether tiles go from the slide's ICC profile to sRGB; for display alone."""
        self._slide = slide
        self._wanted: Sequence[TileKey] = ()
        self._reading: set[TileKey] = set()
        self._failures = 0
        self._doubtful: set[TileKey] = set()
        """Tiles that failed while others could be read."""
        self._damage_told = False
        self._pause_until = 0.0
        self._stop = False
        self._change = threading.Condition()
        count = threads or max(2, min(4, os.cpu_count() or 2))
        self._threads = [
            threading.Thread(target=self._serve, name=f"tiles-{i}", daemon=True)
            for i in range(count)
        ]
        for thread in self._threads:
            thread.start()

    def want(self, keys: Sequence[TileKey]) -> None:
        """Replace what is wanted, most urgent first."""
        with self._change:
            self._wanted = keys
            self._change.notify_all()

    def close(self) -> None:
        """Stop reading; waits for the tiles being read."""
        with self._change:
            self._stop = True
            self._wanted = ()
            self._change.notify_all()
        for thread in self._threads:
            thread.join()

    def displayed(self, key: TileKey) -> Rgb:
        """Return one tile in the colours of a screen. For any thread."""
        pixels, profile = self.read(key), self._slide.icc_profile
        shown = to_srgb(pixels, profile) if profile and self.colour_managed else pixels
        return pixels if shown is None else shown  # a damaged profile is left out, and logged

    def read(self, key: TileKey) -> Rgb:
        """Read one tile, (h, w, 3) uint8, cut where the slide ends. For any thread."""
        downsample = 2**key.zoom
        left, top = key.column * key.extent, key.row * key.extent
        width = min(TILE, -(-(self.grid.width - int(left)) // downsample))
        height = min(TILE, -(-(self.grid.height - int(top)) // downsample))
        level = self._slide.levels[self._slide.level_for(downsample)]
        if downsample / level.downsample > DEEPEST_READ:
            return self._from_children(key, width, height)
        return read_scaled(
            self._slide, left=left, top=top, scale=float(downsample), width=width, height=height
        )

    def _from_children(self, key: TileKey, width: int, height: int) -> Rgb:
        canvas = np.full((2 * TILE, 2 * TILE, 3), 255, np.uint8)
        for child in key.children:
            if self.grid.exists(child) and not self._stop:
                tile = self.read(child)
                y, x = (child.row % 2) * TILE, (child.column % 2) * TILE
                canvas[y : y + tile.shape[0], x : x + tile.shape[1]] = tile
        quarters = canvas.reshape(TILE, 2, TILE, 2, 3).mean((1, 3))
        return quarters.astype(np.uint8)[:height, :width]

    def _serve(self) -> None:
        while (key := self._next()) is not None:
            try:
                image = as_image(self.displayed(key))
            except SlideError as error:
                self._failed(key, error)
            else:
                self._succeeded()
                if not self._stop:
                    self.loaded.emit(key, image)
            finally:
                with self._change:
                    self._reading.discard(key)

    def _next(self) -> TileKey | None:
        with self._change:
            while not self._stop:
                rest = self._pause_until - time.monotonic()
                if rest <= 0:
                    for key in self._wanted:
                        if key not in self._reading:
                            self._reading.add(key)
                            # Once read it is on its way to the cache; reading it again would be waste.
                            self._wanted = [each for each in self._wanted if each != key]
                            return key
                self._change.wait(rest if rest > 0 and self._wanted else None)
            return None

    def _failed(self, key: TileKey, error: SlideError) -> None:
        log.warning("Tile reading failed: %s", error)
        with self._change:
            others_succeed = self._failures == 0
            damaged = others_succeed and key in self._doubtful
            if not damaged:
                self._try_again(key)
            if others_succeed:
                self._doubtful.add(key)
            tell = self._failures == 2  # once may be one tile's fault
            tell_damage = damaged and not self._damage_told
            self._damage_told |= damaged
        if tell:
            self.failed.emit(str(error))
        if tell_damage:
            self.failed.emit(
                f"A part of {self._slide.name} is damaged; it is shown without detail."
            )

    def _try_again(self, key: TileKey) -> None:
        """Want a tile once more, after the others and after a pause."""
        self._wanted = [*self._wanted, key]
        wait = RETRY_SECONDS[min(self._failures, len(RETRY_SECONDS) - 1)]
        self._pause_until = time.monotonic() + wait
        self._failures += 1

    def _succeeded(self) -> None:
        with self._change:
            again, self._failures = self._failures > 1, 0
        if again:
            self.recovered.emit()


def as_image(pixels: Rgb) -> QImage:
    """Return a QImage that owns a copy of (h, w, 3) uint8 pixels, in the format that paints fastest."""
    height, width, _ = pixels.shape
    data = np.ascontiguousarray(pixels)
    view = QImage(data.data, width, height, 3 * width, QImage.Format.Format_RGB888)
    return view.convertToFormat(QImage.Format.Format_RGB32)
