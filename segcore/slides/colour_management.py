"""From the colours of a scanner to those of a screen. For display only: analysis sees what was stored."""

import logging
from functools import lru_cache
from io import BytesIO
from threading import Lock

import numpy as np
from PIL import Image, ImageCms

from segcore.slides.base import Rgb

log = logging.getLogger(__name__)
_making = Lock()


def to_srgb(pixels: Rgb, profile: bytes) -> Rgb | None:
    """Return (h, w, 3) `pixels` of the ICC `profile` as sRGB, on any thread.

    Where the profile is that of sRGB they are returned as they are. None where it is damaged or not of
    RGB, which is said once in the log.
    """
    with _making:  # many threads ask at the same time for what one should make
        transform = _transform(profile)
    if transform is None:
        return None
    return pixels if transform.changes_nothing else transform(pixels)


class _Transform:
    """A transform of LittleCMS, which threads share: it keeps nothing of one call for the next."""

    def __init__(self, profile: bytes) -> None:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        intent = ImageCms.Intent(ImageCms.getDefaultIntent(source))
        screen = ImageCms.createProfile("sRGB")
        self._transform = ImageCms.buildTransform(source, screen, "RGB", "RGB", intent)
        ramps = np.stack(np.meshgrid(*[np.arange(0, 256, 15)] * 3), -1).astype(np.uint8)
        probe = ramps.reshape(1, -1, 3)
        self.changes_nothing = bool(np.abs(self(probe).astype(int) - probe).max() <= 1)

    def __call__(self, pixels: Rgb) -> Rgb:
        image = Image.fromarray(pixels)
        ImageCms.applyTransform(image, self._transform, inPlace=True)
        return np.array(image)


@lru_cache(maxsize=8)
def _transform(profile: bytes) -> _Transform | None:
    try:
        return _Transform(profile)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError) as error:
        reason = " ".join(str(error).split()).rstrip(".")
        log.warning("The slide's colour profile is left out: it cannot be used (%s).", reason)
        return None
