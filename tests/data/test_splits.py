"""Splits by their invariants: disjoint, complete, and training is never newer than what is tested."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from recommender.config import DataSettings
from recommender.data.splits import assign_splits, leave_last, random_split, row_quantile, time_range
from recommender.errors import DataError

RANDOM = np.random.default_rng(0)
TIMESTAMP = RANDOM.integers(0, 1_000, 500)
USER = RANDOM.integers(0, 20, 500).astype(np.int32)


@pytest.mark.parametrize("split_by", [time_range, row_quantile])
def test_a_split_by_time_never_trains_on_what_is_newer(split_by) -> None:
    split = split_by(TIMESTAMP, 0.2, 0.3)
    assert TIMESTAMP[split == 0].max() < TIMESTAMP[split == 1].min()
    assert TIMESTAMP[split == 1].max() < TIMESTAMP[split == 2].min()
    assert set(split) == {0, 1, 2}


def test_a_time_range_is_cut_by_its_share() -> None:
    split = time_range(np.arange(101), 0.2, 0.2)
    assert np.bincount(split).tolist() == [61, 20, 20]


def test_a_row_quantile_is_cut_by_rows_and_splits_no_second() -> None:
    assert np.bincount(row_quantile(np.arange(100), 0.2, 0.3)).tolist() == [50, 20, 30]
    tied = np.repeat([1, 2, 3], [60, 30, 10])
    for second in (1, 2, 3):
        assert len(set(row_quantile(tied, 0.2, 0.2)[tied == second])) == 1


def test_leave_last_takes_each_users_last_rating_and_file_order_breaks_ties() -> None:
    user = np.array([0, 0, 0, 0, 1, 1, 2, 2, 2])
    timestamp = np.array([5, 9, 9, 1, 3, 2, 7, 7, 7])
    #        last of user 0: row 2 (same second as row 1, later in the file); user 1 has too few
    assert leave_last(user, timestamp, 1).tolist() == [0, 1, 2, 0, 0, 0, 0, 1, 2]


def test_leave_last_n_takes_n_of_everybody() -> None:
    split = leave_last(USER, TIMESTAMP, 3)
    assert all(np.bincount(split[user == USER], minlength=3)[1:].tolist() == [3, 3] for user in range(20))


def test_a_random_split_depends_on_the_seed_alone() -> None:
    assert np.bincount(random_split(1000, 0.1, 0.2, 3)).tolist() == [700, 100, 200]
    np.testing.assert_array_equal(random_split(1000, 0.1, 0.2, 3), random_split(1000, 0.1, 0.2, 3))
    assert (random_split(1000, 0.1, 0.2, 3) != random_split(1000, 0.1, 0.2, 4)).any()


def test_an_empty_split_says_which_and_what_to_change() -> None:
    settings = DataSettings(split="time_range")
    with pytest.raises(DataError, match=r"the validation split is empty: data.split=time_range of 2 ratings"):
        assign_splits(settings, np.array([0, 1]), np.array([1, 100]), 0)


@pytest.mark.movielens
def test_the_time_range_of_ml_100k_has_the_known_counts(movielens_home: Path) -> None:
    timestamp = np.loadtxt(movielens_home / "ml-100k" / "u.data", dtype=np.int64)[:, 3]
    assert np.bincount(time_range(timestamp, 0.2, 0.2)).tolist() == [65_336, 15_778, 18_886]
