import os
from pathlib import Path

import pytest

from segcore.errors import SlideError
from segcore.slides import fingerprint


def test_a_moved_and_touched_file_keeps_its_fingerprint(tmp_path: Path) -> None:
    first = tmp_path / "a.svs"
    first.write_bytes(os.urandom(300_000))
    before = fingerprint(first)
    second = first.rename(tmp_path / "b.svs")
    os.utime(second, (0, 0))
    assert fingerprint(second) == before


@pytest.mark.parametrize("place", [0, 65_535, 300_000 - 65_536, 299_999])
def test_a_change_at_either_end_is_seen(tmp_path: Path, place: int) -> None:
    data = bytearray(300_000)
    (tmp_path / "a").write_bytes(data)
    data[place] = 1
    (tmp_path / "b").write_bytes(data)
    assert fingerprint(tmp_path / "a") != fingerprint(tmp_path / "b")


def test_files_of_different_length_differ(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(bytes(300_000))
    (tmp_path / "b").write_bytes(bytes(300_001))
    assert fingerprint(tmp_path / "a") != fingerprint(tmp_path / "b")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SlideError, match=r"gone\.svs cannot be read"):
        fingerprint(tmp_path / "gone.svs")
