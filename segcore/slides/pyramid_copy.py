"""Pyramids of pictures too large to be held in memory, made once and kept in the user's cache folder."""

import hashlib
import os
import queue
import shutil
import subprocess
import sys
import threading
import time
from contextlib import nullcontext
from pathlib import Path
from typing import IO

from segcore.config import user_cache
from segcore.errors import SlideError
from segcore.progress import Report
from segcore.slides.fingerprint import fingerprint
from segcore.slides.preflight import REFUSED
from segcore.slides.pyramid_writing import scratch_of

BUDGET = 32 << 30
"""Bytes of all pyramids together; those not used for longest give way."""
_FORMAT = 1
_BYTES_PER_PIXEL = 4  # 3 channels and a third for the coarser levels, were nothing compressed
_SILENCE_SECONDS = 300


def pyramid_of(path: Path, pixels: int, report: Report) -> Path:
    """Return the pyramid of the picture `path` of so many `pixels`, made in a child process if absent.

    Raises SlideError where that fails, and whatever `report` raises: then nothing is left behind.
    """
    folder = user_cache() / "pyramids"
    folder.mkdir(exist_ok=True)
    file = folder / f"{_key(path)}.tif"
    if not file.exists():
        _check_space(path, folder, pixels * _BYTES_PER_PIXEL)
        part = folder / f".{file.stem}-{os.getpid()}.part"
        try:
            _write(path, part, report)
            part.replace(file)
        finally:
            part.unlink(missing_ok=True)
    os.utime(file)
    _tidy(folder, keep=file)
    return file


def _key(path: Path) -> str:
    # A change inside keeps the ends of the file, of which the fingerprint is made, but not the time.
    what = f"{fingerprint(path)} {path.stat().st_mtime_ns} {_FORMAT}"
    return hashlib.sha256(what.encode()).hexdigest()[:32]


def _check_space(path: Path, folder: Path, needed: int) -> None:
    free = min(shutil.disk_usage(folder).free, BUDGET)
    if needed > free:
        raise SlideError(
            f"{path.name} cannot be opened: as a pyramid it may take {needed / 2**30:.0f} GB in {folder}, "
            f"where it may have {free / 2**30:.0f}; convert it to a tiled pyramidal TIFF."
        )


def _write(path: Path, part: Path, report: Report) -> None:
    command = [sys.executable, "-m", "segcore.slides.pyramid_writing", str(path), str(part)]
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "PYTHONIOENCODING": "utf-8"}
    child = subprocess.Popen(  # noqa: S603 - our own module, the paths are arguments
        command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
    )
    lines: queue.Queue[str | None] = queue.Queue()
    listener = threading.Thread(target=_listen, args=(child.stdout, lines), daemon=True)
    listener.start()
    try:
        last = _follow(child, lines, report)
    finally:
        child.kill()  # of a child that has ended nothing comes
        code = child.wait()
        listener.join()
        shutil.rmtree(scratch_of(part), ignore_errors=True)
    if code == REFUSED:
        raise SlideError(last)
    if code:
        raise SlideError(
            f"{path.name} cannot be opened: it is damaged and makes the reader fail; copy or export it again."
        )


def _follow(
    child: "subprocess.Popen[bytes]", lines: "queue.Queue[str | None]", report: Report
) -> str:
    """Report until the child has ended; return the last line that it has said."""
    fraction, last, heard = 0.0, "", time.monotonic()
    while True:
        try:
            line = lines.get(timeout=0.1)  # so often we ask whether to go on
        except queue.Empty:
            if time.monotonic() - heard > _SILENCE_SECONDS:
                child.kill()
        else:
            if line is None:
                child.wait()
                return last
            heard, last = time.monotonic(), line
            fraction = _number(line, fraction)
        report(fraction, "making a pyramid of the picture")


def _listen(stream: IO[bytes] | None, lines: "queue.Queue[str | None]") -> None:
    with stream or nullcontext(()) as incoming:
        for line in incoming:
            lines.put(line.decode("utf-8", "replace").strip())
    lines.put(None)


def _number(line: str, otherwise: float) -> float:
    try:
        return float(line)
    except ValueError:
        return otherwise


def _tidy(folder: Path, *, keep: Path) -> None:
    """Remove the pyramids used longest ago until the rest is within `BUDGET`, and what a kill left."""
    for left in folder.glob(".*"):
        if time.time() - left.stat().st_mtime > 24 * 3600:
            left.unlink(missing_ok=True) if left.is_file() else shutil.rmtree(
                left, ignore_errors=True
            )
    files = sorted(folder.glob("*.tif"), key=lambda each: each.stat().st_mtime, reverse=True)
    total = 0
    for file in [keep, *(each for each in files if each != keep)]:
        total += file.stat().st_size
        if total > BUDGET and file != keep:
            file.unlink(missing_ok=True)
