"""How much memory a piece of work takes at its height."""

import ctypes
import gc
from collections.abc import Callable
from pathlib import Path

import torch

PROCESS = Path("/proc/self")


def peak_memory(work: Callable[[], object], device: torch.device) -> tuple[int, int] | None:
    """Return the highest memory while `work` runs, and how much of it was not there before, in bytes.

    On CUDA that of the device, on Linux the resident memory of the process; None where nobody tells.
    """
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        work()
        highest = torch.cuda.max_memory_allocated(device)
        return highest, highest - before
    if device.type != "cpu" or not _forget_peak():
        return None
    before = _resident("VmRSS")
    work()
    highest = _resident("VmHWM")
    return highest, max(0, highest - before)


def _forget_peak() -> bool:
    """Give freed memory back and begin a new peak; False where the system has no such thing."""
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (AttributeError, OSError, TypeError):  # no glibc: freed pages count as before
        return False
    try:
        (PROCESS / "clear_refs").write_text("5")
    except OSError:
        return False
    return True


def _resident(field: str) -> int:
    for line in (PROCESS / "status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"/proc/self/status has no {field}")
