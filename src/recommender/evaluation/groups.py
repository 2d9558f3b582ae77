"""Groups of rows, of users and of movies, within which models are compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from recommender.evaluation.history import HISTORY_GROUPS, history_group

NO_GROUP = -1
AGE_FROM = (0, 18, 25, 35, 45, 55)
AGE_BANDS = ("under 18", "18-24", "25-34", "35-44", "45-54", "55+")
# The share of training ratings that more popular movies have together, at which torso and tail begin.
TORSO_FROM, TAIL_FROM = 0.5, 0.8
POPULARITY_GROUPS = ("head", "torso", "tail", "new")


@dataclass(frozen=True)
class Groups:
    """Names of groups, and for each user, movie or row the index of its group; `NO_GROUP` where unknown."""

    names: tuple[str, ...]
    index: NDArray[np.int64]

    def of(self, codes: NDArray[np.integer]) -> Groups:
        """From groups of users or movies to those of rows with their codes `(n,)`."""
        return Groups(self.names, self.index[codes])

    def present(self) -> list[tuple[str, NDArray[np.bool_]]]:
        """Each group that has members, in order, with a mask of them."""
        masks = [(name, self.index == place) for place, name in enumerate(self.names)]
        return [(name, mask) for name, mask in masks if mask.any()]


def groups_by_history(counts: NDArray[np.integer]) -> Groups:
    """By the number of earlier ratings of the user."""
    return Groups(HISTORY_GROUPS, history_group(counts))


def groups_by_value(values: pd.Series, names: Sequence[str] | None = None) -> Groups:
    """By a column of text; a missing value, or one not among `names` if given, is in no group."""
    names = tuple(sorted(values.dropna().unique()) if names is None else names)
    return Groups(names, pd.Index(names).get_indexer(pd.Index(values)).astype(np.int64))


def groups_by_age(ages: pd.Series) -> Groups:
    """By `AGE_BANDS`, in years."""
    years = ages.astype("Float64").to_numpy(np.float64, na_value=np.nan)
    band = np.searchsorted(AGE_FROM, np.nan_to_num(years), side="right") - 1
    return Groups(AGE_BANDS, np.where(np.isnan(years), NO_GROUP, band))


def user_groups(users: pd.DataFrame) -> dict[str, Groups]:
    """By gender, age and occupation, of a table of users in the order of their codes.

    What the data set does not tell of anybody is left out.
    """
    found = {
        "gender": groups_by_value(users["gender"]),
        "age": groups_by_age(users["age"]),
        "occupation": groups_by_value(users["occupation"]),
    }
    return {name: groups for name, groups in found.items() if (groups.index != NO_GROUP).any()}


def groups_by_popularity(train_counts: NDArray[np.integer]) -> Groups:
    """Movies by their training ratings `(num_movies,)`.

    head: the most rated movies, until they have half of the training ratings together; torso: the next ones,
    until 80 %; tail: the rest; new: those without a training rating. Of equally rated movies the lower code
    is the more popular.
    """
    order = np.argsort(-train_counts, kind="stable")
    counts = train_counts[order]
    before = (np.cumsum(counts) - counts) / max(counts.sum(), 1)
    index = np.empty(len(counts), np.int64)
    index[order] = np.where(counts > 0, (before >= TORSO_FROM).astype(np.int64) + (before >= TAIL_FROM), 3)
    return Groups(POPULARITY_GROUPS, index)
