import gc
from weakref import ref

import numpy as np
import pytest
import shapely
from PySide6.QtGui import QColor, QImage, QPainter
from shapely.geometry import GeometryCollection, LineString, MultiPoint, MultiPolygon, Point, box

from segcore.annotations import Annotation
from viewer.document import Document, edits
from viewer.document.properties import set_properties
from viewer.rendering import annotation_layer
from viewer.rendering.annotation_layer import AnnotationLayer
from viewer.rendering.viewport import Viewport

pytestmark = pytest.mark.usefixtures("qapp")
COLOURS = {"Tumor": (213, 94, 0), "Stroma": (0, 200, 255)}
PAPER = (235, 215, 230)
VIEW = Viewport(200, 150, 1.0, 400, 300)


@pytest.fixture
def painted(monkeypatch):
    """Paint annotations, as vectors or from tiles, onto a picture of (h, w, 3)."""

    def paint(
        document,
        view=VIEW,
        *,
        tiles=True,
        ratio=1,
        selected=frozenset(),
        layer=None,
        turn=0,
        few=None,
    ):
        few = (0 if tiles else 10**9) if few is None else few
        monkeypatch.setattr(annotation_layer, "FEW", few)
        image = QImage(
            int(view.width * ratio), int(view.height * ratio), QImage.Format.Format_RGB32
        )
        image.setDevicePixelRatio(ratio)
        image.fill(QColor(*PAPER))
        layer = layer or AnnotationLayer(COLOURS)
        with QPainter(image) as painter:
            painter.translate(view.width / 2, view.height / 2)
            painter.rotate(turn)
            painter.translate(-view.width / 2, -view.height / 2)
            assert layer.paint(painter, view, document, selected, at_once=True)
        return pixels(image)

    return paint


def pixels(image):
    bits = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.width(), 4)
    return bits[..., 2::-1].astype(int)


def document_of(*annotations):
    document = Document()
    document.apply(edits.add(annotations))
    return document


def scene():
    """Return annotations of every type of geometry, none over another, some too small for an outline."""
    ring = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    wave = np.column_stack([np.cos(ring), np.sin(ring)]) * (40 + 4 * np.sin(5 * ring))[:, None]
    shapes = [
        shapely.Polygon(wave + 70),
        box(150, 20, 250, 110) - box(170, 40, 220, 90),
        LineString([(280, 30), (330, 90), (380, 30)]),
        MultiPolygon([box(30, 150, 80, 200), box(100, 150, 140, 200)]),
        MultiPoint([(180, 160), (230, 200)]),
        GeometryCollection([GeometryCollection([box(270, 140, 330, 200)]), Point(350, 170)]),
        Point(40, 260),
        box(90, 258, 92, 260),
        shapely.Polygon(),
    ]
    names = ("Tumor", "Stroma", None)
    return [Annotation(shape, names[k % 3]) for k, shape in enumerate(shapes)]


def differing(one, other, by=40):
    """Return which part of the pixels that show something differs plainly."""
    shown = (np.abs(one - PAPER).max(-1) > 10) | (np.abs(other - PAPER).max(-1) > 10)
    assert shown.any()
    return ((np.abs(one - other).max(-1) > by) & shown).sum() / shown.sum()


@pytest.mark.parametrize("ratio", [1, 2])
@pytest.mark.parametrize("scale", [0.5, 1.0, 2.0])
def test_a_crowd_looks_like_the_same_annotations_drawn_as_vectors(painted, ratio, scale):
    document, view = document_of(*scene()), Viewport(200, 150, scale, 400, 300)

    few = painted(document, view, tiles=False, ratio=ratio)
    many = painted(document, view, tiles=True, ratio=ratio)

    assert differing(few, many) < 0.02


@pytest.mark.parametrize("tiles", [False, True])
@pytest.mark.parametrize("ratio", [1, 2])
@pytest.mark.parametrize("scale", [0.3, 1.0, 3.0])
def test_lines_are_as_wide_at_every_zoom_and_pixel_density(painted, tiles, ratio, scale):
    edge = LineString([(-999, 150), (999, 150)])
    document = document_of(Annotation(edge, "Tumor"))

    picture = painted(document, Viewport(0, 150, scale, 100, 100), tiles=tiles, ratio=ratio)

    column = np.abs(picture[:, 50 * ratio] - PAPER).max(-1) > 10
    coloured = np.abs(picture[:, 50 * ratio] - COLOURS["Tumor"]).max(-1) < 40
    assert coloured.sum() == pytest.approx(2 * ratio, abs=1)
    assert column.sum() == pytest.approx(4.5 * ratio, abs=1.5)


@pytest.mark.parametrize("few", [0, 100, 10**9])  # all from tiles, only the crowd, nothing
def test_what_is_selected_is_seen_above_what_is_not(painted, few):
    one, *others = [Annotation(box(50, 50, 150, 150), "Tumor", id=str(k)) for k in range(5)]

    picture = painted(document_of(one, *others), few=few, selected=frozenset({"0"}))

    assert (np.abs(picture[50, 100] - (255, 255, 0)) < 30).all()


def test_a_crowd_may_be_selected(painted):
    many = [Annotation(box(x, y, x + 6, y + 6)) for x in range(5, 390, 10) for y in (40, 80, 120)]

    picture = painted(document_of(*many), tiles=True, selected=frozenset(e.id for e in many[1:]))

    assert (np.abs(picture[43, 15] - (255, 255, 0)) < 30).all()
    assert not (np.abs(picture[43, 5] - (255, 255, 0)) < 5).all()


