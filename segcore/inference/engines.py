"""The ways in which one network can be run: plain, fused, in half the bits, compiled, by other engines.

Every engine turns the network's input (N, 3, H, W) float32 into logits (N, classes, H, W).
"""

import copy
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from segcore.models import Bundle, fuse
from segcore.models.fusion import inference_engine

Run = Callable[[Tensor], Tensor]


@dataclass(frozen=True, slots=True)
class Engine:
    """One way to run a network; `build` gives it tiles of one example's shape."""

    name: str
    precision: str
    channels_last: bool
    build: Callable[[Tensor], Run]


def engines(bundle: Bundle, *, compiled: bool = False) -> list[Engine]:
    """Return the ways that this computer has to run a bundle's network; the plain one comes first."""
    model, device, fast = bundle.model, bundle.device, bundle.precision
    found = [
        Engine("plain", "float32", channels_last=False, build=lambda _: model),
        Engine("plain", "float32", channels_last=True, build=lambda _: _reordered(model)),
        Engine("fused", "float32", channels_last=True, build=lambda _: _reordered(fuse(model))),
        _ours(bundle, torch.float32),
    ]
    if fast != torch.float32:
        found.append(_ours(bundle, fast))
    if compiled:
        found.append(
            Engine("compiled", _bits(fast), channels_last=True, build=_compiling(model, fast))
        )
    if device.type == "cpu" and find_spec("openvino"):
        found.append(
            Engine(
                "openvino", _bits(fast), channels_last=False, build=_openvino(model, _bits(fast))
            )
        )
    if device.type == "cpu" and find_spec("onnxruntime") and find_spec("onnxscript"):
        found.append(
            Engine("onnxruntime", "float32", channels_last=False, build=_onnxruntime(model))
        )
    return found


def _ours(bundle: Bundle, precision: torch.dtype) -> Engine:
    def build(_: Tensor) -> Run:
        return inference_engine(bundle.model, bundle.device, precision)

    return Engine("engine", _bits(precision), channels_last=True, build=build)


def _bits(precision: torch.dtype) -> str:
    return str(precision).removeprefix("torch.")


def _reordered(model: nn.Module) -> nn.Module:
    return copy.deepcopy(model).to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]


def _compiling(model: nn.Module, precision: torch.dtype) -> Callable[[Tensor], Run]:
    def build(_: Tensor) -> Run:
        compiled = torch.compile(_reordered(fuse(model)).to(precision), dynamic=False)
        return lambda x: compiled(x.to(precision)).float()

    return build


def _openvino(model: nn.Module, precision: str) -> Callable[[Tensor], Run]:
    def build(example: Tensor) -> Run:
        import openvino  # noqa: PLC0415 - an engine for those who have it # pyright: ignore[reportMissingImports]

        hint = {"bfloat16": "bf16", "float32": "f32"}[precision]
        threads = torch.get_num_threads()
        options = {"INFERENCE_PRECISION_HINT": hint, "INFERENCE_NUM_THREADS": threads}
        converted = openvino.convert_model(fuse(model), example_input=example, input=example.shape)
        compiled = openvino.compile_model(converted, "CPU", options)
        return lambda x: torch.from_numpy(compiled(x.numpy())[0])

    return build


def _onnxruntime(model: nn.Module) -> Callable[[Tensor], Run]:
    def build(example: Tensor) -> Run:
        import onnxruntime  # noqa: PLC0415 - an engine for those who have it # pyright: ignore[reportMissingImports]

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        session = onnxruntime.InferenceSession(
            _onnx(fuse(model), example), options, providers=["CPUExecutionProvider"]
        )
        return lambda x: torch.from_numpy(_answer(session, x.numpy()))

    return build


def _onnx(model: nn.Module, example: Tensor) -> bytes:
    program = torch.onnx.export(model, (example,), dynamo=True, verbose=False)
    assert program is not None  # noqa: S101 - what dynamo=True returns
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "network.onnx"
        program.save(file, external_data=False)
        return file.read_bytes()


def _answer(session: Any, tiles: np.ndarray) -> np.ndarray:
    return session.run(None, {session.get_inputs()[0].name: tiles})[0]
