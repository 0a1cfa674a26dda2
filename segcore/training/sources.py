"""From the sources a recipe names to samples for training and validation."""

from pathlib import Path

from segcore.data import Sample, read_class_tiles, read_manifest_folder, read_mask_folder
from segcore.data.sample import resample
from segcore.data.weak import guard_borders, keep_dense_nuclei
from segcore.errors import DataError
from segcore.slides.procedural import MPP, STANDARD, draw_stain, paint_sample
from segcore.training.recipe import Recipe, Source

SECTION = 3072
"""Side of a painted section in level-0 pixels."""


def read_sources(recipe: Recipe, data: Path) -> tuple[list[Sample], list[Sample]]:
    """Return the training and the validation samples of all sources, below the folder `data`."""
    training: list[Sample] = []
    validation: list[Sample] = []
    for source in recipe.sources:
        first, second = _read_source(source, data, recipe.mpp)
        training += first
        validation += second
    return training, validation


def _read_source(source: Source, data: Path, mpp: float) -> tuple[list[Sample], list[Sample]]:
    match source.kind:
        case "manifest":
            parts = [_manifest(source, data, split, mpp) for split in ("train", "val")]
            return parts[0], parts[1]
        case "tiles":
            tiles = read_class_tiles(
                data / source.folder, source.codes, tile_mpp=source.mpp, mpp=mpp
            )
            return _named(tiles, source.name), []
        case "masks":
            samples = _masks(source, data, mpp)
            kept = len(samples) - source.validation
            return samples[:kept], samples[kept:]
        case "procedural":
            return _paint(source, source.seeds, mpp), _paint(source, source.validation_seeds, mpp)
    raise DataError(
        f"The recipe's source {source.name!r} has the unknown kind {source.kind!r}; "
        "use manifest, tiles, masks or procedural."
    )


def _manifest(source: Source, data: Path, split: str, mpp: float) -> list[Sample]:
    samples = read_manifest_folder(data / source.folder, split=split, mpp=mpp)
    return _named([s for s in samples if s.source.startswith(source.only)], source.name)


def _masks(source: Source, data: Path, mpp: float) -> list[Sample]:
    codes = {int(value): code for value, code in source.codes.items()}
    found = read_mask_folder(data / source.folder, codes, picture_mpp=source.mpp, mpp=mpp)
    samples = []
    for each in found:
        mask = guard_borders(each.codes, source.guard)
        for code in source.dense:
            mask = keep_dense_nuclei(each.image, mask, code)
        samples.append(Sample(each.case, source.name, each.image, mask))
    return samples


def _named(samples: list[Sample], name: str) -> list[Sample]:
    return [Sample(s.case, name, s.image, s.codes) for s in samples]


def _paint(source: Source, seeds: tuple[int, ...], mpp: float) -> list[Sample]:
    """Paint a whole section per seed; every other one has a stain of its own."""
    samples = []
    for i, seed in enumerate(seeds):
        stain = draw_stain(seed) if i % 2 else STANDARD
        side = SECTION
        image, codes = paint_sample(
            seed, left=0, top=0, width=side, height=side, size=side, stain=stain
        )
        image, codes = resample(image, codes, factor=MPP / mpp)
        samples.append(Sample(f"procedural-{seed}", source.name, image, codes))
    return samples
