"""From the sources a recipe names to samples for training and validation."""

from functools import partial
from pathlib import Path

import numpy as np

from segcore.annotations import load_taxonomy
from segcore.data import Sample, read_class_tiles, read_manifest_folder, read_mask_folder
from segcore.data.sample import Codes, Pixels, Rgb, resample
from segcore.data.weak import guard_borders, keep_dense_nuclei, nuclear_threshold, open_holes
from segcore.errors import DataError
from segcore.slides.procedural import MPP, STANDARD, draw_stain, paint_sample
from segcore.training.recipe import Recipe, Source, class_codes

SECTION = 3072
"""Side of a painted section in level-0 pixels."""

Parts = tuple[list[Sample], list[Sample]]


def read_sources(recipe: Recipe, data: Path, *, fold: int | None = None) -> Parts:
    """Return the training and the validation samples of all sources, below the folder `data`.

    A recipe without sources takes the data set in `data` itself, by its manifest. With `fold`, manifests
    are divided by their folds. Cases that the recipe holds out are in neither.
    """
    training: list[Sample] = []
    validation: list[Sample] = []
    for source in recipe.sources:
        first, second = _read_source(source, data, recipe.mpp, fold)
        training += [sample.named(source.name) for sample in first]
        validation += [sample.named(source.name) for sample in second]
    if not recipe.sources:
        training, validation = _manifest(data, recipe.mpp, fold)
    _check_held_out(recipe, training + validation)
    training, validation = _kept(training, recipe), _kept(validation, recipe)
    if not training:
        raise DataError(
            f"No picture in {data} is for training; give its manifest rows the split train."
        )
    return _recoded(training, recipe), _recoded(validation, recipe)


def _read_source(source: Source, data: Path, mpp: float, fold: int | None) -> Parts:
    folder = data / source.folder
    match source.kind:
        case "manifest":
            training, validation = _manifest(folder, mpp, fold)
            return _only(training, source.only), _only(validation, source.only)
        case "tiles":
            return _tiles(source, folder, mpp), []
        case "masks":
            samples = _masks(source, folder, mpp)
            kept = len(samples) - source.validation
            return samples[:kept], samples[kept:]
        case "procedural":
            return _paint(source.seeds, mpp), _paint(source.validation_seeds, mpp)
    raise DataError(
        f"The recipe's source {source.name!r} has the unknown kind {source.kind!r}; "
        "use manifest, tiles, masks or procedural."
    )


def _manifest(folder: Path, mpp: float, fold: int | None) -> Parts:
    training = read_manifest_folder(folder, split="train", mpp=mpp, fold=fold)
    return training, read_manifest_folder(folder, split="val", mpp=mpp, fold=fold)


def _only(samples: list[Sample], start: str) -> list[Sample]:
    return [sample for sample in samples if sample.source.startswith(start)]


def _check_held_out(recipe: Recipe, samples: list[Sample]) -> None:
    """Raise DataError for a case that is not there: mistyped, it would train."""
    for case in recipe.held_out:
        if not any(sample.case == case for sample in samples):
            raise DataError(
                f"The recipe holds out the case {case!r}, which the data does not have; name it as its manifest does."
            )


def _kept(samples: list[Sample], recipe: Recipe) -> list[Sample]:
    return [sample for sample in samples if sample.case not in recipe.held_out]


def _tiles(source: Source, folder: Path, mpp: float) -> list[Sample]:
    found = read_class_tiles(folder, source.codes, tile_mpp=source.mpp, mpp=mpp)
    if not source.holes:
        return found
    (other,) = class_codes(["Other"])
    return [each.changed(partial(_opened, other)) for each in found]


def _opened(other: int, image: Rgb, codes: Codes) -> Pixels:
    return image, open_holes(image, codes, other)


def _masks(source: Source, folder: Path, mpp: float) -> list[Sample]:
    codes = {int(value): code for value, code in source.codes.items()}
    found = read_mask_folder(folder, codes, picture_mpp=source.mpp, mpp=mpp)
    threshold = nuclear_threshold(each.image for each in found) if source.dense else 0.0
    weakened = partial(_weakened, source.guard, source.dense, threshold)
    return [each.changed(weakened) for each in found]


def _weakened(
    guard: int, dense: tuple[int, ...], threshold: float, image: Rgb, codes: Codes
) -> Pixels:
    codes = guard_borders(codes, guard)
    for code in dense:
        codes = keep_dense_nuclei(image, codes, code, threshold=threshold)
    return image, codes


def _paint(seeds: tuple[int, ...], mpp: float) -> list[Sample]:
    """Paint a whole section per seed; every other one has a stain of its own."""
    samples = []
    for i, seed in enumerate(seeds):
        stain = draw_stain(seed) if i % 2 else STANDARD
        side = SECTION
        image, codes = paint_sample(
            seed, left=0, top=0, width=side, height=side, size=side, stain=stain
        )
        image, codes = resample(image, codes, factor=MPP / mpp)
        samples.append(Sample(f"procedural-{seed}", "procedural", image, codes))
    return samples


def _recoded(samples: list[Sample], recipe: Recipe) -> list[Sample]:
    """Return the samples with the codes of classes that count as another exchanged for that one's."""
    if not recipe.counts_as:
        return samples
    taxonomy = load_taxonomy()
    table = np.arange(256, dtype=np.uint8)
    for name, other in recipe.counts_as.items():
        table[taxonomy.named(name).code] = taxonomy.named(other).code
    return [sample.changed(partial(_looked_up, table)) for sample in samples]


def _looked_up(table: np.ndarray, image: Rgb, codes: Codes) -> Pixels:
    return image, table[codes]