@pytest.mark.parametrize("tiles", [False, True])
def test_a_turned_painter_turns_the_annotations(painted, tiles):
    view, document = Viewport(200, 200, 1.0, 400, 400), document_of(*scene())

    upright = painted(document, view, tiles=tiles)
    turned = painted(document, view, tiles=tiles, turn=90)

    assert differing(np.rot90(upright, -1), turned) < 0.02


@pytest.mark.parametrize("tiles", [False, True])
def test_edits_and_their_undoing_are_seen_at_once(painted, tiles):
    layer, first, second = AnnotationLayer(COLOURS), *scene()[:2]
    document = document_of(first)
    before = painted(document, tiles=tiles, layer=layer)

    document.apply(edits.add([second]))
    after = painted(document, tiles=tiles, layer=layer)
    document.undo()
    again = painted(document, tiles=tiles, layer=layer)

    assert differing(before, after) > 0.2
    assert (again == before).all()


def test_a_reclassified_annotation_changes_its_colour(painted):
    layer, document = AnnotationLayer(COLOURS), document_of(Annotation(box(50, 50, 90, 90)))
    painted(document, tiles=True, layer=layer)

    document.apply(set_properties(document.annotations.values(), {"class_name": "Stroma"}))

    assert (
        np.abs(painted(document, tiles=True, layer=layer)[50, 70] - COLOURS["Stroma"]) < 30
    ).all()


def test_an_edit_renews_exactly_the_tiles_that_show_it(painted, monkeypatch):
    layer, document = AnnotationLayer(COLOURS), document_of(*scene())
    view = Viewport(1024, 1024, 1.0, 2048, 2048)  # 8 x 8 tiles
    painted(document, view, tiles=True, layer=layer)
    drawn, draw = [], layer._draw
    monkeypatch.setattr(layer, "_draw", lambda key: drawn.append(key[1:]) or draw(key))

    document.apply(edits.add([Annotation(box(600, 600, 800, 700))]))
    painted(document, view, tiles=True, layer=layer)

    assert sorted(drawn) == [(2, 2), (3, 2)]


def test_a_dot_is_drawn_whole_where_tiles_meet(painted):
    document = document_of(Annotation(Point(256, 256), "Tumor"))

    picture = painted(document, Viewport(256, 256, 1.0, 100, 100), tiles=True)

    assert (np.abs(picture[47:53, 50] - COLOURS["Tumor"]).max(-1) < 30).all()
    assert (np.abs(picture[50, 47:53] - COLOURS["Tumor"]).max(-1) < 30).all()


def test_the_denser_the_crowd_the_stronger_its_colour_but_never_solid(painted):
    rng = np.random.default_rng(0)

    def cover(n):
        places = rng.uniform(0, 25_600, (n, 2)).tolist()
        crowd = [Annotation(Point(x, y), "Tumor") for x, y in places]
        picture = painted(
            document_of(*crowd), Viewport(12_800, 12_800, 100.0, 256, 256), tiles=True
        )
        full = np.abs(np.array(COLOURS["Tumor"]) - PAPER).sum()
        return np.abs(picture - PAPER).sum(-1).mean() / full

    covers = [cover(n) for n in (50, 500, 5000, 20_000)]

    assert covers == sorted(covers)
    assert covers[0] > 0.01
    assert covers[-1] < 0.9


def test_in_a_hurry_a_tile_of_another_zoom_stands_in_until_there_is_time(painted, monkeypatch):
    document, layer = document_of(*scene()), AnnotationLayer(COLOURS)
    painted(document, tiles=True, layer=layer)
    again = []
    layer.unfinished.connect(lambda: again.append(1))
    nearer = Viewport(200, 150, 0.6, 400, 300)
    image = QImage(400, 300, QImage.Format.Format_RGB32)

    def paint(slice_seconds):
        monkeypatch.setattr(annotation_layer, "SLICE", slice_seconds)
        image.fill(QColor(*PAPER))
        with QPainter(image) as painter:
            complete = layer.paint(painter, nearer, document, frozenset())
        return complete, pixels(image)

    hurried, early = paint(0.0)
    assert (hurried, len(again)) == (False, 1)
    patient, late = paint(60.0)
    assert (patient, len(again)) == (True, 1)
    assert differing(late, painted(document, nearer, tiles=True)) == 0
    seen, stood_in = (np.abs(each - PAPER).max(-1) > 10 for each in (late, early))
    assert stood_in[seen].mean() > 0.9
    assert (early != late).any()


def test_tiles_keep_to_their_budget(painted):
    layer, document = AnnotationLayer(COLOURS), document_of(*scene())
    layer._tiles._budget = 3 * 2**20

    for scale in np.linspace(0.2, 2.0, 12):
        painted(document, Viewport(200, 150, scale, 800, 600), tiles=True, layer=layer)

    assert layer._tiles.bytes <= 3 * 2**20


@pytest.mark.parametrize("tiles", [False, True])
def test_nothing_is_held_of_a_document_that_is_forgotten(painted, tiles):
    layer, document = AnnotationLayer(COLOURS), document_of(*scene())
    painted(document, tiles=tiles, layer=layer, selected=frozenset(document.annotations))
    gone = ref(document.spatial)

    layer.forget()
    del document
    gc.collect()

    assert gone() is None
    assert layer._tiles.bytes == 0


class NotYet:
    """Takes the place of the compiled code while that is being loaded."""

    def ready(self, *, wait):
        return False


def test_while_the_compiled_code_is_loaded_the_layer_asks_to_be_painted_again(qtbot, monkeypatch):
    monkeypatch.setattr(annotation_layer, "FEW", 0)
    layer, image = AnnotationLayer(COLOURS), QImage(400, 300, QImage.Format.Format_RGB32)
    layer._raster = NotYet()

    with qtbot.waitSignal(layer.unfinished), QPainter(image) as painter:
        assert not layer.paint(painter, VIEW, document_of(*scene()), frozenset())
