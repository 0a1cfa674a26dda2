"""What is no sound study is refused in one sentence and stays as it is."""

import random
import sqlite3
import zlib
from pathlib import Path

import numpy as np
import pytest

from segcore.errors import StudyError
from viewer.document import MaskGrid, Study, edits


@pytest.fixture
def sound(study, place, square) -> bytes:
    """The bytes of a study with annotations and a mask."""
    document = study.document(1)
    for x in range(30):
        document.apply(edits.add([square(x, name="n" * 200)]))
    noise = np.random.default_rng(0).integers(0, 5, (300, 300), np.uint8)
    document.apply(edits.paint(document.mask, noise, 0, 0, grid=MaskGrid(2, 0.5)))
    study.close()
    return place.read_bytes()


def refuses(place: Path, content: bytes, match: str) -> None:
    place.write_bytes(content)
    with pytest.raises(StudyError, match=match) as caught:
        Study.open(place, create=True)
    assert place.read_bytes() == content
    assert [each.name for each in place.parent.glob("one*")] == [place.name]
    assert str(caught.value).count("\n") == 0


@pytest.mark.parametrize("content", [b"", b"SQLite format 3\0", b"{}", bytes(5000)])
def test_what_is_no_study_is_refused(place, content):
    refuses(place, content, "is not an Acinus study")


def test_another_programs_database_is_refused(place):
    with sqlite3.connect(place) as other:
        other.execute("CREATE TABLE t (x)")
    other.close()

    refuses(place, place.read_bytes(), "is not an Acinus study")


def test_a_truncated_study_is_refused_wherever_it_ends(sound, place):
    for part in (0.99, 0.9, 0.5, 0.2):
        refuses(place, sound[: int(len(sound) * part)], "damaged")
    refuses(place, sound[:4096], "damaged")
    refuses(place, sound[:-1], "damaged")


def test_a_newer_study_is_refused(sound, place):
    newer = sound[:60] + (99).to_bytes(4, "big") + sound[64:]

    refuses(place, newer, "newer Acinus .format 99.*update")


@pytest.mark.usefixtures("sound")
def test_a_study_that_lacks_a_table_is_refused(place):
    with sqlite3.connect(place) as connection:
        connection.execute("DROP TABLE journal")
    connection.close()

    refuses(place, place.read_bytes(), "damaged")


@pytest.mark.usefixtures("sound")
def test_a_study_with_code_in_it_is_refused(place):
    with sqlite3.connect(place) as connection:
        connection.execute("CREATE TRIGGER t AFTER DELETE ON runs BEGIN DELETE FROM journal; END")
    connection.close()

    refuses(place, place.read_bytes(), "damaged")


def test_a_missing_study_is_not_made_unless_asked_for(place):
    with pytest.raises(StudyError, match="no study"):
        Study.open(place)

    assert not place.exists()


def test_a_folder_is_no_study(tmp_path):
    with pytest.raises(StudyError, match="cannot be read"):
        Study.open(tmp_path)


def test_flipped_bytes_give_a_study_or_a_sentence(sound, place):
    chance = random.Random(5)  # noqa: S311 (a test's dice)
    refused = 0
    for _ in range(150):
        content = bytearray(sound)
        for _ in range(chance.choice([1, 5, 50])):
            content[chance.randrange(len(content))] = chance.randrange(256)
        place.write_bytes(content)
        try:
            with Study.open(place) as study:
                document = study.document(1)
                document.go_to(0)
        except StudyError:
            refused += 1
        for sidecar in place.parent.glob("one.acinus-*"):
            sidecar.unlink()
    assert 0 < refused <= 150


@pytest.mark.usefixtures("sound")
def test_a_blob_that_unpacks_to_more_than_a_tile_is_refused_unread(place):
    bomb = zlib.compress(bytes(50_000_000))
    with sqlite3.connect(place) as connection:
        connection.execute("UPDATE mask_tiles SET data = ?", (bomb,))
    connection.close()

    with Study.open(place) as study, pytest.raises(StudyError, match="damaged"):
        study.document(1)
