import numpy as np
import pandas as pd

from recommender.evaluation.groups import (
    groups_by_age,
    groups_by_popularity,
    groups_by_value,
    user_groups,
)


def test_head_torso_and_tail_are_cut_where_half_and_four_fifths_of_the_ratings_are_reached():
    counts = np.array([0, 10, 50, 5, 15, 20, 0])  # 100 in all; in order: 50, 20, 15, 10, 5
    groups = groups_by_popularity(counts)
    assert groups.names == ("head", "torso", "tail", "new")
    assert [groups.names[place] for place in groups.index] == [
        "new", "tail", "head", "tail", "torso", "torso", "new",
    ]  # fmt: skip


def test_of_equally_rated_movies_the_lower_code_is_the_more_popular():
    assert groups_by_popularity(np.array([1, 1, 1, 1])).index.tolist() == [0, 0, 1, 1]


def test_ages_are_in_the_band_that_holds_them_and_unknown_ones_in_none():
    ages = pd.Series([7, 17, 18, 24, 25, 44, 45, 54, 55, 73, None], dtype="Int32")
    groups = groups_by_age(ages)
    named = [groups.names[place] if place >= 0 else None for place in groups.index]
    assert named == [
        "under 18", "under 18", "18-24", "18-24", "25-34", "35-44", "45-54", "45-54", "55+", "55+", None,
    ]  # fmt: skip


def test_a_missing_value_is_in_no_group():
    groups = groups_by_value(pd.Series(["M", None, "F", "M"]))
    assert groups.names == ("F", "M")
    assert groups.index.tolist() == [1, -1, 0, 1]
    assert [(name, mask.tolist()) for name, mask in groups.of(np.array([1, 2])).present()] == [
        ("F", [False, True])
    ]


def test_what_the_data_set_does_not_tell_is_left_out():
    unknown = pd.Series([None, None], dtype="object")
    users = pd.DataFrame({"gender": ["F", None], "age": unknown.astype("Int32"), "occupation": unknown})
    assert list(user_groups(users)) == ["gender"]
