"""`python -m segcore.training train | publish RECIPE ...`: train a network, make a bundle of it."""

import argparse
from pathlib import Path

from safetensors.torch import load_file

from segcore.progress import Report
from segcore.training import publish, read_recipe, read_sources, train
from segcore.training.loop import CHECKPOINT, averaged_weights


def main() -> None:
    options = _parser().parse_args()
    options.work(options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m segcore.training")
    verbs = parser.add_subparsers(required=True)
    learn = verbs.add_parser("train", help="train, or go on where a run stopped")
    learn.add_argument("--encoder", type=Path, help="torchvision mobilenet_v2 as safetensors")
    learn.add_argument("--start", type=Path, help="checkpoint of another run to start from")
    learn.set_defaults(work=_train)
    ship = verbs.add_parser("publish", help="measure a run and write its bundle")
    ship.add_argument("--out", type=Path, required=True, help="folder of the bundle")
    ship.set_defaults(work=_publish)
    for verb in (learn, ship):
        verb.add_argument("recipe", type=Path)
        verb.add_argument("--data", type=Path, required=True, help="folder the sources lie in")
        verb.add_argument("--run", type=Path, required=True, help="folder of the run")
    return parser


def _train(options: argparse.Namespace) -> None:
    recipe = read_recipe(options.recipe)
    samples, validation = read_sources(recipe, options.data)
    train(
        recipe,
        samples,
        options.run,
        _printing(),
        encoder=load_file(options.encoder) if options.encoder else None,
        weights=averaged_weights(options.start) if options.start else None,
        validation=validation,
    )


def _publish(options: argparse.Namespace) -> None:
    recipe = read_recipe(options.recipe)
    samples, validation = read_sources(recipe, options.data)
    checkpoint = options.run / CHECKPOINT
    publish(recipe, checkpoint, samples, validation, folder=options.out, report=_printing())


def _printing() -> Report:
    def report(fraction: float, text: str = "") -> None:
        print(f"{fraction:6.1%}  {text}", flush=True)  # noqa: T201 - a command line prints

    return report


if __name__ == "__main__":
    main()
