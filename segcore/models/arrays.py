"""Arrays in numpy's `.npy` format from places that are not trusted."""

import io
import math
import tokenize

import numpy as np
import numpy.typing as npt

from segcore.errors import ModelError

_READERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


def read_npy(content: bytes, *, name: str) -> npt.NDArray[np.generic]:
    """Return the numbers in `content`, without copying; raises ModelError where it is no such file.

    The header is compared with the length before anything is made of it, and objects are never unpickled.
    """
    stream = io.BytesIO(content)
    try:
        shape, by_columns, dtype = _READERS[np.lib.format.read_magic(stream)](stream)
        body = memoryview(content)[stream.tell() :]
        plain = dtype.kind in "biuf" and math.prod(shape) * dtype.itemsize == len(body)
        if plain:
            flat = np.frombuffer(body, dtype)
            return flat.reshape(shape[::-1]).T if by_columns else flat.reshape(shape)
    except (ValueError, KeyError, TypeError, OverflowError, SyntaxError, RecursionError, tokenize.TokenError) as error:  # fmt: skip
        raise ModelError(f"{name} is damaged or holds no array of numbers.") from error
    raise ModelError(f"{name} holds no plain numbers, or not as many as it says.")


def write_npy(array: npt.NDArray[np.generic]) -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array(stream, np.ascontiguousarray(array), (1, 0), allow_pickle=False)
    return stream.getvalue()
