"""How tissue is shown: brightness, contrast, gamma, one stain alone. For the eye only, never for analysis."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
import numpy.typing as npt

Bgra = npt.NDArray[np.uint8]
Stain = Literal["", "haematoxylin", "eosin"]

# Optical densities of red, green, blue that one unit of each stain has: Ruifrok and Johnston 2001 (haematoxylin)
# and the eosin vector that slide viewers have made usual; the third row is what neither explains.
_HAEMATOXYLIN, _EOSIN = (0.651, 0.701, 0.290), (0.216, 0.801, 0.558)
_BITS = 6  # of each colour: a table of 64 x 64 x 64 colours is quick to make and to read


@dataclass(frozen=True, slots=True)
class Adjustment:
    """Brightness and contrast in -1 to 1 (0 changes nothing), gamma in 0.2 to 5 (1 changes nothing)."""

    brightness: float = 0.0
    contrast: float = 0.0
    gamma: float = 1.0
    stain: Stain = ""
    """The one stain that is shown, or "" for the slide's own colours."""

    @property
    def changes_nothing(self) -> bool:
        return self == Adjustment()

    def applied(self, pixels: Bgra) -> Bgra:
        """Return (h, w, 4) BGRA pixels as they are to be shown."""
        shown = pixels
        if self.stain:
            blue, green, red = (pixels[..., i].astype(np.uint32) >> (8 - _BITS) for i in range(3))
            shown = _stain_table(self.stain)[red << 2 * _BITS | green << _BITS | blue]
        curve = _curve(self.brightness, self.contrast, self.gamma)
        return curve[shown] if (self.brightness, self.contrast, self.gamma) != (0, 0, 1) else shown


@lru_cache(maxsize=4)
def _curve(brightness: float, contrast: float, gamma: float) -> npt.NDArray[np.uint8]:
    """Return what each of 256 values becomes: contrast about the middle, then brightness, then gamma."""
    value = np.arange(256) / 255
    slope = np.tan((contrast + 1) * np.pi / 4) if contrast < 1 else 1e3
    straight = np.clip((value - 0.5) * slope + 0.5 + brightness, 0, 1)
    return np.round(255 * straight ** (1 / gamma)).astype(np.uint8)


@lru_cache(maxsize=2)
def _stain_table(stain: Stain) -> npt.NDArray[np.uint8]:
    """Return BGRA of the stain alone for every colour of `_BITS` bits per channel (red highest)."""
    vectors = np.array([_HAEMATOXYLIN, _EOSIN, np.cross(_HAEMATOXYLIN, _EOSIN)])
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    index = np.arange(1 << 3 * _BITS)
    mask, step = (1 << _BITS) - 1, 1 << (8 - _BITS)
    channels = [(index >> shift & mask) * step + step / 2 for shift in (2 * _BITS, _BITS, 0)]
    density = -np.log(np.stack(channels, axis=-1) / 255)  # (colours, 3) of red, green, blue
    which = 0 if stain == "haematoxylin" else 1
    amount = np.clip(density @ np.linalg.inv(vectors)[:, which], 0, None)
    red, green, blue = (np.exp(-np.outer(vectors[which], amount)) * 255).round()
    return np.stack([blue, green, red, np.full_like(red, 255)], axis=-1).astype(np.uint8)
