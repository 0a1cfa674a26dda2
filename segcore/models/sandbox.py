"""Child processes with limits, for files that may hold more than numbers.

A child is `python -m MODULE ARGUMENT...`, a module of ours whose last lines are `sys.exit(confined(work))`.
It ends with 0, or with REFUSED and one sentence on stderr. Whatever it leaves behind is read again with
suspicion: a file that has taken over its child has gained nothing.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from segcore.errors import ModelError

REFUSED = 3
ADDRESS_BYTES = 6 << 30
CPU_SECONDS = 120
WALL_SECONDS = 180
_LONGEST_SENTENCE = 600


def command(module: str, arguments: Sequence[str]) -> list[str]:
    """Return the command line of a child; -P keeps modules that lie in its working folder out."""
    return [sys.executable, "-P", "-m", module, *arguments]


def environment() -> dict[str, str]:
    """Return a child's environment: one thread, since each reserves address space, of which it has little."""
    return os.environ | {
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHONIOENCODING": "utf-8",
        "PYTHONWARNINGS": "ignore",
    }


def run_child(module: str, arguments: Sequence[str], *, file: Path, folder: Path) -> None:
    """Run a child about `file`, in `folder`; raises ModelError where it refuses, dies or takes too long."""
    try:
        child = subprocess.run(  # noqa: S603 - our own module, every argument is one argument
            command(module, arguments),
            cwd=folder,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=WALL_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ModelError(
            f"{file.name} cannot be read: it takes longer than {WALL_SECONDS} s."
        ) from error
    if child.returncode:
        raise ModelError(complaint(child.returncode, child.stderr, file))


def complaint(code: int, said: bytes, file: Path) -> str:
    """Return the sentence of a child that ended with `code`."""
    if code == REFUSED:
        return " ".join(said.decode("utf-8", "replace").split())[-_LONGEST_SENTENCE:]
    if code == -getattr(signal, "SIGXCPU", 0):
        return f"{file.name} cannot be read: it takes longer than {CPU_SECONDS} s."
    return f"{file.name} cannot be read: it makes its reader fail; get it again from its source."


def confined(
    work: Callable[[], None], *, memory: bool = True, seconds: int | None = CPU_SECONDS
) -> int:
    """Run `work` under limits in this process, which is a child; return its exit code.

    `memory` limits the address space, which drivers of GPUs need without measure.
    """
    _limit_resources(ADDRESS_BYTES if memory else None, seconds)
    try:
        work()
    except ModelError as error:
        sys.stderr.write(f"{error}\n")
        return REFUSED
    except MemoryError:
        sys.stderr.write(f"The file needs more than {ADDRESS_BYTES >> 30} GB of memory.\n")
        return REFUSED
    return 0


def _limit_resources(memory: int | None, seconds: int | None) -> None:
    try:
        import resource  # noqa: PLC0415 - absent on Windows, where the child runs without limits
    except ImportError:
        return
    wanted = {
        resource.RLIMIT_AS: memory,
        resource.RLIMIT_CPU: seconds,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: ADDRESS_BYTES,
    }
    for kind, most in wanted.items():
        hard = resource.getrlimit(kind)[1]
        if most is None:
            continue
        allowed = most if hard == resource.RLIM_INFINITY else min(most, hard)
        try:
            resource.setrlimit(kind, (allowed, hard))
        except (OSError, ValueError):  # macOS knows RLIMIT_AS but does not let it be set
            continue
