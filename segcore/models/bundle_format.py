"""`bundle.json`: what a bundle says about itself (schema: resources/schemas/bundle.schema.json)."""

import json
import math
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from segcore.annotations import load_taxonomy
from segcore.errors import AnnotationError, ModelError
from segcore.models.normalisation import Normalisation
from segcore.slides.preprocessing import StainRange, Step

STRIDE = 32
LONGEST_NAME = 80
Text = Annotated[str, Meta(min_length=1)]
Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]


class Architecture(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The name and the arguments that `create_model` takes."""

    name: Text
    arguments: dict[str, bool | float | str] = {}


class TrainingData(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the weights were learned from."""

    summary: Text
    manifest_sha256: Sha256 | None = None
    """Of the list of pictures, cases and labels that were used."""


class Metric(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One measured figure: `name` ("IoU", "Dice") of `class_name`, on `split`, over `cases` cases."""

    name: Text
    class_name: Text
    value: float
    split: Text
    cases: Annotated[int, Meta(ge=1)]
    note: str = ""


class Classification(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the bundle says of whole regions, from the encoder's features inside some of its classes."""

    classes: Annotated[tuple[Text, ...], Meta(min_length=2, max_length=255)]
    """Of the region, as "Benign" and "Malignant", in the order of the linear layer."""
    inside: Annotated[tuple[Text, ...], Meta(min_length=1)]
    """Classes of the mask whose tissue is looked at."""


class Card(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A bundle's own account of itself."""

    format: Literal["acinus-bundle-1"]
    name: Text
    title: Text
    architecture: Architecture
    classes: Annotated[tuple[Text, ...], Meta(min_length=1, max_length=255)]
    """In channel order; names of the taxonomy."""
    mpp: Annotated[float, Meta(gt=0, le=100)]
    tile: Annotated[int, Meta(ge=STRIDE, le=8192, multiple_of=STRIDE)]
    """Side of the tiles it is run on, in pixels at `mpp`."""
    halo: Annotated[int, Meta(ge=0)]
    """Pixels at each side of a tile that are blended with its neighbour."""
    normalisation: Normalisation
    trained: bool
    training: TrainingData
    metrics: tuple[Metric, ...]
    licence: Text
    intended_use: Text
    limits: Text
    sha256: Sha256
    """Of model.safetensors."""
    preprocessing: Annotated[tuple[Step, ...], Meta(max_length=16)] = ()
    """What is done to a tile before normalisation, in this order."""
    classification: Classification | None = None
    temperature: Annotated[float, Meta(ge=0.05, le=20)] = 1.0
    """What logits are divided by before confidence is told, fitted on pictures that never trained."""
    stain: StainRange | None = None
    """How the training pictures look (`segcore.slides.preprocessing.stain_range`)."""

    def measured(self, metrics: tuple[Metric, ...]) -> "Card":
        """Return a copy with these metrics."""
        return msgspec.structs.replace(self, metrics=metrics)


def read_card(content: bytes, *, source: str) -> Card:
    """Decode and check a `bundle.json`; `source` names it in the ModelError that tells what is wrong."""
    try:
        card = msgspec.json.decode(content, type=Card)
    except (
        msgspec.DecodeError,
        msgspec.ValidationError,
        UnicodeDecodeError,
        RecursionError,
    ) as error:
        reason = " ".join(str(error).split())[:200]  # it may quote the file
        raise ModelError(f"{source} is not a bundle's card: {reason}.") from error
    if problem := _problem(card):
        raise ModelError(f"{source} does not fit together: {problem}.")
    return card


def write_card(card: Card) -> bytes:
    """Encode a card for people to read; raises ModelError where it does not hold together."""
    content = msgspec.json.format(msgspec.json.encode(card), indent=2) + b"\n"
    read_card(content, source=f"The card of {card.name!r}")
    return content


def card_schema() -> dict[str, Any]:
    """Return the JSON schema of `bundle.json`."""
    schema = msgspec.json.schema(Card)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Acinus model bundle",
        **json.loads(json.dumps(schema)),
    }


def _problem(card: Card) -> str | None:
    if len(set(card.classes)) < len(card.classes):
        return "a class is named twice"
    if 4 * card.halo > card.tile:
        return f"a halo of {card.halo} is more than a quarter of the tile of {card.tile}"
    if not all(math.isfinite(v) for v in (*card.normalisation.mean, *card.normalisation.std)):
        return "the normalisation is not finite"
    if min(card.normalisation.std) <= 0:
        return "a standard deviation is not positive"
    return _classification_problem(card.classification, card) or _name_problem(card)


def _classification_problem(part: Classification | None, card: Card) -> str | None:
    if part is None:
        return None
    if len(set(part.classes)) < len(part.classes):
        return "a class of the classification is named twice"
    if max(map(len, (*part.classes, *part.inside))) > LONGEST_NAME:
        return f"a name has more than {LONGEST_NAME} characters"
    if strange := [name for name in part.inside if name not in card.classes]:
        return f"the classification looks inside {strange[0]!r}, which is none of the classes"
    return None


def _name_problem(card: Card) -> str | None:
    arguments = card.architecture.arguments
    names = (card.name, card.architecture.name, *arguments, *card.classes)
    if max(map(len, names)) > LONGEST_NAME:
        return f"a name has more than {LONGEST_NAME} characters"
    if taken := {"name", "classes"} & arguments.keys():
        return f"the architecture's argument {min(taken)!r} is given twice"
    try:
        for name in card.classes:
            load_taxonomy().named(name)
    except AnnotationError as error:
        return str(error).rstrip(".")
    return None
