"""The processes that share a run: one, or as many as `torchrun` has started on a node."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import distributed

from segcore.models import choose_device


@dataclass(frozen=True)
class Processes:
    """This process among all that share a run."""

    rank: int = 0
    count: int = 1

    @property
    def is_first(self) -> bool:
        """Tell whether this is the process that writes files and tells progress."""
        return self.rank == 0

    def gather(self, value: Any) -> list[Any]:
        """Return the value that each process gives, in their order, to all of them."""
        if self.count == 1:
            return [value]
        values: list[Any] = [None] * self.count
        distributed.all_gather_object(values, value)
        return values

    def mean(self, value: float) -> float:
        return sum(self.gather(value)) / self.count


@contextmanager
def joined_processes(device: str = "auto") -> Iterator[tuple[Processes, torch.device]]:
    """Join the processes that `torchrun` has started, if any; give them and this one's device."""
    chosen = choose_device(device)
    if not distributed.is_torchelastic_launched():
        yield Processes(), chosen
        return
    if chosen.type == "cuda":
        chosen = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
        torch.cuda.set_device(chosen)
    distributed.init_process_group("nccl" if chosen.type == "cuda" else "gloo")
    try:
        yield Processes(distributed.get_rank(), distributed.get_world_size()), chosen
    finally:
        distributed.destroy_process_group()
