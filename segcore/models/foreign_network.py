"""A network of another program (TorchScript or ONNX), run in a child process with limits.

TorchScript is a program: ask the user before. ONNX is a graph of known operations, but a hostile one can
still ask for all memory there is.
"""

import struct
import subprocess
import threading
import weakref
from collections.abc import Mapping
from typing import IO, Literal

import msgspec
import numpy as np
import numpy.typing as npt
import torch

from segcore.errors import ModelError
from segcore.models.arrays import read_npy, write_npy
from segcore.models.sandbox import command, environment

Kind = Literal["torchscript", "onnx"]
SECONDS = 300
"""Wall-clock time for one batch."""
LARGEST_ANSWER = 2 << 30  # bytes


class ForeignNetwork:
    """Calls the network in the child: float32 array -> float32 array. Safe from several threads.

    `beside` are files that `content` refers to, by name.
    """

    def __init__(
        self,
        kind: Kind,
        content: bytes,
        device: torch.device,
        *,
        name: str,
        beside: Mapping[str, bytes] | None = None,
    ) -> None:
        self.name, self.device = name, device
        self._lock = threading.Lock()
        self._child = subprocess.Popen(  # noqa: S603 - our own module
            command(
                "segcore.models.foreign_network_child",
                [kind, str(device), str(torch.get_num_threads())],
            ),
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self.close = weakref.finalize(self, _end, self._child)
        self._ask(
            msgspec.msgpack.encode([content, beside or {}])
        )  # answered by nothing when it is loaded

    def __call__(self, batch: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        answer = read_npy(self._ask(write_npy(batch)), name=f"The answer of {self.name}")
        return answer.astype(np.float32)

    def _ask(self, question: bytes) -> bytes:
        """Send one message and return the answer; raises ModelError where the child fails or is slow."""
        with self._lock:
            stdin, stdout = self._child.stdin, self._child.stdout
            assert stdin is not None  # noqa: S101 - for the type checker: both are pipes
            assert stdout is not None  # noqa: S101 - likewise
            watch = threading.Timer(SECONDS, self._child.kill)
            watch.start()
            try:
                send(stdin, question)
                answer = receive(stdout, LARGEST_ANSWER)
            except (OSError, EOFError, ValueError) as error:
                self.close()
                raise ModelError(
                    f"{self.name} cannot be run: its process failed or took longer than {SECONDS} s a batch."
                ) from error
            finally:
                watch.cancel()
        if answer[:1] != b"+":
            reason = " ".join(answer[1:].decode("utf-8", "replace").split())[:300]
            raise ModelError(f"{self.name} cannot be run: {reason}")
        return answer[1:]


def _end(child: subprocess.Popen[bytes]) -> None:
    child.kill()
    child.wait()
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            try:
                pipe.close()
            except OSError:  # what was still to be sent has nobody to read it
                continue


def send(stream: IO[bytes], message: bytes) -> None:
    """Write the message's length in 8 bytes, then the message."""
    stream.write(struct.pack("<Q", len(message)))
    stream.write(message)
    stream.flush()


def receive(stream: IO[bytes], most: int) -> bytes:
    """Read one message; raises EOFError where it is cut short, ValueError where it is longer than `most`."""
    head = stream.read(8)
    if len(head) < 8:
        raise EOFError
    (length,) = struct.unpack("<Q", head)
    if length > most:
        raise ValueError(length)
    message = stream.read(length)
    if len(message) < length:
        raise EOFError
    return message
