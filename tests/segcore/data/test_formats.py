"""Each format reads a small tree in the layout of the real data set."""

import csv
from dataclasses import replace

import numpy as np
import pytest

from segcore.annotations import Annotation, write_annotations
from segcore.data import read_manifest_folder
from segcore.data.cases import Cut
from segcore.data.formats import FORMATS
from segcore.data.formats.bcss import code_table
from segcore.data.regions import Kind
from segcore.errors import DataError
from segcore.slides import open_slide
from tests.builders import write_slide
from tests.segcore.data import trees

TUMOR, STROMA, LYMPHOCYTE, NECROSIS, OTHER = 1, 2, 3, 4, 5
WHOLE = Cut()
TILES = Cut(mpp=0.5, tile=64)


def find(name, folder, **options):
    chosen = next(each for each in FORMATS if each.name == name)
    return chosen.find(folder, **options)


def parts_of(case, cut=WHOLE):
    remarks = []
    return list(case.parts(cut, remarks.append)), remarks


def refused(cases):
    """Return the sentence of each case that cannot be used."""
    sentences = {}
    for case in cases:
        try:
            parts_of(case)
        except DataError as error:
            sentences[case.title] = str(error)
    return sentences


@pytest.mark.parametrize("each", FORMATS, ids=lambda each: each.name)
def test_a_wrong_folder_gets_one_sentence(tmp_path, each):
    for folder in (tmp_path, tmp_path / "gone"):
        with pytest.raises(DataError, match=r"^[^\n]*\.$"):
            each.find(folder)


def test_bcss_codes_become_our_classes(tmp_path):
    cases = find("bcss", trees.bcss(tmp_path))
    [part], _ = parts_of(cases[0])
    assert part.codes[0, ::2].tolist() == [
        0, TUMOR, STROMA, LYMPHOCYTE, NECROSIS, OTHER, OTHER, 0, OTHER, OTHER, LYMPHOCYTE,
        LYMPHOCYTE, OTHER, OTHER, OTHER, 0, OTHER, OTHER, OTHER, TUMOR, TUMOR, OTHER,
    ]  # fmt: skip
    assert (cases[0].case, part.mpp, part.x, part.y) == ("TCGA-A1-A0SK", 0.25, 45749, 25055)
    assert refused(cases) == {
        "roiBounds.csv": "1 ROIs that it names have no picture here, the first TCGA-A2-A04Q-DX1."
    }


def test_the_table_of_bcss_itself_says_the_same_as_ours(tmp_path, shared_data):
    assert code_table(shared_data / "annotations" / "tables") == code_table(tmp_path)


def test_bcss_reads_another_numbering_from_its_table(tmp_path):
    (tmp_path / "meta").mkdir()
    (tmp_path / "meta" / "gtruth_codes.tsv").write_text("label\tGT_code\ndcis\t7\nfat\t8\n")
    assert code_table(tmp_path)[:10] == (0, 0, 0, 0, 0, 0, 0, TUMOR, OTHER, 0)


def test_the_real_bounds_of_bcss_place_a_picture(tmp_path, shared_data):
    name = "TCGA-A2-A04P-DX1_MPP-0.2500.png"
    trees.picture(tmp_path / "images" / name)
    trees.mask(tmp_path / "masks" / name, trees.halves(1, 2))
    bounds = (shared_data / "annotations" / "tables" / "roiBounds.csv").read_text()
    (tmp_path / "roiBounds.csv").write_text(bounds)
    first, missing = find("bcss", tmp_path)
    assert first.corner == (104246, 48517)
    assert "150 ROIs" in refused([missing])["roiBounds.csv"]


