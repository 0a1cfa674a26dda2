"""A file handle that is opened anew after it failed, with a pause that grows."""

import time
from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

from segcore.errors import SlideError

Handle = TypeVar("Handle")

_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 2.0


class Unusable(Exception):  # noqa: N818 - a reason, turned into a SlideError here
    """Raised by an opener that finds something else than what was there at first."""


class Reopening(Generic[Handle]):
    """The handle of one slide file, for any number of threads.

    A handle that failed may fail for ever, even when the file comes back: the next read opens a new
    one. Where that fails too, later reads are refused at once for 0.1 s, then for a pause that doubles
    up to 2 s, so that one damaged tile does not hide its neighbours and a lost drive costs no time.
    """

    def __init__(
        self,
        name: str,
        opener: Callable[[], Handle],
        failures: tuple[type[Exception], ...] = (OSError,),
    ) -> None:
        """Open at once; what `opener` raises then is raised here."""
        self._name, self._opener, self._openings_fail_with = name, opener, (*failures, Unusable)
        self._lock = Lock()
        self._closed = False
        self._failures, self._retry_at, self._reason = 0, 0.0, ""
        self._handle: Handle | None = opener()

    def get(self) -> Handle:
        """Return the handle, opened anew where it failed; raises SlideError while that is not possible."""
        handle = self._handle
        if handle is not None:
            return handle
        with self._lock:
            if self._closed:
                raise SlideError(f"{self._name} is closed; open it again.")
            if self._handle is None:
                self._handle = self._reopened()
            return self._handle

    def _reopened(self) -> Handle:
        if time.monotonic() < self._retry_at:
            raise self.error()
        try:
            return self._opener()
        except self._openings_fail_with as error:
            self._wait_longer(str(error))
            raise self.error() from error

    def failed(self, handle: Handle, reason: str) -> SlideError:
        """Take note that a read from `handle` failed; return the error to raise."""
        with self._lock:
            if self._handle is handle:
                # Not closed here: another thread may be inside it. It goes with its last reader.
                self._handle = None
                self._wait_longer(reason)
            return self.error()

    def succeeded(self) -> None:
        if self._failures:
            with self._lock:
                self._failures = 0

    def _wait_longer(self, reason: str) -> None:
        self._reason = reason
        pause = (
            min(_FIRST_PAUSE * 2 ** (self._failures - 1), _LONGEST_PAUSE) if self._failures else 0
        )
        self._retry_at = time.monotonic() + pause
        self._failures = min(self._failures + 1, 10)

    def error(self) -> SlideError:
        return SlideError(
            f"{self._name} cannot be read: {self._reason or 'the file failed'}; "
            "check that it is still in its place and undamaged."
        )

    def close(self) -> None:
        with self._lock:
            self._closed = True
            self._handle = None
