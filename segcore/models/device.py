"""Where networks run, and at which precision they run there."""

import torch

from segcore.errors import ModelError


def choose_device(name: str = "auto") -> torch.device:
    """Return the device called `name`; "auto" is CUDA, else Apple's MPS, else the CPU.

    Raises ModelError for a device that this computer does not have.
    """
    if name == "auto":
        return torch.device(_best())
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ModelError(f"There is no device {name!r}; use auto, cpu, cuda or mps.") from error
    count = {"cpu": 1, "cuda": torch.cuda.device_count(), "mps": int(_has_mps())}
    if (device.index or 0) >= count.get(device.type, 0):
        raise ModelError(f"The device {name!r} is not in this computer; use auto or cpu.")
    return device


def _best() -> str:
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if _has_mps() else "cpu"


def _has_mps() -> bool:
    return torch.backends.mps.is_available()


def fast_precision(device: torch.device) -> torch.dtype:
    """Return the fastest float type of `device` that does not lose the answer."""
    if device.type in ("cuda", "mps"):
        return torch.float16  # as fast as bfloat16 there, and eight times as fine
    return torch.bfloat16 if _cpu_multiplies_bfloat16() else torch.float32


def _cpu_multiplies_bfloat16() -> bool:
    """Tell whether the CPU has bfloat16 instructions; emulated ones are slower than float32."""
    capabilities = getattr(torch.cpu, "get_capabilities", dict)()  # absent in older torch
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))
