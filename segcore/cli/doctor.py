"""`segcore doctor`: whether this computer can do the work, found out by doing a little of it."""

import argparse
import os
import platform
import shutil
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from segcore.cli.console import Console
from segcore.config import resources, user_data
from segcore.errors import AcinusError, ModelError
from segcore.progress import Report, silent

_LEAST_DISK = 1 << 30
_LEAST_AGREEMENT = 0.99

Check = Callable[[], str]


def add_parser(commands: Any) -> None:
    parser: argparse.ArgumentParser = commands.add_parser(
        "doctor", help="check this computer", description=__doc__
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, console: Console) -> int:  # noqa: ARG001 - every command has both
    rows = diagnose()
    healthy = all(row["ok"] for row in rows)
    lines = [f"{'ok  ' if row['ok'] else 'FAIL'}  {row['name']:12} {row['detail']}" for row in rows]
    console.result({"ok": healthy, "checks": rows}, lines)
    return 0 if healthy else 1


def diagnose(report: Report = silent) -> list[dict[str, Any]]:
    """Do each check; return its name, whether it is ok, and in detail what was found."""
    checks: dict[str, Check] = {
        "python": _python,
        "packages": _packages,
        "slides": _slides,
        "memory": _memory,
        "disk": _disk,
        "folders": _folders,
        "refinement": _refinement,
        **{f"device {name}": _tile_on(name) for name in _devices()},
    }
    rows = []
    for name, check in checks.items():
        report(len(rows) / len(checks), f"checking: {name}")
        rows.append(_checked(name, check))
    return rows


def _checked(name: str, check: Check) -> dict[str, Any]:
    try:
        return {"name": name, "ok": True, "detail": check()}
    except AcinusError as error:
        return {"name": name, "ok": False, "detail": str(error)}
    except Exception as error:  # noqa: BLE001 - whatever is broken here is the finding
        return {"name": name, "ok": False, "detail": f"{type(error).__name__}: {error}"}


def _python() -> str:
    return f"{platform.python_version()} on {platform.platform()}"


def _packages() -> str:
    names = (
        "acinus",
        "torch",
        "numpy",
        "scipy",
        "numba",
        "shapely",
        "pillow",
        "tifffile",
        "openslide-python",
    )
    return ", ".join(f"{name} {version(name)}" for name in names)


def _slides() -> str:
    """Write a small pyramid, check it in a child process as every new slide is, and read it."""
    import numpy as np
    import openslide
    import tifffile

    from segcore.slides import open_slide
    from segcore.slides.preflight import check_slide

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "probe.tif"
        pixels = np.random.default_rng(0).integers(0, 255, (256, 256, 3), np.uint8)
        tifffile.imwrite(file, pixels, photometric="rgb", tile=(128, 128), compression="zlib")
        check_slide(file)
        with open_slide(file) as slide:
            if not np.array_equal(slide.read(0, 0, 0, 256, 256), pixels):
                raise RuntimeError("a slide was not read as it was written")
    return f"OpenSlide {openslide.__library_version__} reads"


def _memory() -> str:
    total, free = _memory_bytes()
    if total is None:
        return "not known on this system"
    return (
        f"{total / 2**30:.1f} GB, {free / 2**30:.1f} GB free" if free else f"{total / 2**30:.1f} GB"
    )


def _memory_bytes() -> tuple[int | None, int | None]:
    """Return total and free memory, None where the system does not tell."""
    try:
        page = os.sysconf("SC_PAGE_SIZE")
        total = os.sysconf("SC_PHYS_PAGES") * page
    except (AttributeError, ValueError, OSError):  # Windows has no sysconf
        return None, None
    try:
        return total, os.sysconf("SC_AVPHYS_PAGES") * page
    except (ValueError, OSError):  # macOS
        return total, None


def _disk() -> str:
    free = shutil.disk_usage(user_data()).free
    if free < _LEAST_DISK:
        raise RuntimeError(f"only {free / 2**20:.0f} MB are free for {user_data()}")
    return f"{free / 2**30:.1f} GB free for {user_data()}"


def _folders() -> str:
    for folder in (user_data(), Path(tempfile.gettempdir())):
        with tempfile.TemporaryFile(dir=folder):
            pass
    if not (resources() / "taxonomies").is_dir():
        raise RuntimeError(f"the program's own files are not in {resources()}")
    return f"{user_data()} and {tempfile.gettempdir()} can be written"


def _devices() -> list[str]:
    import torch

    cuda = [f"cuda:{index}" for index in range(torch.cuda.device_count())]
    return ["cpu", *cuda, *(["mps"] if torch.backends.mps.is_available() else [])]


def _tile_on(device: str) -> Check:
    """Return a check that segments a painted piece of tissue with the default bundle on `device`."""

    def check() -> str:
        import numpy as np

        from segcore.inference.example_tiles import painted_tiles
        from segcore.models import find_bundle, load_bundle

        try:
            folder = find_bundle("default")
        except ModelError:
            return f"{_device_name(device)}; no default bundle to try it with"
        bundle = load_bundle(folder, device)
        tiles = painted_tiles(1, tile=bundle.tile)
        bundle.predict(tiles)  # the first run compiles and copies
        start = time.perf_counter()
        found = bundle.predict(tiles)
        seconds = time.perf_counter() - start
        if not np.isfinite(found).all():
            raise RuntimeError("the network gives values that are no numbers")
        if device != "cpu":
            _compare(found, load_bundle(folder, "cpu").predict(tiles))
        return f"{_device_name(device)}: a tile of {bundle.tile} x {bundle.tile} in {seconds * 1000:.0f} ms"

    return check


def _compare(found: Any, expected: Any) -> None:
    """Raise where a device gives classes (1, C, H, W) that the processor does not."""
    same = (found.argmax(1) == expected.argmax(1)).mean()
    if same < _LEAST_AGREEMENT:
        raise RuntimeError(
            f"only {same:.1%} of the pixels get the class that the processor gives; use device cpu"
        )


def _refinement() -> str:
    """Compile the label propagation, and spread one label over an even picture."""
    import numpy as np

    from segcore.refinement import propagate_labels

    labels = np.full((2, 64, 64), 0.5, np.float32)
    labels[:, 32, 32] = 1, 0
    start = time.perf_counter()
    found = propagate_labels(labels, np.full((64, 64, 3), 128, np.uint8), device="cpu")
    seconds = time.perf_counter() - start
    if not found[0, 32, 30] > found[1, 32, 30]:
        raise RuntimeError("label propagation does not spread labels")
    return f"labels spread, {seconds * 1000:.0f} ms with what had to be compiled"


def _device_name(device: str) -> str:
    import torch

    return (
        torch.cuda.get_device_name(device)
        if device.startswith("cuda")
        else platform.processor() or device
    )
