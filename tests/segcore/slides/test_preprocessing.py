import json

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from segcore.slides.preprocessing import (
    REFERENCE,
    STEPS,
    Clahe,
    Colours,
    Macenko,
    Reinhard,
    Resize,
    SeparateStain,
    Stains,
    Standardise,
    Step,
    estimate_stains,
    measure_colours,
    preprocess,
    step_names,
)
from segcore.slides.preprocessing.contrast import clahe
from segcore.slides.preprocessing.stains import amounts, optical_density, transmitted

HAEMATOXYLIN, EOSIN = (0.65, 0.70, 0.29), (0.07, 0.99, 0.11)
COLOURS = Colours(mean=(-0.6, 0.02, 0.01), std=(0.15, 0.02, 0.02))
EVERY_STEP = (
    Resize(width=40, height=48),
    Macenko(),
    Reinhard(target=COLOURS),
    SeparateStain(keep="eosin"),
    Clahe(),
    Standardise(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)),
)


def tissue(seed):
    """Two stains in chance amounts under Beer-Lambert's law; the golden numbers below are of these."""
    rng = np.random.default_rng(seed)
    haematoxylin, eosin = rng.gamma(1.2, 0.5, (24, 32)), rng.gamma(1.5, 0.4, (24, 32))
    density = haematoxylin[..., None] * HAEMATOXYLIN + eosin[..., None] * np.array(EOSIN)
    return np.clip(240 * np.exp(-density), 0, 255).astype(np.uint8)


def test_optical_density_is_beer_and_lamberts():
    assert optical_density(np.full((1, 1, 3), 239, np.float32)).tolist() == [[[0, 0, 0]]]
    tenth = optical_density(np.full((1, 1, 3), 23, np.float32))
    assert tenth == pytest.approx(np.log(10))
    picture = np.float32([[[0, 100, 255]]])
    assert transmitted(optical_density(picture)) == pytest.approx(picture, abs=1e-3)


def test_amounts_of_a_known_mixture_come_back():
    stains = Stains(HAEMATOXYLIN, EOSIN)
    mixed = 0.8 * np.array(HAEMATOXYLIN) + 0.3 * np.array(EOSIN)

    assert amounts(transmitted(mixed[None, None]), stains)[0, 0] == pytest.approx([0.8, 0.3])


def test_macenkos_stains_are_torchstains():
    # Made by torchstain 1.4.1 with numpy 2.4.6 in an environment apart: what a NumpyMacenkoNormalizer
    # computes in its private method compute_matrices from tissue(1) with Io 240, alpha 1 and beta 0.15.
    found = estimate_stains(tissue(1).astype(np.float32))

    assert found.haematoxylin == pytest.approx((0.64086, 0.71125, 0.28883), abs=1e-5)
    assert found.eosin == pytest.approx((0.10581, 0.98668, 0.12356), abs=1e-5)
    assert found.strengths == pytest.approx((2.28461, 2.37401), abs=1e-5)


def test_macenko_normalises_as_torchstain_does():
    # Likewise: NumpyMacenkoNormalizer().normalize(tissue(1), stains=False)[0][::8, ::8]. It returns I + 1,
    # as it does not take back the 1 of its optical density, and cuts off decimals.
    golden = [
        [[168, 128, 163], [182, 138, 169], [226, 188, 202], [186, 105, 136]],
        [[211, 189, 206], [191, 94, 125], [143, 118, 159], [196, 175, 199]],
        [[210, 186, 205], [194, 165, 190], [224, 217, 226], [202, 189, 209]],
    ]

    found = preprocess(tissue(1), [Macenko()])

    assert np.floor(found[::8, ::8] + 1).astype(int).tolist() == golden


def test_normalising_to_a_pictures_own_stains_changes_nothing():
    image = tissue(2)
    own = estimate_stains(image.astype(np.float32))

    found = preprocess(image, [Macenko(target=own)])

    # What does not lie in the plane of the two stains, as rounding does not, is projected on it.
    assert np.abs(found - image).max() < 8
    assert np.abs(found - image).mean() < 0.7


