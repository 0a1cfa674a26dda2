import numpy as np

from segcore.data.weak import guard_borders, keep_dense_nuclei


def test_pixels_near_a_border_are_unlabelled():
    codes = np.ones((9, 12), np.uint8)
    codes[:, 6:] = 2

    guarded = guard_borders(codes, 2)

    assert guarded[4].tolist() == [1, 1, 1, 1, 0, 0, 0, 0, 2, 2, 2, 2]


def test_a_guard_of_nothing_keeps_everything():
    codes = np.arange(12, dtype=np.uint8).reshape(3, 4)

    assert np.array_equal(guard_borders(codes, 0), codes)


def test_a_class_is_kept_only_where_nuclei_are_dense():
    image = np.full((120, 240, 3), (230, 150, 200), np.uint8)  # pale tissue
    rng = np.random.default_rng(0)
    dark = rng.random((120, 240)) < np.where(np.arange(240) < 120, 0.8, 0.05)
    image[dark] = (60, 30, 120)
    codes = np.full((120, 240), 3, np.uint8)
    codes[:10] = 1

    kept = keep_dense_nuclei(image, codes, 3)

    assert (kept[40:80, 30:60] == 3).mean() > 0.95
    assert (kept[40:80, 180:220] == 0).mean() > 0.95
    assert (kept[:10] == 1).all()


def test_glass_has_no_nuclei():
    glass = np.full((8, 8, 3), 245, np.uint8)

    assert not keep_dense_nuclei(glass, np.full((8, 8), 3, np.uint8), 3).any()
