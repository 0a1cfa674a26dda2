"""Recipes: everything that decides a training run, read from TOML."""

import tomllib
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from segcore.annotations import load_taxonomy
from segcore.config import resources
from segcore.errors import AnnotationError, DataError
from segcore.slides.preprocessing import Resize, Step

Count = Annotated[int, Meta(ge=0)]
Positive = Annotated[float, Meta(gt=0)]
Share = Annotated[float, Meta(ge=0, le=1)]
Optimiser = Literal["adam", "sgd"]


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One data set of a recipe; `kind` picks the reader, `share` how often crops come from it."""

    name: str
    kind: str
    """"manifest", "tiles", "masks" or "procedural"."""
    share: float
    folder: str = ""
    """Relative to the data folder."""
    only: str = ""
    """Of a manifest: the rows whose source starts with this."""
    mpp: float = 0.5
    """Of tiles and masks: the pictures' pixel size."""
    codes: dict[str, int] = {}
    """To class codes: of tiles, from folder names; of masks, from pixel values."""
    guard: int = 0
    """Of masks: so many pixels along borders are left unlabelled."""
    dense: tuple[int, ...] = ()
    """Of masks: class codes that only hold where nuclei are dense."""
    holes: bool = False
    """Of tiles: what is bright is Other, not the tile's class."""
    validation: int = 0
    """Of masks: how many of the last pictures, by name, never train."""
    note: str = ""
    """What the card says beside every figure measured on this source."""
    seeds: tuple[int, ...] = ()
    """Of procedural tissue: what is painted for training; validation uses `validation_seeds`."""
    validation_seeds: tuple[int, ...] = ()


