"""Sixty damaged files, made from their seeds; two thousand more are in tests/benchmarks."""

from pathlib import Path

import numpy as np
import pytest

from segcore.slides import open_slide
from tests.segcore.slides.hostile_slides import Answer, generated, mutated, open_in_child

FILES = 60


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> list[Answer]:
    folder, bases = tmp_path_factory.mktemp("hostile"), generated()
    paths = []
    for seed in range(FILES):
        name = [*bases][seed % len(bases)]
        paths.append(folder / f"{seed}-{name}")
        paths[-1].write_bytes(mutated(bases[name], np.random.default_rng(seed)))
    return open_in_child(paths)


def test_no_damaged_slide_crashes_or_hangs_the_reader(answers: list[Answer]) -> None:
    assert len(answers) == FILES
    assert not [each for each in answers if each.died or each.seconds > 10]


def test_every_refusal_is_one_sentence_that_names_the_file(answers: list[Answer]) -> None:
    refused = [each for each in answers if each.sentence]
    assert 10 < len(refused) < FILES, "the mutations neither spare nor break everything"
    for each in refused:
        assert each.name in each.sentence
        assert len(each.sentence.splitlines()) == 1
        assert each.sentence.endswith(".")


def test_undamaged_files_open(tmp_path: Path) -> None:
    for name, content in generated().items():
        (tmp_path / name).write_bytes(content)
        with open_slide(tmp_path / name) as slide:
            assert slide.dimensions == (640, 480), name
