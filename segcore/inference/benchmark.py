"""How fast a bundle's network runs here in each of its forms, all compared within one run.

On a shared machine speeds wander; so the forms take turns, round by round, and what is told is the
median over rounds of tiles per second and of the ratio to the plain network of the same round and batch.
"""

import os
import platform
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from segcore.inference.engines import Engine, Run, engines
from segcore.inference.memory import peak_memory
from segcore.models import Bundle
from segcore.progress import Report, silent

Tiles = npt.NDArray[np.uint8]
TARGET_SPEED_UP = 4.0
TARGET_AGREEMENT = 99.9
PACKAGES = ("torch", "numpy", "openvino", "onnxruntime")


@dataclass(frozen=True, slots=True)
class Measurement:
    """One engine at one batch size."""

    engine: str
    precision: str
    channels_last: bool
    batch: int
    tiles_per_s: float
    speed_up: float
    """Over the plain float32 network at the same batch size."""
    agreement: float
    """Per cent of the pixels that get the plain network's class."""
    peak_memory: int | None
    """Highest memory of the process (of the device on CUDA) while it runs, in bytes."""
    working_memory: int | None
    """How much of it was not there before."""


@dataclass(frozen=True, slots=True)
class Benchmark:
    """What was measured, on what, and under which conditions."""

    model: str
    tile: int
    tiles: int
    rounds: int
    machine: dict[str, Any]
    load_before: tuple[float, ...] | None
    load_after: tuple[float, ...] | None
    """Of the system in the last 1, 5 and 15 minutes; this run is part of it."""
    measurements: tuple[Measurement, ...]

    @property
    def best(self) -> Measurement:
        """Return the fastest of the forms that need no other runtime and agree well enough."""
        return max(self._fit, key=lambda m: m.tiles_per_s)

    @property
    def _fit(self) -> list[Measurement]:
        ours = [m for m in self.measurements if m.engine in ("plain", "fused", "engine")]
        return [m for m in ours if m.agreement >= TARGET_AGREEMENT]

    @property
    def plain(self) -> Measurement:
        """Return the plain network at its fastest."""
        name, order = self.measurements[0].engine, self.measurements[0].channels_last
        same = [m for m in self.measurements if (m.engine, m.channels_last) == (name, order)]
        return max(same, key=lambda m: m.tiles_per_s)

    @property
    def gain(self) -> float:
        """Return how many times as fast the best engine is as the plain network at its fastest."""
        return self.best.tiles_per_s / self.plain.tiles_per_s

    @property
    def gain_at_equal_batch(self) -> float:
        """Return the largest speed-up over the plain network at the same batch size."""
        return max(self._fit, key=lambda m: m.speed_up).speed_up


def benchmark(
    bundle: Bundle,
    tiles: Tiles,
    *,
    batches: Sequence[int] = (1, 2, 4, 8),
    rounds: int = 5,
    compiled: bool = False,
    report: Report = silent,
) -> Benchmark:
    """Measure every engine at every batch size on (N, H, W, 3) uint8 tiles, N at least 1."""
    load = _load()
    inputs = bundle.network_input(torch.from_numpy(np.ascontiguousarray(tiles)))
    inputs = inputs.contiguous()  # (N, 3, H, W) float32
    with torch.inference_mode():
        report(0.0, "Building the engines")
        runs = _build(engines(bundle, compiled=compiled), inputs, batches)
        agreement = _agreements(runs, inputs, batches[0])
        seconds = _time(runs, inputs, rounds, bundle.device, report)
        report(0.95, "Measuring memory")
        rows = [
            _measurement(
                key, seconds, agreement, memory=_memory(key, runs[key], inputs, bundle.device)
            )
            for key in runs
        ]
    return Benchmark(
        model=bundle.card.name,
        tile=tiles.shape[1],
        tiles=len(tiles),
        rounds=rounds,
        machine=machine(bundle.device),
        load_before=load,
        load_after=_load(),
        measurements=tuple(rows),
    )


Key = tuple[Engine, int]


