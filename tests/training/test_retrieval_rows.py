"""What training rows of the retrieval model show and ask, beside plain loops over the ratings."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from recommender.data.interactions import Interactions
from recommender.data.prepared import Prepared
from recommender.models.rated_sequence import oldest_first
from recommender.training.left_out_movies import LeftOutMovies
from recommender.training.ordered_ratings import OrderedRatings
from recommender.training.user_stretches import UserStretches, stretches

LENGTH, MOVIES = 6, 60
COUNTS = (0, 1, 6, 7, 8, 20)  # ratings of users 0, 1, ...


def ratings() -> Interactions:
    """Every user rates other movies in a random file order; three in a row share a second."""
    random = np.random.default_rng(5)
    user = np.repeat(np.arange(len(COUNTS)), COUNTS)
    place = np.concatenate([np.arange(count) for count in COUNTS])
    movie = np.concatenate([random.permutation(MOVIES)[:count] for count in COUNTS])
    order = random.permutation(len(user))
    movie = movie.astype(np.int32)
    columns = (user, movie, 1.0 + place % 5, 1000 + 10 * (place // 3), np.zeros(len(user), np.int8))
    return Interactions(*(column[order] for column in columns), num_users=len(COUNTS), num_movies=MOVIES)


def ordered() -> OrderedRatings:
    return OrderedRatings.of(ratings(), moment=2000)


def batch(rows: UserStretches | LeftOutMovies) -> dict[str, np.ndarray]:
    arrays = {name: tf.constant(values) for name, values in rows.arrays.items()}
    return {name: values.numpy() for name, values in rows.transform(arrays).items()}


def next_rows(next_movies: int = 3) -> UserStretches:
    users = {"user_id": np.arange(1, len(COUNTS) + 1)}
    return UserStretches(ordered(), users, LENGTH, next_movies, MOVIES)


def test_ratings_are_in_the_order_of_users_and_seconds() -> None:
    found = ordered()
    assert (np.diff(found.user) >= 0).all()
    assert ((np.diff(found.age) <= 0) | (np.diff(found.user) > 0)).all()
    np.testing.assert_array_equal(np.diff(found.starts), COUNTS)


def test_only_ratings_of_the_same_user_and_second_change_places() -> None:
    found = ordered()
    order = found.shuffled_ties(1, 0)
    np.testing.assert_array_equal(found.age[order], found.age)
    np.testing.assert_array_equal(found.user[order], found.user)
    assert (found.movie[order] != found.movie).any()
    np.testing.assert_array_equal(order, found.shuffled_ties(1, 0))
    assert (order != found.shuffled_ties(1, 1)).any()


@pytest.mark.parametrize("length", [1, 2, 5, 6, 100])
def test_every_rating_is_asked_for_once_with_half_a_length_or_more_known(length: int) -> None:
    starts = ordered().starts
    rows = stretches(starts, length)
    asked = []
    for user, start, first in zip(rows["user"], rows["start"], rows["first"], strict=True):
        for position in range(first, length + 1):
            if start + position < starts[user + 1]:
                asked.append(start + position)
                known = start + position - starts[user]
                assert position >= min(known, length // 2)
    np.testing.assert_array_equal(np.sort(asked), np.arange(starts[-1]))


def test_a_position_asks_for_the_next_movies_and_shows_those_before() -> None:
    rows, found = next_rows(), ordered()
    made = batch(rows)
    for row, (user, start) in enumerate(zip(rows.arrays["user"], rows.arrays["start"], strict=True)):
        end = found.starts[user + 1]
        shown = found.movie[start : min(start + LENGTH, end)]
        np.testing.assert_array_equal(made["movies"][row, : len(shown)], shown)
        assert not made["movies"][row, len(shown) :].any()
        np.testing.assert_array_equal(
            made["ratings"][row, : len(shown)], found.rating[start : start + len(shown)]
        )
        assert made["user_id"][row] == user + 1
        for position in range(rows.arrays["first"][row], LENGTH + 1):
            after = found.movie[start + position : min(start + position + 3, end)]
            np.testing.assert_array_equal(made["targets"][row, position, : len(after)], after)
            assert not made["targets"][row, position, len(after) :].any()
            seen = np.flatnonzero(made["ranks"][row] <= position)
            before = found.movie[found.starts[user] : min(start + position, end)]
            np.testing.assert_array_equal(seen, np.sort(before))


def test_what_was_asked_in_the_stretch_before_is_not_asked_again() -> None:
    rows = next_rows()
    made = batch(rows)
    for row, first in enumerate(rows.arrays["first"]):
        assert not made["targets"][row, :first].any()


def test_drawing_changes_the_order_within_a_second_and_is_repeatable() -> None:
    rows = next_rows()
    first = batch(rows)["movies"]
    rows.draw(1, 4)
    drawn = batch(rows)
    assert (drawn["movies"] != first).any()
    np.testing.assert_array_equal(np.sort(drawn["movies"][0]), np.sort(first[0]))
    rows.draw(1, 5)
    rows.draw(1, 4)
    np.testing.assert_array_equal(batch(rows)["movies"], drawn["movies"])


def left_out_rows(length: int = 30) -> LeftOutMovies:
    return LeftOutMovies(ordered(), {"user_id": np.arange(1, len(COUNTS) + 1)}, length, MOVIES)


def test_a_users_movies_are_either_shown_or_asked_for() -> None:
    rows, found = left_out_rows(), ordered()
    rows.draw(1, 0)
    made = batch(rows)
    shares = []
    for row, user in enumerate(rows.arrays["user"]):
        whole = found.movie[found.starts[user] : found.starts[user + 1]]
        shown, asked = (made[name][row][made[name][row] > 0] for name in ("movies", "targets"))
        np.testing.assert_array_equal(np.sort([*shown, *asked]), np.sort(whole))
        assert [movie for movie in whole if movie in shown] == list(shown)
        assert made["positions"][row] == len(shown)
        seen = np.flatnonzero(made["ranks"][row] <= made["positions"][row])
        np.testing.assert_array_equal(seen[seen > 0], np.sort(shown))
        shares.append(len(asked) / len(whole))
    assert 0.2 < np.mean(shares) < 0.4


def test_each_row_and_each_epoch_leaves_other_movies_out() -> None:
    rows = left_out_rows()
    rows.draw(1, 0)
    first = batch(rows)["targets"]
    of_last_user = first[rows.arrays["user"] == len(COUNTS) - 1]
    assert len(np.unique(of_last_user, axis=0)) == len(of_last_user)
    rows.draw(1, 1)
    assert (batch(rows)["targets"] != first).any()
    rows.draw(1, 0)
    np.testing.assert_array_equal(batch(rows)["targets"], first)


def test_the_last_position_shows_what_a_snapshot_does(prepared: Prepared) -> None:
    """Training and serving read the same history: movies, stars and ages, in the same order."""
    snapshot, training = prepared.snapshot("validation"), prepared.interactions.part("train")
    users = np.arange(prepared.schema.known_users)
    served = oldest_first({name: column[users] for name, column in snapshot.users.items()}, 10)
    found = OrderedRatings.of(training, snapshot.timestamp)
    for user in users:
        places = slice(max(found.starts[user], found.starts[user + 1] - 10), found.starts[user + 1])
        count = int(served.lengths()[user])
        np.testing.assert_array_equal(served.movies[user, :count], found.movie[places])
        np.testing.assert_array_equal(served.ratings[user, :count], found.rating[places])
        np.testing.assert_array_equal(served.ages[user, :count], found.age[places])
