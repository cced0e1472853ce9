"""One trainer, one process or many: what `accelerate launch` starts, and what a single one has to do."""

from __future__ import annotations

import ctypes
import os
import sys

import torch
import torch.distributed as distributed
from torch import Tensor


class Processes:
    """The processes that train together; alone, every method does nothing.

    count: how many. rank: which one this is; number 0 writes files.
    """

    def __init__(self) -> None:
        self.count, self.rank = 1, 0
        if int(os.environ.get("WORLD_SIZE", "1")) > 1:  # set by accelerate launch and torchrun
            from accelerate import PartialState

            state = PartialState(cpu=not torch.cuda.is_available())
            self.count, self.rank = state.num_processes, state.process_index

    def average_gradients(self, parameters: list[Tensor]) -> None:
        """Give every process the mean of all processes' gradients."""
        if self.count > 1:
            for parameter in parameters:
                if parameter.grad is None:
                    parameter.grad = torch.zeros_like(parameter)
                distributed.all_reduce(parameter.grad)
                parameter.grad /= self.count

    def agreed(self, seconds: float) -> float:
        """The seconds of process 0, so that all change phases and stop at the same step."""
        if self.count == 1:
            return seconds
        place = "cuda" if distributed.get_backend() == "nccl" else "cpu"
        value = torch.tensor([seconds], dtype=torch.float64, device=place)
        distributed.broadcast(value, src=0)
        return value.item()

    def wait(self) -> None:
        """Go on when all have come this far."""
        if self.count > 1:
            distributed.barrier()


def keep_memory() -> None:
    """Ask the C library (glibc) to reuse freed memory instead of handing it back after every large tensor.

    Fresh pages are slow: without this a third of a CPU training step goes into them. Elsewhere: does nothing.
    """
    if sys.platform == "linux":
        try:
            library = ctypes.CDLL("libc.so.6")
            library.mallopt(-4, 0)  # M_MMAP_MAX: never map a tensor on its own
            library.mallopt(-1, 2**31 - 1)  # M_TRIM_THRESHOLD: give nothing back
        except (OSError, AttributeError):
            return
