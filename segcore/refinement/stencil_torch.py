"""The same stencil with torch, for CUDA devices."""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from segcore.refinement.propagation import Refinement
from segcore.refinement.stencil import Floats, half_offsets


@torch.inference_mode()
def propagate(
    Y: Floats,
    image: npt.NDArray[np.generic],
    settings: Refinement,
    rates: list[float],
    *,
    device: str,
) -> Floats:
    """Run the Chebyshev steps of `propagate_labels` on `device`."""
    offsets = [(int(dy), int(dx)) for dy, dx in half_offsets(settings.radius)]
    pixels = torch.from_numpy(np.ascontiguousarray(image)).to(device).double()
    if image.dtype == np.uint8:
        pixels = pixels / 255
    S = _similarities(pixels, offsets, settings.sigma_intensity, settings.sigma_space)
    target = torch.from_numpy(Y).to(device)
    F, before = target, target
    alpha = settings.alpha
    for rate in rates:
        F, before = (
            rate * (alpha * _apply(S, offsets, F) + (1 - alpha) * target - before) + before,
            F,
        )
    return F.cpu().numpy()


def _sides(offset: tuple[int, int], height: int, width: int) -> tuple[tuple[slice, slice], ...]:
    """Return (rows, columns) of the pixels that have a neighbour at `offset`, and of these neighbours."""
    dy, dx = offset
    here = slice(0, max(0, height - dy)), slice(max(0, -dx), max(0, min(width, width - dx)))
    there = slice(dy, max(dy, height)), slice(max(0, dx), max(0, min(width, width + dx)))
    return here, there


def _similarities(
    pixels: Tensor, offsets: list[tuple[int, int]], sigma_intensity: float, sigma_space: float
) -> list[Tensor]:
    weights = []
    degree = torch.zeros(pixels.shape[:2], dtype=torch.float64, device=pixels.device)
    for offset in offsets:
        here, there = _sides(offset, *pixels.shape[:2])
        square = (pixels[here] - pixels[there]).square().sum(-1)
        space = (offset[0] ** 2 + offset[1] ** 2) / (2 * sigma_space**2)
        weights.append((-square / (2 * sigma_intensity**2) - space).exp())
        degree[here] += weights[-1]
        degree[there] += weights[-1]
    root = torch.where(degree > 0, degree.rsqrt(), 0)
    sides = [_sides(offset, *pixels.shape[:2]) for offset in offsets]
    return [
        (w * root[here] * root[there]).float()
        for w, (here, there) in zip(weights, sides, strict=True)
    ]


def _apply(S: list[Tensor], offsets: list[tuple[int, int]], F: Tensor) -> Tensor:
    """Return S F."""
    result = torch.zeros_like(F)
    for weights, offset in zip(S, offsets, strict=True):
        (rows, columns), (other_rows, other_columns) = _sides(offset, *F.shape[1:])
        result[:, rows, columns] += weights * F[:, other_rows, other_columns]
        result[:, other_rows, other_columns] += weights * F[:, rows, columns]
    return result
