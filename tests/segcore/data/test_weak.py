import numpy as np

from segcore.data.weak import guard_borders, keep_dense_nuclei, nuclear_threshold, open_holes


def test_pixels_near_a_border_are_unlabelled():
    codes = np.ones((9, 12), np.uint8)
    codes[:, 6:] = 2

    guarded = guard_borders(codes, 2)

    assert guarded[4].tolist() == [1, 1, 1, 1, 0, 0, 0, 0, 2, 2, 2, 2]


def test_a_guard_of_nothing_keeps_everything():
    codes = np.arange(12, dtype=np.uint8).reshape(3, 4)

    assert np.array_equal(guard_borders(codes, 0), codes)


def tissue(odds):
    """Pale tissue with dark nuclear pixels, as likely in each column as `odds` says."""
    odds = np.broadcast_to(odds, (120, 240))
    image = np.full((120, 240, 3), (230, 150, 200), np.uint8)
    image[np.random.default_rng(0).random((120, 240)) < odds] = (60, 30, 120)
    return image


def test_a_class_is_kept_only_where_nuclei_are_dense():
    image = tissue(np.where(np.arange(240) < 140, 0.8, 0.05))
    codes = np.full((120, 240), 3, np.uint8)
    codes[:10] = 1

    kept = keep_dense_nuclei(image, codes, 3, threshold=nuclear_threshold([image]))

    assert (kept[40:80, 30:60] == 3).mean() > 0.95
    assert (kept[40:80, 200:220] == 0).mean() > 0.95
    assert (kept[:10] == 1).all()


def test_a_class_that_is_hardly_anywhere_dense_is_not_kept_at_all():
    image = tissue(np.where(np.arange(240) < 60, 0.8, 0.05))

    kept = keep_dense_nuclei(image, np.full((120, 240), 3, np.uint8), 3, threshold=150.0)

    assert not kept.any()


def test_the_threshold_of_nuclei_is_that_of_all_pictures_together():
    dense, collagen = tissue(0.5), np.full((120, 240, 3), (225, 150, 200), np.uint8)

    assert 60 < nuclear_threshold([dense, collagen]) < 225


def test_without_tissue_nothing_is_nuclei():
    glass = np.full((8, 8, 3), 245, np.uint8)

    assert nuclear_threshold([glass, glass]) == nuclear_threshold([]) == 0


def test_glass_has_no_nuclei():
    glass = np.full((8, 8, 3), 245, np.uint8)

    assert not keep_dense_nuclei(glass, np.full((8, 8), 3, np.uint8), 3, threshold=150.0).any()


def test_bright_holes_are_other_and_narrow_clefts_are_not():
    image = np.full((80, 80, 3), (200, 120, 180), np.uint8)
    image[20:60, 10:40] = 245
    image[:, 70] = 245

    opened = open_holes(image, np.full((80, 80), 4, np.uint8), 5)

    assert (opened[30:50, 18:32] == 5).all()
    assert (opened[:, 60:] == 4).all()
