"""R7 of the reliability figures: 2000 damaged files of each kind; none crashes, hangs or takes memory."""

import io
import json
import resource
import time

import numpy as np
import pytest
import torch

from segcore.errors import ModelError
from segcore.models import load_bundle, registry
from segcore.models.bioimage_reading import load_package
from segcore.models.bundle_files import CARD
from segcore.models.package_answers import Answers
from segcore.models.unpickling import convert
from tests.segcore.hostile import (
    NETWORK,
    TwoConvolutions,
    change_somewhere,
    good_weights,
    mutated,
    mutated_card,
    write_bundle,
)
from tests.segcore.models.test_bioimage_reading import files_04, files_05

pytestmark = pytest.mark.benchmark
FILES = 2000


class Tally:
    """Counts what loads and what is refused, and the time and memory that the worst one takes."""

    def __init__(self):
        self.loaded = self.tried = 0
        self.slowest = 0.0
        self.before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    def run(self, action):
        start = time.perf_counter()
        try:
            action()
            self.loaded += 1
        except ModelError as error:
            assert len(str(error).splitlines()) == 1  # noqa: PT017 - either outcome is right
        self.tried += 1
        self.slowest = max(self.slowest, time.perf_counter() - start)

    def check(self):
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - self.before) / 1024
        refused = self.tried - self.loaded
        print(
            f"{self.loaded} load, {refused} refused, slowest {self.slowest:.3f} s, +{grown:.0f} MB"
        )
        assert grown < 200
        assert self.slowest < 5


def test_two_thousand_damaged_weights_load_or_are_refused_in_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setitem(registry._MAKERS, NETWORK, TwoConvolutions)
    good, random, tally = good_weights(), np.random.default_rng(0), Tally()
    for _ in range(FILES):
        write_bundle(tmp_path / "bundle", mutated(good, random))
        tally.run(lambda: load_bundle(tmp_path / "bundle", device="cpu"))
    tally.check()


def test_four_thousand_damaged_cards_load_or_are_refused_in_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setitem(registry._MAKERS, NETWORK, TwoConvolutions)
    write_bundle(tmp_path / "bundle", good_weights())
    file = tmp_path / "bundle" / CARD
    good, random, tally = file.read_bytes(), np.random.default_rng(0), Tally()
    for _ in range(2 * FILES):
        file.write_bytes(mutated_card(good, random))
        tally.run(lambda: load_bundle(tmp_path / "bundle", device="cpu"))
    tally.check()


def test_a_thousand_damaged_packages_load_or_are_refused_in_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr("segcore.models.bioimage_reading.ForeignNetwork", lambda *_, **__: tenfold)
    random, tally = np.random.default_rng(0), Tally()
    for number in range(FILES // 2):
        files = files_05(b"weights") if number % 2 else files_04(b"weights")
        for _ in range(random.integers(1, 4)):
            change_somewhere(files["rdf.yaml"], random)
        for name, content in files.items():
            text = json.dumps(content).encode() if isinstance(content, dict) else content
            (tmp_path / name).write_bytes(text)  # JSON is YAML
        answers = Answers(True, 0.5, () if number % 2 else ("Tumor",))
        tally.run(lambda said=answers: load_package(tmp_path, "cpu", said))
    tally.check()


def tenfold(x):
    return x * 10


@pytest.mark.filterwarnings("ignore")  # as in the child
@pytest.mark.parametrize("new", [True, False], ids=["zip", "legacy"])
def test_two_thousand_damaged_checkpoints_are_read_or_refused_in_a_sentence(
    tmp_path, monkeypatch, new
):
    monkeypatch.setitem(registry._MAKERS, NETWORK, TwoConvolutions)
    stream, random, tally = io.BytesIO(), np.random.default_rng(0), Tally()
    torch.save(TwoConvolutions(5).state_dict(), stream, _use_new_zipfile_serialization=new)
    network = {"name": NETWORK, "classes": 5, "arguments": {}}
    for _ in range(FILES):
        content = np.frombuffer(stream.getvalue(), np.uint8).copy()
        content[random.integers(len(content), size=random.integers(1, 8))] = random.integers(256)
        end = len(content) if random.random() < 0.8 else random.integers(len(content))
        (tmp_path / "w.pth").write_bytes(content[:end].tobytes())
        tally.run(lambda: convert(tmp_path / "w.pth", tmp_path / "out", network))
    tally.check()
