"""`python -m segcore.training RECIPE --data FOLDER --out FOLDER [--encoder FILE]`: train, or go on."""

import argparse
from pathlib import Path

from safetensors.torch import load_file

from segcore.progress import Report
from segcore.training import read_recipe, read_sources, train
from segcore.training.loop import averaged_weights


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m segcore.training")
    parser.add_argument("recipe", type=Path)
    parser.add_argument("--data", type=Path, required=True, help="folder the sources lie in")
    parser.add_argument("--out", type=Path, required=True, help="folder of the run")
    parser.add_argument("--encoder", type=Path, help="torchvision mobilenet_v2 as safetensors")
    parser.add_argument("--start", type=Path, help="checkpoint of a run to start from")
    options = parser.parse_args()
    recipe = read_recipe(options.recipe)
    samples, validation = read_sources(recipe, options.data)
    encoder = load_file(options.encoder) if options.encoder else None
    weights = averaged_weights(options.start) if options.start else None
    train(
        recipe,
        samples,
        options.out,
        _printing(),
        encoder=encoder,
        weights=weights,
        validation=validation,
    )


def _printing() -> Report:
    def report(fraction: float, text: str = "") -> None:
        print(f"{fraction:6.1%}  {text}", flush=True)  # noqa: T201 - a command line prints

    return report


if __name__ == "__main__":
    main()
