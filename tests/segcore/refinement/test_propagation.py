import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segcore.errors import ModelError
from segcore.progress import Cancelled
from segcore.refinement import Refinement, propagate_labels, stencil
from segcore.refinement.propagation import chebyshev_rates
from segcore.refinement.stencil_torch import propagate


def exact(probabilities, image, *, alpha=0.9, sigma_intensity=0.1, sigma_space=1.0, radius=1):
    """Solve (1 - alpha) (I - alpha S)^-1 Y with a dense matrix in float64."""
    classes, height, width = probabilities.shape
    colours = (image / 255 if image.dtype == np.uint8 else image).reshape(-1, 3)
    places = np.indices((height, width)).reshape(2, -1).T
    apart = np.abs(places[:, None] - places).max(-1)
    square = ((colours[:, None] - colours) ** 2).sum(-1)
    distance = ((places[:, None] - places) ** 2).sum(-1)
    W = np.exp(-square / (2 * sigma_intensity**2) - distance / (2 * sigma_space**2))
    W *= (apart > 0) & (apart <= radius)
    root = 1 / np.sqrt(np.maximum(W.sum(1), 1e-300))
    S = root[:, None] * W * root
    Y = probabilities.reshape(classes, -1).T.astype(float)
    F = (1 - alpha) * np.linalg.solve(np.eye(height * width) - alpha * S, Y)
    return F.T.reshape(classes, height, width)


def picture(height, width, classes=4, seed=0, dtype=np.uint8):
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    image = image // 8 + np.uint8(100)  # alike enough that labels travel
    probabilities = rng.dirichlet([1.0] * classes, (height, width)).transpose(2, 0, 1)
    return probabilities.astype(np.float32), image if dtype == np.uint8 else image / 255


@pytest.mark.parametrize("dtype", [np.uint8, float])
@pytest.mark.parametrize(
    "how",
    [
        {},
        {"alpha": 0.99},
        {"alpha": 0.5, "radius": 2},
        {"alpha": 0.95, "radius": 3, "sigma_space": 2.5},
        {"alpha": 0.998, "sigma_intensity": 0.02},
        {"alpha": 0.0},
        {"alpha": 5e-324},
    ],
)
def test_the_result_is_the_exact_solution(how, dtype):
    probabilities, image = picture(13, 17, dtype=dtype)

    found = propagate_labels(probabilities, image, device="cpu", **how)

    np.testing.assert_allclose(found, exact(probabilities, image, **how), atol=1e-3)
    assert found.dtype == np.float32


def test_contrasts_of_many_sigmas_are_still_exact():
    rng = np.random.default_rng(1)
    image = rng.integers(0, 256, (12, 12, 3), dtype=np.uint8)
    probabilities = picture(12, 12)[0]

    found = propagate_labels(probabilities, image, sigma_intensity=0.05, device="cpu")

    expected = exact(probabilities, image, sigma_intensity=0.05)
    np.testing.assert_allclose(found, expected, atol=1e-3)


@pytest.mark.parametrize("shape", [(1, 1), (1, 2), (2, 1), (1, 9), (9, 1), (2, 2)])
@pytest.mark.parametrize("radius", [1, 3])
def test_tiny_images_are_exact(shape, radius):
    probabilities, image = picture(*shape)

    found = propagate_labels(probabilities, image, radius=radius, device="cpu")

    np.testing.assert_allclose(found, exact(probabilities, image, radius=radius), atol=1e-3)


@settings(deadline=None, max_examples=15)
@given(
    st.integers(1, 9),
    st.integers(1, 9),
    st.floats(0, 0.99),
    st.integers(1, 3),
    st.floats(0.03, 1),
    st.integers(0, 2**31),
)
def test_any_small_image_is_exact(height, width, alpha, radius, sigma, seed):
    probabilities, image = picture(height, width, seed=seed)
    how = {"alpha": alpha, "radius": radius, "sigma_intensity": sigma}

    found = propagate_labels(probabilities, image, device="cpu", **how)

    np.testing.assert_allclose(found, exact(probabilities, image, **how), atol=1e-3)


def test_a_finer_tolerance_comes_closer():
    probabilities, image = picture(15, 15)
    expected = exact(probabilities, image, alpha=0.99)

    found = propagate_labels(probabilities, image, alpha=0.99, tolerance=1e-5, device="cpu")

    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_seeds_take_the_place_of_what_the_network_said():
    probabilities, image = picture(11, 14)
    seeds = np.full((11, 14), -1)
    seeds[3, 4:9], seeds[8, 2] = 2, 0
    rows = probabilities.copy()
    rows[:, 3, 4:9] = np.array([0, 0, 1, 0])[:, None]
    rows[:, 8, 2] = [1, 0, 0, 0]

    found = propagate_labels(probabilities, image, seeds=seeds, device="cpu")

    np.testing.assert_allclose(found, exact(rows, image), atol=1e-3)


def test_the_input_is_not_changed():
    probabilities, image = picture(6, 6)
    before = probabilities.copy()

    propagate_labels(probabilities, image, seeds=np.zeros((6, 6), int), device="cpu")

    assert np.array_equal(probabilities, before)