def test_normalised_pictures_have_the_targets_stains():
    found = estimate_stains(preprocess(tissue(3), [Macenko()]))

    unit = np.array(REFERENCE.haematoxylin) / np.linalg.norm(REFERENCE.haematoxylin)
    assert found.haematoxylin == pytest.approx(unit, abs=0.02)
    assert found.strengths == pytest.approx(REFERENCE.strengths, rel=0.05)


def test_given_stains_of_a_slide_are_used_instead_of_the_tiles_own():
    image = tissue(4)
    slide = Stains(HAEMATOXYLIN, EOSIN, (2.0, 2.0))
    one_pixel = preprocess(image[:1, :2], [Macenko(source=slide)])

    assert np.allclose(one_pixel, preprocess(image, [Macenko(source=slide)])[:1, :2])


def test_separation_keeps_one_stain_and_takes_the_other():
    stains = Stains(HAEMATOXYLIN, EOSIN)
    density = np.array([[np.array(HAEMATOXYLIN), np.array(EOSIN)]])
    image = np.round(transmitted(density)).astype(np.uint8)

    kept = preprocess(image, [SeparateStain(keep="haematoxylin", stains=stains)])

    assert kept[0, 0] == pytest.approx(image[0, 0], abs=2)
    assert kept[0, 1] == pytest.approx([239] * 3, abs=5)  # glass


def test_reinhards_mean_and_spread_become_the_targets():
    found = measure_colours(preprocess(tissue(5), [Reinhard(target=COLOURS)]))

    assert found.mean == pytest.approx(COLOURS.mean, abs=0.01)
    assert found.std == pytest.approx(COLOURS.std, rel=0.1, abs=0.005)


def test_reinhards_colour_space_is_the_papers():
    # White: LMS of the rows' sums 0.9996, 0.9993, 0.9973, all but 1, so l, alpha and beta all but 0;
    # a tenth of the light takes 1 of each logarithm, sqrt(3) of l and nothing of the others.
    image = np.array([[[255, 255, 255], [25.5, 25.5, 25.5]]], np.float32)
    from segcore.slides.preprocessing.colours import from_opponent, opponent

    white, grey = opponent(image)[0]

    assert white == pytest.approx(
        [np.log10(0.9996 * 0.9993 * 0.9973) / 3**0.5, np.log10(0.9996 * 0.9993 / 0.9973**2) / 6**0.5,
         np.log10(0.9996 / 0.9993) / 2**0.5], abs=1e-6,
    )  # fmt: skip
    assert white - grey == pytest.approx([3**0.5, 0, 0])
    assert from_opponent(opponent(image)) == pytest.approx(image, abs=1e-3)


def test_clahe_is_opencvs_within_a_grey_level():
    # Made by opencv 5.0.0 in an environment apart: cv2.createCLAHE(clip, (2, 2)).apply(image)[20::72, 20::72].
    golden = {
        1.5: [[119, 183, 207, 206], [113, 83, 66, 97], [115, 91, 79, 106], [119, 189, 214, 212]],
        3.0: [[114, 206, 228, 226], [104, 60, 35, 70], [107, 70, 50, 84], [113, 212, 234, 231]],
        100.0: [[109, 213, 234, 231], [97, 51, 26, 60], [100, 61, 41, 73], [109, 220, 239, 237]],
    }
    rows, columns = np.mgrid[:256, :256]
    image = (120 + 50 * np.sin(rows / 9) * np.cos(columns / 13) + 40 * columns / 256).astype(
        np.uint8
    )

    for clip, expected in golden.items():
        found = clahe(image, clip=clip, grid=2)[20::72, 20::72]
        assert np.abs(found - expected).max() <= 1.5, clip


def test_clahe_of_one_cell_without_limit_is_the_cumulative_histogram():
    luma = np.array([[0, 10], [20, 20]], np.uint8)

    assert clahe(luma, clip=256, grid=1).tolist() == [[63.75, 127.5], [255, 255]]


