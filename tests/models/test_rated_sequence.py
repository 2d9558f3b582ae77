from __future__ import annotations

import numpy as np

from recommender.models.rated_sequence import RATING_STEPS, RatedSequence, oldest_first, rating_and_gap

COLUMNS = {
    "history_movies": np.array([[7, 5, 3, 0], [0, 9, 0, 4]], np.int32),
    "history_ratings": np.array([[5, 4, 3, 0], [0, 2, 0, 1]], np.float32),
    "history_ages": np.array([[10, 20, 400, 0], [0, 50, 0, 90]], np.float32),
}


def test_a_history_is_turned_round_and_its_gaps_are_closed() -> None:
    sequence = oldest_first(COLUMNS, 10)
    np.testing.assert_array_equal(sequence.movies, [[3, 5, 7, 0], [4, 9, 0, 0]])
    np.testing.assert_array_equal(sequence.ratings, [[3, 4, 5, 0], [1, 2, 0, 0]])
    np.testing.assert_array_equal(sequence.ages, [[400, 20, 10, 0], [90, 50, 0, 0]])
    np.testing.assert_array_equal(sequence.lengths(), [3, 2])


def test_the_newest_ratings_are_kept() -> None:
    np.testing.assert_array_equal(oldest_first(COLUMNS, 2).movies, [[5, 7], [9, 0]])


def test_an_empty_history_is_a_sequence_too() -> None:
    empty = {name: values[:, :0] for name, values in COLUMNS.items()}
    assert oldest_first(empty, 5).movies.shape == (2, 0)
    np.testing.assert_array_equal(oldest_first(empty, 5).lengths(), [0, 0])


def test_stars_and_the_time_since_the_rating_before_are_classes() -> None:
    ages = [[1e6, 1e6, 1e6 - 1, 1e6 - 61, 1e6 - 800_000]]
    sequence = RatedSequence(*map(np.array, ([[1, 2, 3, 4, 5]], [[1, 2, 3.5, 5, 4]], ages)))
    encoded = rating_and_gap(sequence, (1.0, 5.0)).numpy()[0]
    np.testing.assert_array_equal(encoded.sum(axis=1), 2)
    np.testing.assert_array_equal(encoded[:, : RATING_STEPS + 1].argmax(axis=1), [0, 2, 6, 10, 8])
    # The first of all, the same second, a second, a minute, more than a week.
    np.testing.assert_array_equal(encoded[:, RATING_STEPS + 1 :].argmax(axis=1), [0, 1, 2, 3, 7])
