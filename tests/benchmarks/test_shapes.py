"""How much processor time verbs on many shapes take; figures are printed with `-s`."""

import time
from collections.abc import Callable

import numpy as np
import pytest
import shapely
from scipy.ndimage import gaussian_filter

from segcore.annotations import Annotation, LabelMap, load_taxonomy
from segcore.annotations.hierarchy import parents
from segcore.annotations.measurement_table import write_csv
from segcore.annotations.measuring import measure_all
from segcore.annotations.polygons import polygons_from_labels
from viewer.document import Document, edits, shaping

pytestmark = pytest.mark.benchmark


def seconds(what: str, run: Callable[[], object], times: int = 3) -> float:
    took = []
    for _ in range(times):
        start = time.process_time()
        run()
        took.append(time.process_time() - start)
    print(f"\n{what}: {min(took):.3f} s (worst of {times} {max(took):.2f} s)")
    return min(took)


@pytest.fixture(scope="module")
def neighbours() -> list[Annotation]:
    """About 1000 areas of a mask that share all their borders, some 70 vertices each."""
    rng = np.random.default_rng(0)
    fields = [gaussian_filter(rng.standard_normal((620, 620)), 6) for _ in range(4)]
    labels = LabelMap((np.argmax(fields, 0) + 1).astype(np.uint8), 0, 0, 4.0, 1.0)
    found = [Annotation(area) for _, area in polygons_from_labels(labels)]
    vertices = sum(shapely.get_num_coordinates(each.geometry) for each in found)
    print(f"\n{len(found)} neighbours of {vertices} vertices")
    return found


@pytest.fixture(scope="module")
def tissue() -> list[Annotation]:
    """100 000 annotations: nuclei, in some of 990 nests that overlap, in 10 regions."""
    rng = np.random.default_rng(0)
    turns = np.linspace(0, 2 * np.pi, 20, endpoint=False)
    outline = np.stack([np.cos(turns), np.sin(turns)], 1) * 8
    nuclei = shapely.polygons(outline + rng.uniform(0, 60_000, (99_000, 1, 2)))
    nests = shapely.buffer(shapely.points(rng.uniform(0, 60_000, (990, 2))), 700, quad_segs=100)
    regions = [shapely.box(6000 * k, 0, 6000 * (k + 1), 60_000) for k in range(10)]
    return [Annotation(each) for each in (*nuclei, *nests, *regions)]


def test_merging_1000_neighbours_takes_at_most_a_second(neighbours):
    assert seconds("merge", lambda: shaping.merge(neighbours)) < 1


def test_simplifying_1000_neighbours_takes_at_most_a_second(neighbours):
    assert seconds("simplify", lambda: shaping.simplify(neighbours, 8.0)) < 1


def test_smoothing_1000_neighbours_takes_at_most_two_seconds(neighbours):
    assert seconds("smooth", lambda: shaping.smooth(neighbours, 4.0)) < 2


def test_neighbours_that_were_drawn_along_one_another_take_little_longer(neighbours):
    rough = [each.with_(geometry=shapely.segmentize(each.geometry, 3.7)) for each in neighbours]

    assert seconds("simplify, borders to match", lambda: shaping.simplify(rough, 8.0)) < 5


def test_the_parents_of_100_000_are_found_in_about_a_second(tissue):
    assert seconds("hierarchy of 100 000", lambda: parents(tissue)) < 1.5


def test_100_000_are_measured_in_half_a_second(tissue):
    shapes = [each.geometry for each in tissue]

    assert seconds("measure 100 000", lambda: measure_all(shapes, 0.25)) < 0.5


def test_the_table_of_100_000_is_written_in_half_a_minute(tissue, tmp_path):
    labels = LabelMap(np.full((3750, 3750), 1, np.uint8), 0, 0, 16.0, 4.0)

    def write() -> None:
        write_csv(
            tmp_path / "t.csv",
            tissue,
            image="s",
            mpp=0.25,
            masks=[labels],
            taxonomy=load_taxonomy(),
        )

    assert seconds("table of 100 000 with mask areas", write, times=1) < 30


def test_one_verb_among_100_000_takes_at_most_5_ms(tissue):
    document = Document()
    document.apply(edits.add(tissue))
    x, y = tissue[0].geometry.centroid.coords[0]
    pair = [each for each in document.spatial.at(x, y, 200) if each.geometry.area < 300][:2]

    def merge_and_undo() -> None:
        document.apply(shaping.merge(pair))
        document.undo()

    assert seconds("merge of two among 100 000, and undo", merge_and_undo) < 0.005
