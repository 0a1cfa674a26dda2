"""Tiny pictures and recipes: two classes that differ in colour, as samples and as a data set on disk."""

import csv

import numpy as np
from PIL import Image

from segcore.data import Sample
from segcore.training.recipe import Recipe

COLOURS = np.array([(0, 0, 0), (120, 40, 140), (240, 170, 200)])


def pixels(seed, size):
    rng = np.random.default_rng(seed)
    codes = np.ones((size, size), np.uint8)
    codes[:, size // 2 :] = 2
    image = COLOURS[codes] + rng.integers(-9, 9, (size, size, 3))
    return image.clip(0, 255).astype(np.uint8), codes


def sample(case, source="A", size=96):
    return Sample(case, source, *pixels(len(case), size))


def recipe(**changes):
    values = {
        "name": "test",
        "architecture": "lightmuseg-v2",
        "classes": ("Tumor", "Stroma"),
        "crop": 64,
        "batch": 2,
        "steps": 4,
        "warmup": 1,
        "save_every": 2,
        "ema": 0.5,
    }
    return Recipe(**{**values, **changes})


def write_data(folder, splits=("train", "train", "val"), size=64, mpp=0.5):
    """Write a data set with one picture for each split, each of a case of its own."""
    (folder / "images").mkdir(parents=True)
    (folder / "labels").mkdir()
    with (folder / "manifest.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["file", "case", "source", "mpp", "split"])
        for i, split in enumerate(splits):
            image, codes = pixels(i, size)
            Image.fromarray(image).save(folder / "images" / f"{i}.png")
            Image.fromarray(codes).save(folder / "labels" / f"{i}.png")
            table.writerow([f"{i}.png", f"case {i}", "A", mpp, split])
    return folder
