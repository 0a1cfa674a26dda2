"""What pixels are compared by: each feature against its own formula, and the exact solution with it."""

import numpy as np
import pytest
from skimage.color import lab2rgb

from segcore.errors import ModelError
from segcore.refinement import Refinement, propagate_labels
from segcore.refinement.features import features_of
from segcore.slides.preprocessing import REFERENCE


def exact(Y, features, *, alpha, sigma):
    """Solve (1 - alpha) (I - alpha S)^-1 Y with a dense matrix, 8 neighbours, sigma_space 1."""
    classes, height, width = Y.shape
    values = features.reshape(height * width, -1)
    places = np.indices((height, width)).reshape(2, -1).T
    apart = np.abs(places[:, None] - places).max(-1)
    square = ((values[:, None] - values) ** 2).sum(-1)
    W = np.exp(-square / (2 * sigma**2) - ((places[:, None] - places) ** 2).sum(-1) / 2)
    W *= apart == 1
    root = 1 / np.sqrt(W.sum(1))
    S = root[:, None] * W * root
    F = (1 - alpha) * np.linalg.solve(np.eye(height * width) - alpha * S, Y.reshape(classes, -1).T)
    return F.T.reshape(Y.shape)


def stained(haematoxylin, eosin):
    """Return the colour, float in [0, 1], of so much of Macenko's reference stains."""
    density = haematoxylin * np.array(REFERENCE.haematoxylin) + eosin * np.array(REFERENCE.eosin)
    return (240 * np.exp(-density) - 1) / 255


@pytest.mark.parametrize("kind", ["rgb", "lab", "haematoxylin"])
@pytest.mark.parametrize("dtype", [np.uint8, float])
def test_with_any_feature_the_result_is_the_exact_solution(kind, dtype):
    rng = np.random.default_rng(0)
    image = rng.integers(90, 220, (12, 14, 3), dtype=np.uint8)
    image = image if dtype == np.uint8 else image / 255
    Y = rng.dirichlet([1.0] * 3, (12, 14)).transpose(2, 0, 1).astype(np.float32)
    values = features_of(image, kind)
    values = values / 255 if values.dtype == np.uint8 else values

    found = propagate_labels(Y, image, alpha=0.95, features=kind, tolerance=1e-4, device="cpu")

    np.testing.assert_allclose(found, exact(Y, values, alpha=0.95, sigma=0.1), atol=1e-4)


def test_lab_is_in_hundredths_of_a_colour_difference():
    lab = np.array([[[60.0, 20.0, -30.0], [60.0, 26.0, -22.0]]])  # 10 apart

    found = features_of(lab2rgb(lab), "lab")

    np.testing.assert_allclose(found, lab / 100, atol=1e-3)


def test_haematoxylin_does_not_see_eosin():
    colours = np.array([[stained(0.8, 0.1), stained(0.8, 0.9), stained(1.6, 0.1)]])

    few, same, twice = features_of(colours, "haematoxylin").ravel()

    assert few == pytest.approx(0.8 / REFERENCE.strengths[0], abs=1e-3)
    assert same == pytest.approx(few, abs=1e-3)
    assert twice == pytest.approx(2 * few, abs=1e-3)


def test_bytes_and_floats_have_the_same_features():
    image = np.random.default_rng(1).integers(0, 256, (5, 6, 3), dtype=np.uint8)

    for kind in ("lab", "haematoxylin"):
        np.testing.assert_allclose(
            features_of(image, kind), features_of(image / 255, kind), atol=1e-5
        )


def test_an_unknown_feature_is_refused_with_the_known_ones():
    with pytest.raises(ModelError, match="haematoxylin"):
        Refinement(features="texture")
