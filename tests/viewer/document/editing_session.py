"""A random session that says what it has done; run as a program, it is there to be killed.

python editing_session.py STUDY SEED     prints a line after each edit, until it is killed
"""

import hashlib
import random
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import shapely

from segcore.annotations import Annotation, LabelMap
from viewer.document import Document, MaskGrid, Study, edits
from viewer.document.properties import set_properties


def steps(document: Document, seed: int) -> Iterator[None]:
    """Edit for ever; the same document and seed give the same edits."""
    chance = random.Random(seed)  # noqa: S311 (a test's dice)
    for number in range(1_000_000):
        _step(document, chance, f"{seed}-{number}")
        yield


def _step(document: Document, chance: random.Random, key: str) -> None:
    x, y, code = chance.randrange(900), chance.randrange(900), chance.randrange(1, 6)
    present = list(document.annotations.values())
    kind = chance.choice("aaadrppssuuy")
    if kind == "d" and present:
        document.apply(edits.delete([chance.choice(present)]))
    elif kind == "r" and present:
        document.apply(set_properties([chance.choice(present)], {"class_name": f"class {key}"}))
    elif kind == "p":
        labels = np.full((40, 40), code, np.uint8)
        document.apply(edits.paint(document.mask, labels, x, y, grid=MaskGrid(2.0, 0.5)))
    elif kind == "s":
        scale = chance.choice([2.0, 2.0, 2.0, 4.0])
        result = LabelMap(np.full((300, 300), code, np.uint8), x, y, scale, scale / 4)
        document.apply(edits.replace_mask(document.mask, result, key))
    elif kind == "u":
        document.undo()
    elif kind == "y":
        document.redo()
    else:
        document.apply(edits.add([Annotation(shapely.box(x, y, x + 9, y + 9), id=key)]))


def digest(document: Document) -> str:
    """Return a hash of all that can be seen of a document."""
    parts = [repr((document.history, document.position, document.mask.grid)).encode()]
    parts += [repr(each).encode() for each in document.annotations.values()]
    for tile_key, tile in sorted(document.mask.tiles.items()):
        parts += [repr(tile_key).encode(), tile.tobytes()]
    return hashlib.sha256(b"\n".join(parts)).hexdigest()


def main() -> None:
    study = Study.open(Path(sys.argv[1]))
    document = study.document(1)
    print("ready", flush=True)  # noqa: T201 (its parent listens)
    for _ in steps(document, int(sys.argv[2])):
        print("done", flush=True)  # noqa: T201 (its parent listens)


if __name__ == "__main__":
    main()