def test_clahe_keeps_the_differences_between_channels():
    image = np.clip(tissue(6), 60, 190)

    found = preprocess(image, [Clahe(clip=1.2, grid=2)])

    inside = ((found > 0) & (found < 255)).all(axis=2)
    kept = (found[..., 0] - found[..., 1]) - (image[..., 0].astype(float) - image[..., 1])
    assert np.abs(kept[inside]).max() < 1e-3


def test_bicubic_resize_keeps_ramps_and_overshoots_nowhere():
    ramp = np.repeat(np.arange(0, 160, 4, dtype=np.uint8), 3).reshape(1, 40, 3).repeat(40, axis=0)
    edge = np.where(ramp > 80, 200, 100).astype(np.uint8)

    larger = preprocess(ramp, [Resize(width=80, height=80)])

    assert larger.shape == (80, 80, 3)
    assert larger[40, 10:70, 0] == pytest.approx(np.arange(80)[10:70] * 2 - 1, abs=0.01)
    resized = preprocess(edge, [Resize(width=64, height=64)])
    assert (resized.min(), resized.max()) == (100, 200)


def test_standardised_channels_are_normalised_to_mean_0_and_variance_1():
    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])

    found = preprocess(tissue(7), [EVERY_STEP[-1]])

    seen = (found / 255 - mean) / std  # what the card's normalisation makes of it
    assert seen.mean((0, 1)) == pytest.approx([0, 0, 0], abs=1e-4)
    assert seen.std((0, 1)) == pytest.approx([1, 1, 1], abs=1e-4)


def test_every_step_is_tried_here():
    assert {type(step) for step in EVERY_STEP} == set(STEPS)
    assert len(set(step_names())) == len(STEPS)


@pytest.mark.parametrize("step", EVERY_STEP, ids=lambda step: type(step).__name__)
@pytest.mark.parametrize("colour", [(255, 255, 255), (0, 0, 0), (120, 60, 160), (243, 240, 242)])
def test_a_tile_of_one_colour_comes_back_as_it_was(step, colour):
    found = preprocess(np.full((64, 64, 3), colour, np.uint8), [step])

    assert (found == np.float32(colour)).all()


@settings(deadline=None, max_examples=60)
@given(
    image=arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9), st.just(3))),
    step=st.sampled_from(EVERY_STEP),
)
def test_no_tile_however_odd_breaks_a_step(image, step):
    found = preprocess(image, [step])

    assert np.isfinite(found).all()
    assert found.dtype == np.float32
    assert found.shape == ((48, 40, 3) if isinstance(step, Resize) else image.shape)


def test_nearly_blank_glass_is_left_alone_by_what_estimates_stains():
    glass = np.random.default_rng(8).integers(238, 246, (64, 64, 3), dtype=np.uint8)

    assert (preprocess(glass, [Macenko(), SeparateStain(keep="eosin")]) == glass).all()


def test_steps_follow_one_another():
    image = tissue(9)

    both = preprocess(image, [Clahe(), Resize(width=32, height=32)])

    alone = preprocess(image, [Clahe()])
    assert (both == Resize(width=32, height=32).apply(alone)).all()


def test_a_list_of_steps_survives_json():
    content = msgspec.json.encode(EVERY_STEP)

    assert msgspec.json.decode(content, type=tuple[Step, ...]) == EVERY_STEP
    assert json.loads(content)[0] == {"step": "resize", "width": 40, "height": 48}


@pytest.mark.parametrize(
    "lie",
    [
        {"step": "resize", "width": 10**9, "height": 32},
        {"step": "clahe", "grid": 0},
        {"step": "bleach"},
        {"step": "macenko", "surprise": 1},
        {"step": "macenko", "target": {"haematoxylin": [0.1, 0.1, 0.1], "eosin": [0.2, 0.2, 0.2]}},
        {"step": "standardise", "mean": [0, 0, 0], "std": [1, 1, 0]},
        {"step": "reinhard", "target": {"mean": [0, 0, 0], "std": [0, 1, 1]}},
    ],
)
def test_a_step_that_lies_is_refused(lie):
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(json.dumps([lie]).encode(), type=tuple[Step, ...])
