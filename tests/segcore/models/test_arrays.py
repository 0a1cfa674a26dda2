import io

import numpy as np
import pytest

from segcore.errors import ModelError
from segcore.models.arrays import read_npy, write_npy


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float16, ">f4", bool])
@pytest.mark.parametrize("shape", [(), (0,), (3, 4), (2, 1, 3, 2)])
def test_arrays_are_read_as_numpy_writes_them(dtype, shape):
    wanted = np.arange(int(np.prod(shape))).reshape(shape).astype(dtype)
    for array in (wanted, np.asfortranarray(wanted)):
        stream = io.BytesIO()
        np.save(stream, array)
        assert np.array_equal(read_npy(stream.getvalue(), name="a"), array)


def test_what_is_written_numpy_reads():
    array = np.random.default_rng(0).normal(size=(2, 3, 4)).astype(np.float32)
    assert np.array_equal(np.load(io.BytesIO(write_npy(array))), array)


def npy(header, body=b""):
    text = header.encode().ljust(118) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + body


GOOD = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x93NUMPY",
        npy(GOOD),
        npy(GOOD, bytes(7)),
        npy(GOOD, bytes(9)),
        npy(GOOD.replace("(2,)", "(1000000, 1000000)"), bytes(8)),
        npy(GOOD.replace("(2,)", "(-1, -2)"), bytes(8)),
        npy(GOOD.replace("(2,)", "('a',)"), bytes(8)),
        npy(GOOD.replace("<f4", "|O"), bytes(16)),
        npy(GOOD.replace("<f4", "<c8"), bytes(16)),
        npy(GOOD.replace("'<f4'", "__import__('os').system('true')"), bytes(8)),
        npy("(" * 100),
        b"\x93NUMPY\x03\x00" + bytes(100),
    ],
)
def test_a_file_that_lies_is_refused(content):
    with pytest.raises(ModelError):
        read_npy(content, name="test_input.npy")
    read_npy(npy(GOOD, bytes(8)), name="the good one")
