"""napari on the same slide and the same motion. Run by napari's own Python, apart from ours: see test_canvas.py.

`python napari_viewer.py SLIDE MOTION` reads a pyramidal TIFF and the views of MOTION, a JSON list of
[x, y, scale], shows them twice at 60 a second on a canvas of 1600 x 900, and prints the milliseconds of
each frame as JSON: {"cold": [...], "warm": [...]}.
"""

import json
import sys
import time
from pathlib import Path

import dask
import dask.array
import napari
import tifffile
import zarr
from qtpy.QtWidgets import QApplication

SIZE = 1600, 900
FRAME = 1 / 60


def pyramid(path):
    """Return the levels as napari's readers make them: dask arrays of the file's own tiles, decoded when seen."""
    with tifffile.TiffFile(path) as file:
        levels = len(file.series[0].levels)
    stores = [tifffile.imread(path, aszarr=True, level=level) for level in range(levels)]
    return [dask.array.from_zarr(zarr.open(store, mode="r")) for store in stores]


def bare_canvas(viewer):
    """Take panels and bars away and return the canvas, made as large as in the comparison."""
    window = viewer.window._qt_window  # there is no public way to the size of the canvas
    view = viewer.window._qt_viewer
    for part in (view.dockLayerControls, view.dockLayerList, window.menuBar(), window.statusBar()):
        part.hide()
    canvas = view.canvas.native
    canvas.setFixedSize(*SIZE)
    QApplication.processEvents()
    return canvas


def frame_times(viewer, views):
    times, due = [], time.perf_counter()
    for x, y, scale in views:
        began = time.perf_counter()
        viewer.scene.camera.center = (y, x)
        viewer.scene.camera.zoom = 1 / scale
        QApplication.processEvents()
        times.append(1000 * (time.perf_counter() - began))
        due = max(due + FRAME, time.perf_counter())
        while time.perf_counter() < due:
            QApplication.processEvents()
            time.sleep(0.001)
    return times


def main(slide, motion):
    views = json.loads(Path(motion).read_text())
    dask.config.set(scheduler="threads")
    viewer = napari.Viewer()
    viewer.add_image(pyramid(slide), multiscale=True, rgb=True)
    canvas = bare_canvas(viewer)
    times = {state: frame_times(viewer, views) for state in ("cold", "warm")}
    if (canvas.width(), canvas.height()) != SIZE:
        sys.exit(f"The screen is too small for a canvas of {SIZE[0]} x {SIZE[1]} pixels.")
    print(json.dumps(times))
    viewer.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
