"""Splits divide cases, never tiles."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segcore.data.splits import fold_cases, split_cases, strata_of, with_folds, with_splits
from segcore.errors import DataError

RATIOS = {"train": 8.0, "val": 1.0, "test": 1.0}
case_names = st.lists(st.text("abcdef0123456789-", min_size=1, max_size=6), unique=True)


def rows_of(counts):
    return [
        {"file": f"{case}-{at}", "case": case, "split": "train", "label": label}
        for case, (tiles, label) in counts.items()
        for at in range(tiles)
    ]


@settings(deadline=None, max_examples=60)
@given(
    counts=st.dictionaries(
        st.text("abcdef0123456789", min_size=1, max_size=5),
        st.tuples(st.integers(1, 5), st.sampled_from(["x", "y", ""])),
        min_size=3,
        max_size=60,
    ),
    seed=st.integers(0, 2**31),
    stratify=st.sampled_from([None, "label"]),
    shuffled=st.randoms(use_true_random=False),
)
def test_no_case_crosses_and_every_case_lands_once(counts, seed, stratify, shuffled):
    rows = rows_of(counts)
    divided = with_splits(rows, RATIOS, seed=seed, stratify=stratify)
    part_of = {}
    for before, after in zip(rows, divided, strict=True):
        assert {**after, "split": "train"} == before
        assert part_of.setdefault(after["case"], after["split"]) == after["split"]
    assert set(part_of) == set(counts)
    assert set(part_of.values()) == set(RATIOS)
    shuffled.shuffle(rows)
    assert {
        r["case"]: r["split"] for r in with_splits(rows, RATIOS, seed=seed, stratify=stratify)
    } == part_of


@settings(deadline=None, max_examples=60)
@given(cases=case_names.filter(lambda names: len(names) >= 5), seed=st.integers(0, 2**31))
def test_folds_differ_by_one_case_at_most_and_no_case_is_in_two(cases, seed):
    folds = fold_cases(cases, 5, seed=seed)
    sizes = Counter(folds.values())
    assert set(folds) == set(cases)
    assert set(sizes) == set(range(5))
    assert max(sizes.values()) - min(sizes.values()) <= 1


def test_shares_are_met_to_within_a_case():
    parts = Counter(split_cases(map(str, range(137)), RATIOS).values())
    assert parts == {"train": 109, "val": 14, "test": 14}
    assert Counter(split_cases(map(str, range(10)), RATIOS).values()) == {
        "train": 8,
        "val": 1,
        "test": 1,
    }


def test_each_stratum_is_divided_alike():
    strata = {str(at): "rare" if at < 20 else "usual" for at in range(120)}
    parts = split_cases(strata, RATIOS, strata=strata)
    rare = Counter(part for case, part in parts.items() if strata[case] == "rare")
    assert rare == {"train": 16, "val": 2, "test": 2}


def test_a_seed_gives_one_split_and_another_seed_another():
    cases = [str(at) for at in range(40)]
    assert split_cases(cases, RATIOS) == split_cases(reversed(cases), RATIOS, seed=42)
    assert split_cases(cases, RATIOS) != split_cases(cases, RATIOS, seed=43)


def test_a_part_without_a_share_gets_nothing():
    parts = split_cases("abcd", {"train": 1, "val": 1, "test": 0})
    assert set(parts.values()) == {"train", "val"}


def test_three_cases_give_each_part_one():
    assert sorted(split_cases("abc", RATIOS).values()) == ["test", "train", "val"]


def test_too_few_cases_get_a_sentence():
    with pytest.raises(DataError, match="3 parts need as many cases, and there are 2"):
        split_cases("ab", RATIOS)
    with pytest.raises(DataError, match="5 parts"):
        fold_cases("abcd", 5)


def test_the_test_split_stays_out_of_the_folds():
    rows = rows_of(dict.fromkeys("abcde", (2, "")))
    rows[0]["split"] = "test"
    folded = with_folds(rows, 2)
    assert [row["fold"] for row in folded[:2]] == ["", ""]
    assert {row["fold"] for row in folded[2:]} == {"0", "1"}
    assert all("fold" not in row for row in with_splits(folded, RATIOS))


def test_the_stratum_of_a_case_is_its_commonest_value_or_rarest_class():
    rows = [
        {"case": "a", "label": "x", "Tumor": "5", "Necrosis": "0"},
        {"case": "a", "label": "y", "Tumor": "5", "Necrosis": "3"},
        {"case": "a", "label": "y", "Tumor": "", "Necrosis": ""},
        {"case": "b", "label": "x", "Tumor": "9", "Necrosis": "0"},
    ]
    assert strata_of(rows, "label") == {"a": "y", "b": "x"}
    assert strata_of(rows, "class") == {"a": "Necrosis", "b": "Tumor"}
    with pytest.raises(DataError, match="no column 'grade'"):
        strata_of(rows, "grade")
