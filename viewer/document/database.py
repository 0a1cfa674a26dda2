"""SQLite as a study needs it: opened safely, tuned to the file system, copied without a half file."""

import os
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Literal
from urllib.parse import quote

_BUSY_S = 5.0  # how long a write waits for a reader of the same file
_NETWORK = frozenset(
    "nfs nfs4 cifs smb smb2 smb3 smbfs 9p afs ceph davfs glusterfs lustre gpfs beegfs ncpfs".split()  # noqa: SIM905 (reads as the list it is)
)


def connect(
    path: Path, mode: Literal["ro", "rw", "rwc"], *, immutable: bool = False
) -> sqlite3.Connection:
    """Open a database; `immutable` promises that nobody writes it, and touches no file beside it."""
    uri = f"{_uri(path)}?mode={mode}{'&immutable=1' if immutable else ''}"
    connection = sqlite3.connect(uri, uri=True, timeout=_BUSY_S, isolation_level=None)
    # A study comes from anywhere: its schema may call no functions, and pages are checked as read.
    connection.execute("PRAGMA trusted_schema=OFF")
    connection.execute("PRAGMA cell_size_check=ON")
    return connection


def tune(connection: sqlite3.Connection, path: Path) -> None:
    """Make each commit survive a power cut: a write-ahead log where that is safe, else a journal."""
    if is_local(path):
        connection.execute("PRAGMA journal_mode=WAL")
    else:
        # A log needs shared memory, which a network share lacks; exclusive mode does without, so that
        # a study that was last open on a local disk can be turned round.
        connection.execute("PRAGMA locking_mode=EXCLUSIVE")
        connection.execute("PRAGMA journal_mode=DELETE")
        connection.execute("PRAGMA locking_mode=NORMAL")
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()  # gives the lock back
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Do all of it or nothing."""
    if connection.in_transaction:  # a failing disk let even the last rollback fail
        connection.execute("ROLLBACK")
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # SQLite itself may have rolled back
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
        raise


def copy_to(connection: sqlite3.Connection, target: Path) -> None:
    """Write a compact copy; `target` is whole and new afterwards, or what it was before.

    Raises sqlite3.Error or OSError.
    """
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    part.unlink(missing_ok=True)
    try:
        connection.execute("VACUUM INTO ?", (os.fspath(part),))
        put_in_place(part, target)
    finally:
        part.unlink(missing_ok=True)


def put_in_place(part: Path, target: Path) -> None:
    """Make a finished file known as `target`, so that a power cut leaves the old or the new one."""
    with part.open("rb+") as file:
        os.fsync(file.fileno())
    for suffix in ("-wal", "-shm", "-journal"):  # SQLite would replay an old log into the new file
        target.with_name(target.name + suffix).unlink(missing_ok=True)
    part.replace(target)
    sync_folder(target.parent)


def sync_folder(folder: Path) -> None:
    if sys.platform == "win32":
        return  # folders cannot be opened there, and NTFS journals their entries itself
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def snapshot(path: Path) -> sqlite3.Connection:
    """Return a private copy of a database as it is now, which neither sees nor blocks its writer."""
    alone = not path.with_name(f"{path.name}-wal").exists()
    writeable = os.access(path.parent, os.W_OK)
    copy = sqlite3.connect("", isolation_level=None)  # a temporary database, gone when closed
    try:
        with closing(connect(path, "ro", immutable=alone and not writeable)) as source:
            source.backup(copy)
    except BaseException:
        copy.close()
        raise
    return copy


def is_local(path: Path) -> bool:
    """Whether a file lies on a disk of this machine; where that cannot be told, no."""
    folder = path.parent.resolve()
    if sys.platform == "win32":
        import ctypes  # noqa: PLC0415 (needed on this platform only)

        return ctypes.windll.kernel32.GetDriveTypeW(f"{folder.drive}\\") != 4  # DRIVE_REMOTE
    if sys.platform == "darwin":
        return not folder.is_relative_to("/Volumes")  # where shares are mounted, and memory sticks
    return not _is_network(_file_system(folder))


def _is_network(kind: str) -> bool:
    return kind in _NETWORK or kind.startswith("fuse.") or not kind


def _file_system(folder: Path) -> str:
    """Return the type of the file system a folder lies on, '' if unknown (Linux)."""
    kind, deepest = "", -1
    try:
        lines = Path("/proc/self/mounts").read_bytes().splitlines()
    except OSError:
        return ""
    for line in lines:
        _, point, name, *_ = line.split(b" ")
        mount = Path(os.fsdecode(point.replace(b"\\040", b" ").replace(b"\\011", b"\t")))
        if folder.is_relative_to(mount) and len(mount.parts) >= deepest:
            kind, deepest = name.decode("ascii", "replace"), len(mount.parts)
    return kind


def _uri(path: Path) -> str:
    text = path.absolute().as_posix()
    return "file://" + quote(os.fsencode(text if text.startswith("/") else f"/{text}"), safe="/:")
