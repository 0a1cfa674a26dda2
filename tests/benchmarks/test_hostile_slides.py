"""R5 of the reliability figures: damaged slides are shown or refused, and none crashes or hangs the reader."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from tests.segcore.slides.hostile_slides import Answer, generated, mutated, open_in_child, real

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(3600)]
FILES, AT_ONCE, BATCH, MOST_SECONDS = 2000, 2, 50, 10


def test_two_thousand_damaged_slides_open_or_are_refused_in_a_sentence(shared_data, tmp_path):
    bases = generated() | real(shared_data)
    names = [*bases]

    def batch(start: int) -> list[Answer]:
        paths: list[Path] = []
        for seed in range(start, min(start + BATCH, FILES)):
            name = names[seed % len(names)]
            paths.append(tmp_path / f"{seed}-{name}")
            paths[-1].write_bytes(mutated(bases[name], np.random.default_rng(seed)))
        answers = open_in_child(paths)
        for path in paths:
            path.unlink()
        print(start, Counter(kind(each) for each in answers), flush=True)
        return answers

    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = [each for part in pool.map(batch, range(0, FILES, BATCH)) for each in part]
    slowest = sorted(answers, key=lambda each: each.seconds)[-5:]
    print(f"\n{len(answers)} files: {dict(Counter(kind(each) for each in answers))}")
    print("slowest:", [(each.name, round(each.seconds, 2)) for each in slowest])
    for each in answers:
        if each.died:
            print("died:", each.name, each.sentence)
        elif each.sentence:
            assert each.name in each.sentence
            assert len(each.sentence.splitlines()) == 1, each.sentence
            assert each.sentence.endswith("."), each.sentence
    # What dies does so in the child of the preflight, with limits; the program says a sentence.
    assert sum(each.died for each in answers) == 0
    assert slowest[-1].seconds < MOST_SECONDS


def kind(answer: Answer) -> str:
    if answer.died:
        return "child died"
    return "refused" if answer.sentence else "opens"