def _build(kinds: Sequence[Engine], inputs: Tensor, batches: Sequence[int]) -> dict[Key, Run]:
    """Return an engine for each kind and batch size; those made for one shape are made for each."""
    runs: dict[Key, Run] = {}
    for kind in kinds:
        shared = None
        for batch in batches:
            fixed = kind.name in ("compiled", "openvino", "onnxruntime")
            shared = kind.build(batch_of(inputs, batch)) if fixed or shared is None else shared
            runs[kind, batch] = shared
    return runs


def batch_of(inputs: Tensor, size: int, start: int = 0) -> Tensor:
    """Return `size` of the inputs from `start` on, beginning again where they end."""
    return inputs[[(start + i) % len(inputs) for i in range(size)]]


def _ordered(x: Tensor, kind: Engine) -> Tensor:
    return x.contiguous(
        memory_format=torch.channels_last if kind.channels_last else torch.contiguous_format
    )


def _agreements(runs: dict[Key, Run], inputs: Tensor, batch: int) -> dict[Engine, float]:
    """Return for each engine the per cent of pixels with the class that the plain network gives."""
    found: dict[Engine, float] = {}
    expected: list[Tensor] = []
    for (kind, size), run in runs.items():
        if size != batch:
            continue
        starts = range(0, len(inputs), batch)
        classes = [classes_of(run(_ordered(batch_of(inputs, batch, i), kind))) for i in starts]
        expected = expected or classes
        same = [(a == b).float().mean().item() for a, b in zip(classes, expected, strict=True)]
        found[kind] = 100 * sum(same) / len(same)
    return found


def classes_of(logits: Tensor) -> Tensor:
    """Return the class of each pixel; of a single class, whether it is there."""
    return (logits[:, 0] > 0) if logits.shape[1] == 1 else logits.argmax(1)


def _time(
    runs: dict[Key, Run], inputs: Tensor, rounds: int, device: torch.device, report: Report
) -> dict[Key, list[float]]:
    """Return the seconds of each engine and batch size, one for each round; they take turns."""
    seconds: dict[Key, list[float]] = {key: [] for key in runs}
    for turn in range(rounds + 1):  # the first one warms up
        report(0.1 + 0.85 * turn / (rounds + 1), f"round {turn} of {rounds}")
        for (kind, batch), run in runs.items():
            x = _ordered(batch_of(inputs, batch), kind)
            _wait(device)
            start = time.perf_counter()
            run(x)
            _wait(device)
            if turn:
                seconds[kind, batch].append(time.perf_counter() - start)
    return seconds


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _memory(
    key: Key, run: Run, inputs: Tensor, device: torch.device
) -> tuple[int, int] | tuple[None, None]:
    kind, batch = key
    x = _ordered(batch_of(inputs, batch), kind)
    return peak_memory(lambda: run(x), device) or (None, None)


def _measurement(
    key: Key,
    seconds: dict[Key, list[float]],
    agreement: dict[Engine, float],
    *,
    memory: tuple[int | None, int | None],
) -> Measurement:
    kind, batch = key
    plain = next(each for each in seconds if each[1] == batch)
    return Measurement(
        engine=kind.name,
        precision=kind.precision,
        channels_last=kind.channels_last,
        batch=batch,
        tiles_per_s=batch / median(seconds[key]),
        speed_up=median(a / b for a, b in zip(seconds[plain], seconds[key], strict=True)),
        agreement=agreement[kind],
        peak_memory=memory[0],
        working_memory=memory[1],
    )


def machine(device: torch.device) -> dict[str, Any]:
    """Return what a figure must be read with: processor, threads, device, versions."""
    capabilities = getattr(torch.cpu, "get_capabilities", dict)()
    known = {name: _version(name) for name in PACKAGES}
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "bfloat16": bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16")),
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else str(device),
        "system": platform.platform(),
        "python": platform.python_version(),
        **{name: number for name, number in known.items() if number},
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:  # not Linux
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _load() -> tuple[float, ...] | None:
    return os.getloadavg() if hasattr(os, "getloadavg") else None
