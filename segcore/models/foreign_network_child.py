"""The child that runs a foreign network: `python -m segcore.models.foreign_network_child KIND DEVICE THREADS`.

It takes messages on stdin, first the network, then arrays, and answers each on stdout: "+" and an array, or
"-" and a sentence.
"""

import importlib
import io
import os
import sys
import warnings
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import torch

from segcore.errors import ModelError
from segcore.models.arrays import read_npy, write_npy
from segcore.models.foreign_network import LARGEST_ANSWER, receive, send
from segcore.models.sandbox import confined

Network = Callable[[npt.NDArray[np.generic]], Any]


def serve(load: Callable[[bytes, dict[str, bytes]], Network]) -> None:
    """Answer until stdin ends."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # a network may print; its words must not stand among the answers
    network: Network | None = None
    while True:
        try:
            message = receive(sys.stdin.buffer, LARGEST_ANSWER)
        except EOFError:
            return
        try:
            if network is None:
                files = msgspec.msgpack.decode(message, type=tuple[bytes, dict[str, bytes]])
                network, answer = load(*files), b""
            else:
                answer = _array(network(read_npy(message, name="the batch")))
        except Exception as error:  # noqa: BLE001 - whatever the network raises is told, and ends nothing
            send(answers, b"-" + _reason(error).encode())
        else:
            send(answers, b"+" + answer)


def load_torchscript(content: bytes, beside: dict[str, bytes], device: str) -> Network:
    del beside  # a TorchScript file is complete
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", DeprecationWarning
        )  # deprecated in torch, used in the field
        script = torch.jit.load(io.BytesIO(content), map_location=device).eval()

    @torch.inference_mode()
    def run(batch: npt.NDArray[np.generic]) -> Any:
        return script(torch.from_numpy(batch.copy()).to(device))

    return run


def load_onnx(content: bytes, beside: dict[str, bytes], device: str) -> Network:
    runtime: Any = importlib.import_module(
        "onnxruntime"
    )  # an extra, which type checkers may not find
    options = runtime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    if beside:
        names, files = list(beside), list(beside.values())
        options.add_external_initializers_from_files_in_memory(names, files, list(map(len, files)))
    wanted = ["CUDAExecutionProvider"] if device.startswith("cuda") else []
    session = runtime.InferenceSession(
        content, options, providers=[*wanted, "CPUExecutionProvider"]
    )
    (first,) = session.get_inputs()
    return lambda batch: session.run(None, {first.name: batch})


def _array(found: Any) -> bytes:
    if isinstance(found, tuple | list) and len(found) == 1:
        (found,) = found
    if isinstance(found, torch.Tensor):
        found = found.float().cpu().numpy()
    if not isinstance(found, np.ndarray):
        raise ModelError("it gives something else than one tensor.")
    return write_npy(found)


def _reason(error: Exception) -> str:
    if isinstance(error, ModelError):
        return str(error)
    lines = str(error).strip().splitlines() or [""]
    return f"it fails with {type(error).__name__}: {lines[-1].rstrip('.')}."


if __name__ == "__main__":
    kind, on, threads = sys.argv[1:]
    torch.set_num_threads(int(threads))
    loader = {"torchscript": load_torchscript, "onnx": load_onnx}[kind]
    # The parent watches the clock: what the child may use in all depends on the slide.
    sys.exit(
        confined(lambda: serve(lambda c, b: loader(c, b, on)), memory=on == "cpu", seconds=None)
    )
