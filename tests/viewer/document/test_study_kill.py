"""Killed at any moment, a study holds every acknowledged edit (reliability figure R1)."""

import importlib.util
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from viewer.document import Document, Study

SCRIPT = Path(__file__).with_name("editing_session.py")
_spec = importlib.util.spec_from_file_location("editing_session", SCRIPT)
session = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(session)


def killed_session(place: Path, seed: int, after_s: float) -> int:
    """Let a session run for a while, kill it, and return how many steps it acknowledged."""
    child = subprocess.Popen(
        [sys.executable, SCRIPT, place, str(seed)], stdout=subprocess.PIPE, text=True
    )
    with child:
        assert child.stdout.readline() == "ready\n"
        time.sleep(after_s)  # the moment of the kill is the point of the test
        child.kill()
        return child.stdout.read().count("done\n")


def survive(place: Path, kills: int, longest_s: float) -> int:
    with Study.open(place, create=True) as study:
        study.add_slide(place, "f", 1, 1, None)
    mirror, acknowledged = Document(), 0
    chance = random.Random(1)  # noqa: S311 (a test's dice)
    for seed in range(kills):
        n = killed_session(place, seed, chance.uniform(0, longest_s))
        acknowledged += n
        expected = session.steps(mirror, seed)
        for _ in range(n):
            next(expected)
        with Study.open(place) as study:
            assert not study.read_only, "the lock outlived its holder"
            found = session.digest(study.document(1))
        if found != session.digest(mirror):
            next(expected)  # the step in progress may have been written, but not acknowledged
        assert found == session.digest(mirror), f"kill {seed} after {n} steps"
    return acknowledged


def test_eight_kills_lose_no_acknowledged_edit(place):
    assert survive(place, kills=8, longest_s=0.25) > 0


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_two_hundred_kills_lose_no_acknowledged_edit(place):
    assert survive(place, kills=200, longest_s=1.0) > 1000
