"""Data: pictures with reference masks, as training and evaluation use them.

A `Sample` is one picture at the working pixel size with a mask of class codes (0 = unlabelled, ignored
everywhere), the case it comes from and its source; it is read when it is asked for. Cases, never tiles, are
what `splits` divide. `formats` know how foreign data sets lie on a disk, `building` turns them into one kind
of folder (manifest.csv, images, labels), `checking` tells what is in it and what is wrong with it.
"""

from segcore.data.folders import read_class_tiles, read_manifest_folder, read_mask_folder
from segcore.data.sample import Sample
from segcore.data.tiles import TileManifest, export_tiles, read_tiles

__all__ = [
    "Sample",
    "TileManifest",
    "export_tiles",
    "read_class_tiles",
    "read_manifest_folder",
    "read_mask_folder",
    "read_tiles",
]