def test_flags_of_bcss_wsss_are_labels_and_limit_pseudo_labels(tmp_path):
    folder = trees.bcss_wsss(tmp_path)
    cases = {case.name: case for case in find("bcss-wsss", folder)}
    flagged = [case.label for name, case in cases.items() if "[" in name]
    assert flagged == ["Tumor+Stroma+Necrosis", "none"]
    assert [case.split for case in cases.values()][-2:] == ["val", "test"]
    assert {case.case for case in cases.values()} > {"TCGA-A1-A0SK", "TCGA-EW-A1PB"}
    [plain], _ = parts_of(next(iter(cases.values())))
    assert plain.codes is None
    weak = find("bcss-wsss", folder, pseudo=folder / "pseudo")[0]
    [part], _ = parts_of(weak)
    assert part.codes[0, :5].tolist() == [TUMOR, STROMA, 0, NECROSIS, 0]
    [val], _ = parts_of(next(case for name, case in cases.items() if name.startswith("val")))
    assert val.codes[0, :5].tolist() == [TUMOR, STROMA, LYMPHOCYTE, NECROSIS, 0]
    assert list(refused(cases.values()).values()) == ["Its name has no flags such as [1011]."]


def test_breakhis_takes_the_class_from_the_path_and_the_patient_from_the_name(tmp_path):
    folder = trees.breakhis(tmp_path)
    cases = [case for case in find("breakhis", folder) if case.case]
    assert {(case.case, case.label) for case in cases} == {
        ("14-22549", "benign adenosis"),
        ("14-10926", "malignant ductal carcinoma"),
    }
    assert sorted(case.mpp for case in cases) == [0.0492, 0.4924, 0.4924, 0.4924]
    [part], _ = parts_of(cases[0])
    assert part.codes is None
    assert part.image.shape == (46, 70, 3)
    one = [case for case in find("breakhis", folder, magnification="400") if case.case]
    assert len(one) == 1
    assert "cover.png" not in refused(find("breakhis", folder))
    assert refused(find("breakhis", folder)) == {
        "cover": "It is not named as BreakHis names pictures."
    }


def test_glas_takes_patient_and_grade_from_its_table(tmp_path):
    cases = {case.name: case for case in find("glas", trees.glas(tmp_path), rest=Kind(STROMA))}
    assert {name: (c.case, c.label, c.split) for name, c in cases.items()} == {
        "testA_1": ("patient 5", "malignant", "test"),
        "train_1": ("patient 3", "benign", "train"),
        "train_2": ("patient 4", "malignant", "train"),
    }
    halves = {name: parts_of(case)[0][0].codes[0, [0, -1]].tolist() for name, case in cases.items()}
    assert halves["train_1"] == [STROMA, OTHER]
    assert halves["train_2"] == [STROMA, TUMOR]


def test_a_plain_folder_takes_codes_and_cases_as_told(tmp_path):
    trees.picture(tmp_path / "images" / "p7__a.jpg")
    trees.mask(tmp_path / "masks" / "p7__a.png", trees.halves(0, 255))
    [case] = find("folder", tmp_path, source_mpp=1.0, codes={255: 1, 0: 5}, case="(.+?)__")
    [part], _ = parts_of(case, Cut(mpp=0.5))
    assert case.case == "p7"
    assert part.image.shape == (96, 128, 3)
    assert part.codes[0, [0, -1]].tolist() == [5, 1]
    [wrong] = find("folder", tmp_path, source_mpp=1.0, codes={1: 1, 0: 5})
    with pytest.raises(DataError, match="value 255, which has no class"):
        parts_of(wrong)
    with pytest.raises(DataError, match="--source-mpp"):
        find("folder", tmp_path)
    with pytest.raises(DataError, match="finds no case in the name p7__a"):
        find("folder", tmp_path, source_mpp=1.0, case="q")


def test_a_plain_mask_of_black_and_white_is_not_taken_for_class_codes(tmp_path):
    trees.picture(tmp_path / "images" / "p.png")
    trees.mask(tmp_path / "masks" / "p.png", trees.halves(0, 255))
    [case] = find("folder", tmp_path, source_mpp=1.0)

    with pytest.raises(DataError, match="--codes 255=CLASS"):
        parts_of(case)


