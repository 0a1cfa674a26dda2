"""R7 of the reliability figures: 2000 damaged weights files; none crashes, hangs or takes memory."""

import resource
import time

import numpy as np
import pytest

from segcore.errors import ModelError
from segcore.models import load_bundle, registry
from tests.segcore.hostile import NETWORK, TwoConvolutions, good_weights, mutated, write_bundle

pytestmark = pytest.mark.benchmark
FILES = 2000


def test_two_thousand_damaged_weights_load_or_are_refused_in_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setitem(registry._MAKERS, NETWORK, TwoConvolutions)
    good, random = good_weights(), np.random.default_rng(0)
    loaded, slowest = 0, 0.0
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(FILES):
        write_bundle(tmp_path / "bundle", mutated(good, random))
        start = time.perf_counter()
        try:
            load_bundle(tmp_path / "bundle", device="cpu")
            loaded += 1
        except ModelError as error:
            assert len(str(error).splitlines()) == 1  # noqa: PT017 - either outcome is right
        slowest = max(slowest, time.perf_counter() - start)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(
        f"{FILES} files: {loaded} load, {FILES - loaded} refused, slowest {slowest:.3f} s, +{grown:.0f} MB"
    )

    assert grown < 200
    assert slowest < 5
