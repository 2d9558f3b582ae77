import numpy as np
import pandas as pd
import pytest

from recommender.data.interactions import Interactions
from recommender.data.prepared import Prepared

USERS, MOVIES = 4, 30


@pytest.fixture
def negatives() -> np.ndarray:
    return np.arange(10, 26).reshape(8, 2).astype(np.int32)


@pytest.fixture
def toy(tmp_path) -> Prepared:
    """Four users with two known and two held-out ratings each; movie n has the id 10 n."""
    user = np.repeat(np.arange(USERS), 4).astype(np.int32)
    movie = np.tile([0, 1, 2, 3], USERS).astype(np.int32) + user
    split = np.tile([0, 0, 2, 2], USERS).astype(np.int8)
    prepared = Prepared(tmp_path)
    prepared.__dict__["interactions"] = Interactions(
        user, movie, np.full(16, 3, np.float32), np.arange(16), split, USERS, MOVIES
    )
    prepared.__dict__["users"] = pd.DataFrame({"user_id": [f"user {code}" for code in range(USERS)]})
    titles = [f"Movie {code}" for code in range(MOVIES)]
    prepared.__dict__["movies"] = pd.DataFrame(
        {"movie_id": [str(10 * n) for n in range(MOVIES)], "title": titles}
    )
    return prepared


class Probabilities:
    """0.9 for a user's first held-out movie, 0.2 for the second, 0.6 for movies from 24 on, else 0.1."""

    def scores(self, users):
        scores = np.where(np.arange(MOVIES) >= 24, 0.6, 0.1) * np.ones((len(users), 1))
        scores[np.arange(len(users)), users + 2] = 0.9
        scores[np.arange(len(users)), users + 3] = 0.2
        return scores.astype(np.float32)


def test_the_list_of_a_user_holds_what_is_above_the_threshold(toy, negatives):
    from ncf_protocol import lists_at_threshold

    found = lists_at_threshold(Probabilities(), toy, negatives)
    assert found["mean_length"] == 1
    assert found["recall"] == 0.5
    assert found["precision"] == 4 / 6  # two of the drawn movies are above it, too: 24 and 25
    assert found["empty_lists"] == 0
    assert found["examples"]["user 1"] == ["Movie 3"]
    assert sum(found["held_out_share"]) == pytest.approx(1)


def test_the_area_is_that_of_pairs_within_a_user(toy, negatives):
    from ncf_protocol import measure

    found = measure(Probabilities(), toy, negatives)
    # Users 0 to 2: all drawn movies have 0.1. User 3 has two of four with 0.6, above the second held-out one.
    assert found["auc"] == pytest.approx((3 + (8 - 2) / 8) / 4)
    assert found["hit_rate@10"] == 1


def test_ids_that_one_hot_vectors_have_no_place_for_are_counted(toy, monkeypatch):
    from types import SimpleNamespace

    from ncf_protocol import lost_ids

    toy.__dict__["schema"] = SimpleNamespace(num_movies=MOVIES)
    test = toy.interactions.part("test").movie  # 2, 3, 3, 4, 4, 5, 5, 6 with the ids 20 to 60
    assert lost_ids(toy) == np.mean(test * 10 >= MOVIES) == 7 / 8
