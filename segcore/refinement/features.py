"""What makes two pixels alike: their colour, as it is, as it is seen, or as it is stained."""

from typing import Literal

import numpy as np
import numpy.typing as npt
from skimage.color import rgb2lab

from segcore.slides.preprocessing.stains import REFERENCE, amounts

Features = Literal["rgb", "lab", "haematoxylin"]
"""rgb: red, green, blue in [0, 1]. lab: CIELAB / 100, so that 0.1 is a colour difference of 10.
haematoxylin: its amount by Beer-Lambert over that of a dark nucleus, whatever the eosin; the stains are
those of Macenko's reference, so that a pixel's value does not depend on its neighbours."""


def features_of(image: npt.NDArray[np.generic], kind: Features) -> npt.NDArray[np.generic]:
    """Return (H, W, K) of an image (H, W, 3), uint8 or float in [0, 1]; for "rgb" the image itself."""
    if kind == "rgb":
        return image
    if kind == "lab":
        return rgb2lab(image) / 100
    picture = image if image.dtype == np.uint8 else np.asarray(image, np.float32) * 255
    return amounts(picture.astype(np.float32), REFERENCE)[..., :1] / REFERENCE.strengths[0]
