"""Small trees in the layouts of real data sets."""

import csv
from pathlib import Path

import numpy as np
from PIL import Image

from tests.builders import GLASS, STROMA, TUMOR, write_slide

PALE, DARK = (230, 150, 200), (90, 40, 130)


def picture(file: Path, size=(64, 48), colour=PALE) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(file)
    return file


def mask(file: Path, codes) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(codes, np.uint8)).save(file)
    return file


def halves(left: int, right: int, size=(64, 48)) -> np.ndarray:
    codes = np.full((size[1], size[0]), left, np.uint8)
    codes[:, size[0] // 2 :] = right
    return codes


def canonical(folder: Path, cases: dict[str, str], *, tiles=2, mpp=0.5) -> Path:
    """Make a folder of our own kind: `cases` gives the split of each, all of class 2 and half of class 1."""
    rows = []
    for case, split in cases.items():
        for at in range(tiles):
            name = f"{case}-{at}.png"
            picture(folder / "images" / name)
            mask(folder / "labels" / name, halves(1, 2))
            rows.append({"file": name, "case": case, "source": "here", "mpp": mpp, "split": split})
    with (folder / "manifest.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return folder


ROIS = {"TCGA-A1-A0SK-DX1": (45749, 25055), "TCGA-A2-A04P-DX1": (104246, 48517)}


def bcss(folder: Path) -> Path:
    """Make two ROIs whose masks hold code 0, 1, ... in columns of two pixels, and a bounds row without ROI."""
    codes = np.repeat(np.arange(22), 2)[None].repeat(48, 0)
    for slide, (x, y) in ROIS.items():
        name = f"{slide}_xmin{x}_ymin{y}_MPP-0.2500.png"
        picture(folder / "rgbs_colorNormalized" / name, (44, 48))
        mask(folder / "masks" / name, codes)
    rows = [f"{slide},{x},{y},{x + 44},{y + 48},link" for slide, (x, y) in ROIS.items()]
    bounds = [",xmin,ymin,xmax,ymax,mask_link", *rows, "TCGA-A2-A04Q-DX1,1,2,3,4,link"]
    (folder / "roiBounds.csv").write_text("\n".join(bounds) + "\n")
    return folder


def bcss_wsss(folder: Path) -> Path:
    stem = "TCGA-A1-A0SK-DX1_xmin45749_ymin25055_MPP-0.2500"
    picture(folder / "train" / f"{stem}+0[1101].png")
    picture(folder / "train" / f"{stem}+1[0000].png")
    picture(folder / "train" / f"{stem}+2.png")
    for split, other in (("val", "TCGA-EW-A1PB-DX1"), ("test", "TCGA-D8-A27F-DX1")):
        name = f"{other}_xmin1_ymin2_MPP-0.2500+0.png"
        picture(folder / split / "img" / name)
        mask(folder / split / "mask" / name, np.arange(64)[None].repeat(48, 0) % 5)
    pseudo = np.arange(64)[None].repeat(48, 0) % 5
    mask(folder / "pseudo" / f"{stem}+0[1101].png", pseudo)
    return folder


def breakhis(folder: Path) -> Path:
    root = folder / "BreaKHis_v1" / "histology_slides" / "breast"
    for kind, type_, letters, slide, magnification in (
        ("benign", "adenosis", "B_A", "14-22549AB", 40),
        ("benign", "adenosis", "B_A", "14-22549CD", 40),
        ("malignant", "ductal_carcinoma", "M_DC", "14-10926", 40),
        ("malignant", "ductal_carcinoma", "M_DC", "14-10926", 400),
    ):
        place = root / kind / "SOB" / type_ / f"SOB_{letters}_{slide}" / f"{magnification}X"
        picture(place / f"SOB_{letters}-{slide}-{magnification}-001.png", (70, 46))
    picture(root / "benign" / "cover.png")
    return folder


def glas(folder: Path) -> Path:
    rows = ["name,patient ID, grade (GlaS), grade (Sirinukunwattana et al. 2015)"]
    for name, patient, grade in (
        ("train_1", 3, "benign"),
        ("train_2", 4, "malignant"),
        ("testA_1", 5, "malignant"),
    ):
        picture(folder / f"{name}.bmp")
        mask(folder / f"{name}_anno.bmp", halves(0, 7))
        rows.append(f"{name},{patient}, {grade}, x")
    (folder / "Grade.csv").write_text("\n".join(rows) + "\n")
    return folder


def fields(width=512, height=512) -> np.ndarray:
    """Return a slide: glass around a square of tissue, stroma with nuclei, at [64:448, 64:448]."""
    pixels = np.full((height, width, 3), GLASS, np.uint8)
    rng = np.random.default_rng(0)
    tissue = pixels[64:448, 64:448]
    nuclei = rng.random(tissue.shape[:2]) < 0.3
    tissue[:] = np.where(nuclei[..., None], TUMOR, STROMA) + rng.integers(-9, 9, tissue.shape)
    return pixels


def asap(file: Path, *marks: tuple[str, tuple[int, int, int, int]], name="a") -> Path:
    """Write rectangles (group, (left, top, right, bottom)) as ASAP does."""
    file.parent.mkdir(parents=True, exist_ok=True)
    text = ""
    for group, (left, top, right, bottom) in marks:
        corners = ((left, top), (right, top), (right, bottom), (left, bottom))
        points = "".join(
            f'<Coordinate Order="{at}" X="{x}" Y="{y}" />' for at, (x, y) in enumerate(corners)
        )
        text += (
            f'<Annotation Name="{name}" Type="Polygon" PartOfGroup="{group}" Color="#F4FA58">'
            f"<Coordinates>{points}</Coordinates></Annotation>"
        )
    file.write_text(f"<ASAP_Annotations><Annotations>{text}</Annotations></ASAP_Annotations>")
    return file


def camelyon(folder: Path) -> Path:
    training = folder / "training"
    for name in ("tumor/tumor_001", "normal/normal_001", "tumor/tumor_002"):
        (training / name).parent.mkdir(parents=True, exist_ok=True)
        write_slide(training / f"{name}.tif", fields())
    marks = (("_0", (128, 128, 256, 256)), ("_2", (128, 128, 192, 192)), ("odd", (0, 0, 9, 9)))
    asap(folder / "lesion_annotations" / "tumor_001.xml", *marks)
    return folder


def bach(folder: Path) -> Path:
    for name in ("Normal", "Benign", "InSitu", "Invasive"):
        Image.new("RGB", (64, 48)).save(picture(folder / "Photos" / name / f"{name[:2]}001.tif"))
    (folder / "WSI").mkdir()
    write_slide(folder / "WSI" / "A01.tif", fields())
    regions = "".join(
        f'<Region Id="{at}" Type="0" Text="" NegativeROA="0"><Attributes><Attribute Value="{said}" />'
        f'</Attributes><Vertices><Vertex X="{x}" Y="64" /><Vertex X="{x + 128}" Y="64" />'
        f'<Vertex X="{x + 128}" Y="192" /><Vertex X="{x}" Y="192" /></Vertices></Region>'
        for at, (said, x) in enumerate((("Carcinoma in situ", 64), ("Benign", 192)))
    )
    (folder / "WSI" / "A01.xml").write_text(
        f'<Annotations MicronsPerPixel="0.467"><Annotation Id="1"><Regions>{regions}</Regions>'
        "</Annotation></Annotations>"
    )
    return folder