def test_on_an_even_image_with_one_class_everywhere_the_answer_stays():
    probabilities = np.zeros((3, 8, 8), np.float32)
    probabilities[1] = 1

    found = propagate_labels(probabilities, np.full((8, 8, 3), 90, np.uint8), device="cpu")

    assert (found.argmax(0) == 1).all()
    assert (found[[0, 2]] == 0).all()


def test_a_stroke_fills_its_side_of_an_edge_and_not_the_other():
    image = np.full((20, 20, 3), 0.2)
    image[:, 10:] = 0.9
    probabilities = np.full((2, 20, 20), 0.5, np.float32)
    probabilities[1] += 0.001
    seeds = np.full((20, 20), -1)
    seeds[5:15, 4:6] = 0

    found = propagate_labels(probabilities, image, seeds=seeds, alpha=0.99, device="cpu")

    assert (found.argmax(0)[:, :10] == 0).all()
    assert (found.argmax(0)[:, 10:] == 1).all()


def test_an_empty_image_stays_empty():
    assert propagate_labels(
        np.zeros((3, 0, 5), np.float32), np.zeros((0, 5, 3), np.uint8), device="cpu"
    ).shape == (3, 0, 5)


@pytest.mark.parametrize("alpha", [0.9, 0.99])
@pytest.mark.parametrize("radius", [1, 2])
@pytest.mark.parametrize("shape", [(1, 1), (2, 7), (12, 10)])
def test_the_torch_stencil_agrees_with_the_compiled_one(shape, radius, alpha):
    probabilities, image = picture(*shape)
    compiled = propagate_labels(probabilities, image, alpha=alpha, radius=radius, device="cpu")

    found = propagate(
        probabilities,
        image,
        Refinement(alpha=alpha, radius=radius),
        chebyshev_rates(alpha, 1e-3),
        device="cpu",
    )

    np.testing.assert_allclose(found, compiled, atol=1e-5)


@pytest.mark.gpu
def test_cuda_gives_the_same_answer():
    probabilities, image = picture(64, 48)
    compiled = propagate_labels(probabilities, image, device="cpu")

    np.testing.assert_allclose(
        propagate_labels(probabilities, image, device="cuda"), compiled, atol=1e-5
    )


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_a_number_is_refused(bad):
    probabilities, image = picture(4, 4, dtype=float)
    probabilities[0, 1, 1] = bad
    with pytest.raises(ModelError, match="not numbers"):
        propagate_labels(probabilities, image, device="cpu")
    probabilities, image = picture(4, 4, dtype=float)
    image[1, 1, 1] = bad
    with pytest.raises(ModelError, match="not numbers"):
        propagate_labels(probabilities, image, device="cpu")


@pytest.mark.parametrize(
    "how",
    [
        {"alpha": 1.0},
        {"alpha": -0.1},
        {"alpha": float("nan")},
        {"sigma_intensity": 0},
        {"sigma_space": -1},
        {"radius": 0},
        {"radius": 1.5},
        {"tolerance": 0},
        {"seeds": np.full((4, 4), 9)},
        {"seeds": np.full((4, 4), -2)},
        {"seeds": np.zeros((3, 4), int)},
    ],
)
def test_values_that_do_not_fit_are_refused(how):
    probabilities, image = picture(4, 4)
    with pytest.raises(ModelError):
        propagate_labels(probabilities, image, device="cpu", **how)


def test_shapes_that_do_not_fit_are_refused():
    probabilities, image = picture(4, 4)
    with pytest.raises(ModelError, match="image"):
        propagate_labels(probabilities, image[:3], device="cpu")


def test_steps_grow_as_the_square_root_of_the_reach():
    assert 15 <= len(chebyshev_rates(0.9, 1e-3)) <= 20
    assert 50 <= len(chebyshev_rates(0.99, 1e-3)) <= 65


def test_beyond_its_reach_a_pixel_counts_for_nothing():
    refinement = Refinement(alpha=0.9)
    size = 2 * refinement.reach + 3
    image = np.full((3, size, 3), 120, np.uint8)
    one, other = np.zeros((2, 2, 3, size), np.float32)
    one[0], other[0], other[1, :, 0] = 1, 1, 50
    how = {"alpha": 0.9, "tolerance": 1e-6, "device": "cpu"}

    difference = propagate_labels(one, image, **how) - propagate_labels(other, image, **how)

    assert np.abs(difference[..., refinement.reach :]).max() < 50e-3


@pytest.mark.parametrize("radius", [1, 2])
def test_steps_in_one_sweep_are_the_steps_one_by_one_to_the_bit(monkeypatch, radius):
    probabilities, image = picture(40, 33)
    how = {"alpha": 0.99, "radius": radius, "device": "cpu"}
    together = propagate_labels(probabilities, image, **how)

    monkeypatch.setattr(stencil, "SWEEP", 1)
    monkeypatch.setattr(stencil, "THREADS", 1)

    assert np.array_equal(propagate_labels(probabilities, image, **how), together)


def test_it_can_be_cancelled_between_sweeps():
    heard = []

    def report(fraction, text=""):
        heard.append(fraction)
        if fraction > 0.5:
            raise Cancelled

    with pytest.raises(Cancelled):
        propagate_labels(*picture(20, 20), alpha=0.999, device="cpu", report=report)

    assert heard == sorted(heard)
    assert 0.5 < heard[-1] < 0.7