def test_several_folders_of_tiles_become_one(tmp_path):
    trees.canonical(tmp_path / "one", {"a": "train"})
    trees.canonical(tmp_path / "two", {"b": "val"})
    cases = find("tiles", tmp_path)
    assert [(case.name, case.case, case.split) for case in cases][1:3] == [
        ("one/a-1", "a", "train"),
        ("two/b-0", "b", "val"),
    ]


def test_a_picture_is_cut_into_tiles_that_are_white_and_unlabelled_beyond_it(tmp_path):
    folder = trees.canonical(tmp_path, {"a": "train"}, tiles=1)
    [case] = find("tiles", folder)
    parts, _ = parts_of(case, Cut(tile=40, least_labelled=0.01))
    assert [(part.x, part.y) for part in parts] == [(0, 0), (40, 0), (0, 40), (40, 40)]
    corner = parts[-1]
    assert corner.image.shape == (40, 40, 3)
    assert (corner.image[8:] == 255).all()
    assert np.count_nonzero(corner.codes) == 24 * 8
    assert len(parts_of(case, Cut(tile=40, least_labelled=0.5))[0]) == 2


def test_a_picture_without_its_mask_is_refused(tmp_path):
    folder = trees.bcss(tmp_path)
    next(iter((folder / "masks").glob("*"))).unlink()
    assert len(refused(find("bcss", folder))) == 2


def test_camelyon_cuts_holes_out_of_tumor_and_tells_glass_from_tissue(tmp_path):
    cases = {
        case.name: case
        for case in find("camelyon", trees.camelyon(tmp_path), rest=Kind(LYMPHOCYTE))
    }
    parts, remarks = parts_of(cases["tumor_001"], TILES)
    codes = np.zeros((512, 512), np.uint8)
    for part in parts:
        codes[int(part.y) : int(part.y) + 64, int(part.x) : int(part.x) + 64] = part.codes
    expected = np.zeros((512, 512), np.uint8)
    expected[64:448, 64:448] = LYMPHOCYTE
    expected[128:256, 128:256] = TUMOR
    expected[128:192, 128:192] = LYMPHOCYTE
    inner = np.s_[96:416, 96:416]  # the tissue's edge is found at 8 µm only
    assert np.array_equal(codes[inner], expected[inner])
    assert set(np.unique(codes[:64, :64])) <= {0, OTHER}
    assert remarks == ["Annotations of the class odd were left out."]
    normal, _ = parts_of(cases["normal_001"], TILES)
    assert {int(code) for part in normal for code in np.unique(part.codes)} <= {LYMPHOCYTE, OTHER}
    assert len(normal) >= 36
    with pytest.raises(DataError, match="no annotation file"):
        parts_of(cases["tumor_002"], TILES)


def test_the_patient_is_the_case_in_camelyon17(tmp_path):
    write_slide(tmp_path / "patient_012_node_0.tif", trees.fields(64, 64))
    trees.asap(tmp_path / "patient_012_node_0.xml", ("metastases", (0, 0, 9, 9)))
    assert find("camelyon", tmp_path)[0].case == "patient_012"


def test_bach_has_photographs_with_labels_and_slides_with_regions(tmp_path):
    *photos, slide = find("bach", trees.bach(tmp_path), rest=Kind(OTHER))
    assert [(case.label, case.mpp) for case in photos] == [
        (label, 0.42) for label in ("benign", "in situ", "invasive", "normal")
    ]
    parts, _ = parts_of(slide, TILES)
    by_corner = {(part.x, part.y): part for part in parts}
    assert by_corner[64, 64].label == "in situ"
    assert by_corner[256, 64].label == "benign"
    assert by_corner[256, 256].label == "normal"
    assert (by_corner[64, 64].codes == TUMOR).all()
    assert (by_corner[256, 64].codes == OTHER).all()


