import tomllib
from pathlib import Path

import msgspec

from segcore.errors import DataError


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
    validation: int = 0
    """Of masks: how many of the last pictures, by name, never train."""
    note: str = ""
    """What the card says beside every figure measured on this source."""
    seeds: tuple[int, ...] = ()
    """Of procedural tissue: what is painted for training; validation uses `validation_seeds`."""
    validation_seeds: tuple[int, ...] = ()


class CardText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the card of the recipe's bundle says beside what is measured; see `Card`."""

    name: str
    title: str
    data: str
    licence: str
    intended_use: str
    limits: str
    tile: int = 512
    halo: int = 48


class Recipe(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that decides a training run, read from TOML."""

    name: str
    architecture: str
    classes: tuple[str, ...]
    sources: tuple[Source, ...]
    mpp: float = 0.5
    crop: int = 256
    batch: int = 8
    steps: int = 3000
    learning_rate: float = 1e-3
    weight_decay: float = 1e-4
    warmup: int = 100
    ema: float = 0.995
    """How much of the averaged weights stays at each step."""
    seed: int = 42
    save_every: int = 200
    class_weights: dict[str, float] = {}
    """How often a crop is centred on a class, 1 where not given."""
    card: CardText | None = None


def read_recipe(file: Path) -> Recipe:
    try:
        return msgspec.convert(tomllib.loads(file.read_text(encoding="utf-8")), Recipe)
    except FileNotFoundError as error:
        raise DataError(f"There is no recipe {file}.") from error
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise DataError(f"The recipe {file} cannot be used: {error}.") from error
