from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import shapely

from segcore.annotations import Annotation
from viewer.document import Document, Study


def described(annotation: Annotation) -> tuple:
    """Say all there is about an annotation, such that NaN equals NaN and no bit is lost."""
    geometry = annotation.geometry
    coordinates = shapely.get_coordinates(geometry, include_z=True)
    return (
        geometry.geom_type,
        coordinates.tobytes(),
        shapely.get_num_coordinates(shapely.get_parts(geometry)).tolist(),
        *(repr(getattr(annotation, each)) for each in annotation.__slots__ if each != "geometry"),
    )


def state_of(document: Document) -> tuple:
    """Return annotations in order, mask and grid as values that compare bit for bit."""
    tiles = {key: tile.tobytes() for key, tile in document.mask.tiles.items()}
    return [described(each) for each in document.annotations.values()], tiles, document.mask.grid


@pytest.fixture
def square() -> Callable[..., Annotation]:
    def make(x: float = 0, **fields) -> Annotation:
        return Annotation(shapely.box(x, 0, x + 10, 10), **fields)

    return make


@pytest.fixture(name="state_of")
def state_of_fixture() -> Callable[[Document], tuple]:
    return state_of


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "one.acinus"


@pytest.fixture
def study(place: Path) -> Iterator[Study]:
    """A study with one slide, number 1."""
    with Study.open(place, create=True) as study:
        study.add_slide(place.with_name("slide.svs"), "7-abc", 4000, 3000, 0.25)
        yield study