class Loss(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is minimised; with side outputs (LightMuSeg V3), its sum over all outputs."""

    name: Literal["dice-ce", "soft-dice-wce", "structure", "hi-net"] = "dice-ce"
    """`dice_cross_entropy`, `soft_dice_cross_entropy`, `structure_loss` or `hinet_loss`."""
    smoothing: Share = 0.05
    """Of dice-ce: label smoothing of its cross-entropy."""
    foreground: str = "Tumor"
    """Of structure and hi-net: the class that is told from all others."""
    consistency: float = 0.0
    """Weight of the consistency loss between the network and its average, which teaches; 0 = none."""


class Propagation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Label propagation inside training (paper 2, Algorithm 1); see `propagated_target`."""

    alpha: Annotated[float, Meta(ge=0, lt=1)] = 0.9
    sigma_intensity: Positive = 0.1
    sigma_space: Positive = 1.0
    radius: Annotated[int, Meta(ge=1, le=8)] = 1
    confidence: Share = 0.9
    """How sure the refined mask must be to teach a pixel that nobody has labelled."""


class Augmentation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How strongly crops are changed at random; 0 leaves a property as it is."""

    scale: tuple[Positive, Positive] = (0.75, 1.25)
    """Magnification, from and to."""
    crop: Annotated[float, Meta(ge=0, lt=1)] = 0.0
    """Up to this share of the side is cut away, and the rest enlarged."""
    rotation: Annotated[float, Meta(ge=0, le=180)] = 0.0
    """Degrees to either side."""
    quarter_turns: bool = True
    flips: bool = True
    stain: Annotated[float, Meta(ge=0)] = 1.0
    """Strength of the jitter of haematoxylin and eosin in optical density; see `jitter_stain`."""
    stain_spread: Share = 0.0
    """The strength varies by up to this share."""
    stain_odds: Share = 0.9
    restain_odds: Share = 0.0
    """How often stains are moved towards those of another picture instead; see `restain`."""
    contrast: Share = 0.2
    brightness: Annotated[float, Meta(ge=0, le=255)] = 20.0
    """Grey values to either side."""
    tint: Annotated[float, Meta(ge=0)] = 0.0
    """Standard deviation of the logarithm of each channel's factor."""
    gamma: Annotated[float, Meta(ge=0)] = 0.0
    """Standard deviation of the exponent's logarithm."""
    saturation: Share = 0.0
    hue: Annotated[float, Meta(ge=0, le=180)] = 0.0
    """Degrees to either side."""
    blur: tuple[float, float] = (0.3, 1.3)
    """Standard deviation in pixels, from and to."""
    blur_odds: Share = 0.25
    sharpen_odds: Share = 0.0
    coarse_odds: Share = 0.0
    """How often the resolution is lowered. A crop is blurred, sharpened or coarse, or none of them."""
    jpeg_odds: Share = 0.0
    """How often a crop passes through JPEG."""


class Second(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The optimiser that takes over where validation Dice has not risen for `plateau` validations."""

    optimiser: Optimiser
    learning_rate: Positive


class CardText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the card of the recipe's bundle says beside what is measured; see `Card`."""

    name: str = ""
    """The bundle folder's name where empty."""
    title: str = "A network of the recipe's user"
    data: str = ""
    """How many pictures of how many cases, where empty."""
    licence: str = "Not stated: the terms of the pictures it was trained on hold."
    intended_use: str = "Research use only: a first mask that a person corrects. Not for diagnosis."
    limits: str = (
        "Nothing is known of slides, stains, scanners and organs other than those of its training."
    )
    tile: int = 512
    halo: int = 48


class Recipe(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that decides a training run but the pictures themselves."""

    name: str
    architecture: str
    classes: tuple[str, ...]
    arguments: dict[str, bool | float | str] = {}
    """The architecture's own."""
    counts_as: dict[str, str] = {}
    """Classes of the masks that are trained as another, `{ Stroma = "Other" }`."""
    sources: tuple[Source, ...] = ()
    """Where empty: the folder of data itself, with its manifest."""
    mpp: Positive = 0.5
    crop: Annotated[int, Meta(ge=32)] = 256
    batch: Annotated[int, Meta(ge=1)] = 8
    """Crops of a step, over all processes."""
    steps: Annotated[int, Meta(ge=1)] = 3000
    epochs: Count = 0
    """Over `steps` where given; an epoch has as many crops as cover the training pictures once."""
    save_every: Count = 200
    """Steps between validations and checkpoints; 0 = an epoch."""
    optimiser: Optimiser = "adam"
    learning_rate: Positive = 1e-3
    momentum: Share = 0.9
    """Of sgd."""
    weight_decay: float = 1e-4
    clip: float = 5.0
    """The longest that a gradient may be; 0 = any length."""
    schedule: Literal["cosine", "plateau", "constant"] = "cosine"
    """Of the learning rate: half a cosine to 1 %, a tenth at each plateau of validation Dice, or none."""
    warmup: Count = 100
    """Steps in which the rate rises from 0."""
    plateau: Annotated[int, Meta(ge=1)] = 5
    """Validations without a better Dice that make a plateau."""
    second: Second | None = None
    patience: Count = 0
    """Validations without a better Dice after which training stops; 0 = never."""
    precision: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    """Of the network's arithmetic; auto is bfloat16 on CUDA and float32 elsewhere."""
    ema: Share = 0.995
    """How much of the averaged weights stays at each step; 0 = the average is the network itself."""
    seed: int = 42
    class_weights: dict[str, float] = {}
    """How often a crop is centred on a class, 1 where not given."""
    scales: dict[str, tuple[Positive, Positive]] = {}
    """The augmentation's scale for crops centred on a class, where not its own."""
    mixed: Share = 0.0
    """How often blobs of a second crop are laid over a crop; see `mix`."""
    held_out: tuple[str, ...] = ()
    """Cases that neither train nor validate."""
    preprocessing: tuple[Step, ...] = ()
    """What is done to each crop before normalisation, here and by the bundle."""
    augmentation: Augmentation = Augmentation()
    loss: Loss = Loss()
    propagation: Propagation | None = None
    card: CardText = CardText()


def recipe_names() -> list[str]:
    """Return the names of the recipes that come with the program."""
    return sorted(file.stem for file in (resources() / "recipes").glob("*.toml"))


def read_recipe(name_or_file: str | Path) -> Recipe:
    """Read a recipe of the program by name, or any by its file; raises DataError."""
    file = Path(name_or_file)
    if str(name_or_file) in recipe_names():
        file = resources() / "recipes" / f"{name_or_file}.toml"
    try:
        recipe = msgspec.convert(tomllib.loads(file.read_text(encoding="utf-8")), Recipe)
    except OSError as error:
        names = ", ".join(recipe_names())
        raise DataError(
            f"There is no recipe {file}; give a TOML file or one of {names}."
        ) from error
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise DataError(f"The recipe {file} cannot be used: {error}.") from error
    if problem := _problem(recipe):
        raise DataError(f"The recipe {file} cannot be used: {problem}.")
    return recipe


def class_codes(classes: tuple[str, ...] | list[str]) -> list[int]:
    """Return the pixel value in masks of each class."""
    taxonomy = load_taxonomy()
    return [taxonomy.named(name).code for name in classes]


def _problem(recipe: Recipe) -> str | None:
    if len(recipe.classes) < 2:
        return "it needs two classes at least; name the rest of the tissue, as Other"
    how = recipe.augmentation
    if how.blur_odds + how.sharpen_odds + how.coarse_odds > 1:
        return "its odds of blur, sharpening and coarseness add up to more than 1"
    if any(isinstance(step, Resize) for step in recipe.preprocessing):
        return "it resizes its crops; set mpp and crop instead"
    named = [*recipe.class_weights, *recipe.scales, *recipe.counts_as.values()]
    if recipe.loss.name in ("structure", "hi-net"):
        named.append(recipe.loss.foreground)
    if missing := [name for name in named if name not in recipe.classes]:
        return f"the class {missing[0]!r} is not among its classes"
    try:
        class_codes([*recipe.classes, *recipe.counts_as])
    except AnnotationError as error:
        return str(error).rstrip(".")
    return None
