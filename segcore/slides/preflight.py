"""Opens an unknown slide first in a child process with limits, because a malformed one can abort it.

`python -m segcore.slides.preflight PATH` is the child: exit code 0 when every level could be read,
3 with one sentence on stdout when not.
"""

import math
import os
import signal
import subprocess
import sys
from pathlib import Path

from segcore.errors import SlideError
from segcore.slides.base import Slide
from segcore.slides.opening import find_reader

WALL_SECONDS = 10
CPU_SECONDS = 10
ADDRESS_BYTES = 4 << 30
REFUSED = 3
_MOST_PIXELS, _MOST_LEVELS, _TILE = 2**38, 32, 256

_known: dict[tuple[str, int, int], str] = {}
"""The sentence for each file that was checked, empty where it is good."""


def check_slide(path: str | Path) -> None:
    """Read a tile of every level in a child process; raises SlideError where that fails, dies or hangs.

    Of a picture that must first be copied as a pyramid only the header is read: the copy is made in a
    child process as well.

    A file that was checked before and has the same size and time is not read again.
    """
    path = Path(path)
    try:
        stat = path.stat()
    except (OSError, ValueError) as error:
        raise SlideError(f"There is no file {path}; check the name.") from error
    key = (str(path.resolve()), stat.st_size, stat.st_mtime_ns)
    if key not in _known:
        _known[key] = _complaint_of_child(path)
    if _known[key]:
        raise SlideError(_known[key])


def _complaint_of_child(path: Path) -> str:
    command = [sys.executable, "-m", "segcore.slides.preflight", str(path)]
    # Threads of BLAS reserve address space, of which the child has little.
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "PYTHONIOENCODING": "utf-8"}
    try:
        child = subprocess.run(  # noqa: S603 - our own module, the path is one argument
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=WALL_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise _too_slow(path) from error
    if child.returncode == 0:
        return ""
    if child.returncode == -getattr(signal, "SIGXCPU", 0):
        raise _too_slow(path)
    if child.returncode == REFUSED:
        return child.stdout.decode("utf-8", "replace").strip()
    return f"{path.name} cannot be opened: it is damaged and makes the reader fail; copy or export it again."


def _too_slow(path: Path) -> SlideError:
    """Return an error that is not remembered: a slow drive may be quicker next time."""
    return SlideError(
        f"{path.name} cannot be opened: it could not be read within {WALL_SECONDS} s; "
        "copy it to a local disk or convert it to a tiled pyramidal TIFF."
    )


def limit_resources(*, address_bytes: int, cpu_seconds: int | None) -> None:
    """Let this process, a child, take no more memory and time than given."""
    try:
        import resource  # noqa: PLC0415 - absent on Windows, where the child runs without limits
    except ImportError:
        return
    for kind, most in (
        (resource.RLIMIT_AS, address_bytes),
        (resource.RLIMIT_CPU, cpu_seconds or resource.RLIM_INFINITY),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(kind)[1]
        allowed = most if hard == resource.RLIM_INFINITY else min(most, hard)
        try:
            resource.setrlimit(kind, (allowed, hard))
        except (OSError, ValueError):  # macOS knows RLIMIT_AS but does not let it be set
            continue


def read_every_level(slide: Slide) -> None:
    """Read one tile from the middle of each level; raises SlideError where one fails or is absurd."""
    name = slide.path.name
    width, height = slide.dimensions
    sound = all(math.isfinite(each.downsample) and each.downsample > 0 for each in slide.levels)
    if not sound or width * height > _MOST_PIXELS or len(slide.levels) > _MOST_LEVELS:
        raise SlideError(
            f"{name} cannot be opened: its sizes make no sense; copy or export it again."
        )
    for index, level in enumerate(slide.levels):
        size = min(_TILE, level.width), min(_TILE, level.height)
        x = round((level.width - size[0]) // 2 * level.downsample)
        y = round((level.height - size[1]) // 2 * level.downsample)
        slide.read(x, y, index, *size)


def _main(path: Path) -> int:
    limit_resources(address_bytes=ADDRESS_BYTES, cpu_seconds=CPU_SECONDS)
    try:
        found = find_reader(path)
        if isinstance(found, Slide):
            read_every_level(found)
    except SlideError as error:
        sys.stdout.buffer.write(f"{error}\n".encode())
        return REFUSED
    except MemoryError:
        sys.stdout.buffer.write(
            f"{path.name} needs too much memory; convert it to a pyramidal TIFF.\n".encode()
        )
        return REFUSED
    return 0


if __name__ == "__main__":
    sys.exit(_main(Path(sys.argv[1])))