def test_real_regions_of_bach_are_all_known(shared_data):
    from segcore.annotations.formats.asap import read_asap
    from segcore.data.formats.bach import region

    seen = set()
    for file in sorted((shared_data / "annotations" / "asap").glob("BACH-*.xml")):
        seen |= {region(each) for each in read_asap(file)[0]}
    assert seen == {
        Kind(TUMOR, "in situ"),
        Kind(TUMOR, "invasive"),
        Kind(TUMOR),
        Kind(OTHER, "benign"),
    }


def test_our_own_slides_take_geojson_in_the_frame_of_the_slide_and_no_name(tmp_path):
    import shapely

    slide = write_slide(tmp_path / "Jane Doe.tif", trees.fields(256, 256))
    mark = Annotation(shapely.box(64, 64, 128, 192), class_name="Stroma")
    with open_slide(slide) as opened:
        write_annotations(tmp_path / "Jane Doe.geojson", [mark], slide=opened)
    [case] = find("slides", tmp_path)
    parts, _ = parts_of(case, TILES)
    assert [(part.x, part.y) for part in parts] == [(64, 64), (64, 128)]
    assert all((part.codes == STROMA).all() for part in parts)
    with open_slide(slide) as opened:
        assert np.array_equal(parts[0].image, opened.read(64, 64, 0, 64, 64))
    assert "Jane" not in case.name + case.case
    (tmp_path / "cases.csv").write_text("slide,case\nJane Doe,p1\n")
    assert find("slides", tmp_path)[0].case == "p1"


def test_slides_without_a_pixel_size_need_one(tmp_path):
    write_slide(tmp_path / "a.tif", trees.fields(128, 128), mpp=None)
    trees.asap(tmp_path / "a.xml", ("Tumor", (0, 0, 64, 64)))
    [case] = find("slides", tmp_path)
    with pytest.raises(Exception, match="--source-mpp"):
        parts_of(case, TILES)
    [case] = find("slides", tmp_path, source_mpp=0.5)
    assert len(parts_of(case, TILES)[0]) == 1


def test_hinet_keeps_windows_by_their_share_of_tumor(tmp_path):
    write_slide(tmp_path / "a.tif", trees.fields())
    trees.asap(
        tmp_path / "a.xml",
        ("tumor", (128, 128, 192, 192)),  # a whole window: too much
        ("tumor", (192, 128, 224, 192)),  # half of one
        ("tumor", (256, 128, 258, 192)),  # a 32nd: too little
    )
    [case] = find("hinet", tmp_path)
    cut = replace(TILES, tumor=(0.05, 0.995))
    [part], _ = parts_of(case, cut)
    assert (part.x, part.y) == (192, 128)
    assert (part.codes == TUMOR).mean() == 0.5
    assert set(np.unique(part.codes)) == {TUMOR, OTHER}


def test_hinet_gives_differently_stained_slides_one_look(tmp_path):
    pixels = trees.fields()
    blue = (255 * (pixels / 255.0) ** (1.4, 1.0, 0.7)).astype(np.uint8)
    colours = []
    for name, each in (("a", pixels), ("b", blue)):
        write_slide(tmp_path / f"{name}.tif", each)
        trees.asap(tmp_path / f"{name}.xml", ("tumor", (64, 64, 448, 256)))
    for case in find("hinet", tmp_path):
        parts, _ = parts_of(case, Cut(0.5, 256, tumor=(0.05, 0.995), regularise=True))
        colours.append(parts[0].image[100:].mean(axis=(0, 1)))
    before = np.abs(pixels[100:].mean(axis=(0, 1)) - blue[100:].mean(axis=(0, 1))).max()
    assert before > 10
    assert np.abs(colours[0] - colours[1]).max() < before / 2


def test_what_an_extended_manifest_holds_is_read_by_recipes(tmp_path):
    folder = trees.canonical(tmp_path, {"a": "train"})
    with (folder / "manifest.csv").open() as file:
        assert "label" not in next(csv.reader(file))
    assert len(read_manifest_folder(folder, split="train", mpp=0.5)) == 2
