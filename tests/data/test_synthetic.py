import re
from collections import Counter

import numpy as np
import pytest
from numpy.typing import NDArray

from recommender.config import SyntheticSettings, check
from recommender.data.synthetic import SyntheticData, generate, write
from recommender.data.synthetic.generator import NOISE, expectation
from recommender.data.synthetic.titles import _names
from recommender.data.tables import load_tables
from recommender.errors import ConfigError

Floats = NDArray[np.float64]


@pytest.fixture(scope="module")
def data() -> SyntheticData:
    return generate(SyntheticSettings(), seed=42)


@pytest.fixture(scope="module")
def held_out(data) -> NDArray[np.bool_]:
    """A random fifth of the ratings."""
    return np.random.default_rng(0).random(len(data.rating)) < 0.2


def rmse(rating: Floats, predicted: Floats) -> float:
    return float(np.sqrt(np.mean((rating - predicted) ** 2)))


def bias_model(data: SyntheticData, rows: NDArray[np.bool_]) -> Floats:
    """Mean + user bias + movie bias, shrunk, fitted on `rows` and predicted for all rows."""
    user, movie, rating = data.user[rows], data.movie[rows], data.rating[rows]
    mean = rating.mean()
    users, movies = np.zeros(len(data.users.ages)), np.zeros(len(data.movies.titles))
    for _ in range(10):
        for own, ids, others, other_ids in ((movies, movie, users, user), (users, user, movies, movie)):
            errors = np.bincount(ids, rating - mean - others[other_ids], len(own))
            own[:] = errors / (np.bincount(ids, minlength=len(own)) + 5)
    return mean + users[data.user] + movies[data.movie]


def factor_model(data: SyntheticData, rows: NDArray[np.bool_], factors: int = 4, reg: float = 10.0) -> Floats:
    """The bias model + matrix factorization of its errors by alternating ridge regressions."""
    base = bias_model(data, rows)
    user, movie, error = data.user[rows], data.movie[rows], (data.rating - base)[rows]
    rng = np.random.default_rng(1)
    users = rng.normal(0, 0.3, (len(data.users.ages), factors))
    movies = rng.normal(0, 0.3, (len(data.movies.titles), factors))
    for _ in range(15):
        for own, ids, others, other_ids in ((users, user, movies, movie), (movies, movie, users, user)):
            seen = others[other_ids]
            products = np.zeros((len(own), factors, factors))
            np.add.at(products, ids, seen[:, :, None] * seen[:, None, :])
            targets = np.zeros((len(own), factors, 1))
            np.add.at(targets, ids, (seen * error[:, None])[:, :, None])
            own[:] = np.linalg.solve(products + reg * np.eye(factors), targets)[:, :, 0]
    return base + (users[data.user] * movies[data.movie]).sum(axis=1)


def test_the_same_seed_gives_the_same_data_and_another_seed_other_data(data):
    again, other = generate(SyntheticSettings(), 42), generate(SyntheticSettings(), 43)
    for name in ("user", "movie", "rating", "timestamp"):
        np.testing.assert_array_equal(getattr(again, name), getattr(data, name))
        assert (getattr(other, name) != getattr(data, name)).any()
    assert again.movies.titles == data.movies.titles != other.movies.titles


def test_the_blocks_of_users_do_not_depend_on_the_machine(monkeypatch):
    sizes = SyntheticSettings(users=60, movies=40, ratings=600)
    monkeypatch.setattr("recommender.data.synthetic.activity.CELLS", 400)  # six blocks
    expected = generate(sizes, 1)
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    np.testing.assert_array_equal(generate(sizes, 1).movie, expected.movie)


@pytest.mark.parametrize(
    ("users", "movies", "ratings"),
    [(1, 2, 1), (3, 2, 3), (20, 30, 300), (500, 40, 10_000), (2_000, 5_000, 60_000)],
)
def test_sizes_are_exact_and_no_pair_repeats(users, movies, ratings):
    made = generate(SyntheticSettings(users=users, movies=movies, ratings=ratings), seed=5)
    assert len(made.rating) == len(made.timestamp) == ratings
    assert len(np.unique(made.user.astype(np.int64) * movies + made.movie)) == ratings
    assert len(np.unique(made.user)) == users
    assert (len(made.users.ages), len(made.movies.titles)) == (users, movies)


def test_impossible_sizes_are_refused():
    with pytest.raises(
        ConfigError, match=r"synthetic: ratings must be between users \(10\) and half of all pairs \(50\)"
    ):
        check({"data": {"synthetic": {"users": 10, "movies": 10, "ratings": 51}}})


def test_ratings_have_the_scale_mean_and_spread_of_movielens(data):
    assert set(np.unique(data.rating)) == {1, 2, 3, 4, 5}
    assert data.rating.mean() == pytest.approx(3.53, abs=0.03)
    assert data.rating.std() == pytest.approx(1.12, abs=0.05)


def test_popularity_has_a_heavy_tail(data):
    counts = np.sort(np.bincount(data.movie, minlength=len(data.movies.titles)))[::-1]
    top_tenth = counts[: len(counts) // 10].sum() / counts.sum()
    assert 0.35 < top_tenth < 0.6
    assert np.median(counts) < counts.mean() / 1.5


def test_every_user_rates_at_least_twenty_movies_and_some_very_many(data):
    counts = np.bincount(data.user)
    assert counts.min() >= 20
    assert counts.max() > 5 * counts.mean()


def test_half_of_the_ratings_fall_into_the_second_of_an_earlier_one_of_the_user(data):
    moments = Counter(zip(data.user.tolist(), data.timestamp.tolist(), strict=True))
    assert 1 - len(moments) / len(data.user) == pytest.approx(0.49, abs=0.05)


def test_ratings_stand_in_the_order_of_time(data):
    assert (np.diff(data.timestamp) >= 0).all()


def test_the_last_fifth_of_the_time_has_new_users_and_known_ones(data):
    share = (data.timestamp - data.timestamp[0]) / (data.timestamp[-1] - data.timestamp[0])
    training, test = share < 0.6, share >= 0.8
    assert 0.45 < training.mean() < 0.7
    assert 0.15 < test.mean() < 0.35
    testers = np.unique(data.user[test])
    assert 0.3 < np.isin(testers, data.user[training]).mean() < 0.6
    assert 0.2 < np.isin(data.user[test], data.user[training]).mean() < 0.5
    assert 0.01 < 1 - np.isin(data.movie[test], data.movie[training]).mean() < 0.1


def test_most_ratings_of_a_user_are_given_in_few_sessions(data):
    order = np.lexsort((data.timestamp, data.user))
    user, time = data.user[order], data.timestamp[order]
    begins = (np.diff(user, prepend=-1) != 0) | (np.diff(time, prepend=0) > 6 * 3600)
    sessions = np.bincount(user[begins])
    assert sessions.max() <= 8
    assert 0.35 < (sessions > 1).mean() < 0.6


def test_no_movie_is_rated_before_it_appears(data):
    assert (data.timestamp >= data.movies.available_from[data.movie]).all()
    assert (data.movies.available_from > data.timestamp[0]).sum() > 50
    years = np.array(data.movies.years)[data.movie]
    assert (years <= 1970 + data.timestamp / (365.2425 * 86_400) + 0.01).all()


def test_parts_of_a_series_are_watched_one_after_another(data):
    order = np.lexsort((np.arange(len(data.user)), data.user))
    user, movie = data.user[order], data.movie[order]
    follows = (user[1:] == user[:-1]) & (data.movies.series[movie][1:] == data.movies.series[movie][:-1])
    is_later_part = data.movies.parts[movie][1:] > data.movies.parts[movie][:-1]
    assert follows.sum() > 3_000
    assert is_later_part[follows].mean() > 0.98  # sessions of one evening may overlap


def test_people_rate_what_they_like(data):
    users, movies = np.meshgrid(np.arange(1_000), np.arange(1_500), indexing="ij")
    everywhere = data.opinions.expected_rating(users.ravel(), movies.ravel()).mean()
    where_rated = data.opinions.expected_rating(data.user, data.movie).mean()
    assert where_rated > everywhere + 0.5


def test_the_expected_rating_is_the_mean_over_the_noise(data):
    signal = data.opinions.signal(data.user[:5], data.movie[:5])
    noise = np.random.default_rng(0).normal(0, NOISE, (400_000, 1))
    simulated = np.clip(np.rint(signal + noise), 1, 5).mean(axis=0)
    np.testing.assert_allclose(expectation(signal), simulated, atol=0.01)


def test_a_model_of_taste_beats_biases_and_leaves_room_to_the_truth(data, held_out):
    rating = data.rating[held_out].astype(np.float64)
    constant = rmse(rating, np.full(len(rating), data.rating[~held_out].mean()))
    biases = rmse(rating, bias_model(data, ~held_out)[held_out])
    factors = rmse(rating, factor_model(data, ~held_out)[held_out])
    truth = rmse(rating, data.opinions.expected_rating(data.user, data.movie)[held_out])
    print(f"constant {constant:.3f}, biases {biases:.3f}, factors {factors:.3f}, truth {truth:.3f}")
    assert constant > 1.1
    assert 0.94 < biases < 1.0
    assert factors < biases - 0.03
    assert 0.79 < truth < 0.85


def test_personal_retrieval_beats_popularity(data, held_out):
    shape = (len(data.users.ages), len(data.movies.titles))
    seen = np.zeros(shape, np.float32)
    seen[data.user[~held_out], data.movie[~held_out]] = 1
    inverse = np.linalg.inv(seen.T @ seen + 200 * np.eye(shape[1], dtype=np.float32))  # EASE (Steck, 2019)
    weights = inverse / -np.diag(inverse)
    np.fill_diagonal(weights, 0)

    def hit_rate(scores: NDArray[np.float32]) -> float:
        """Share of the held-out ratings among each user's 100 best unseen movies."""
        best = np.argsort(np.where(seen > 0, -np.inf, scores), axis=1)[:, -100:]
        found = np.zeros(shape, bool)
        np.put_along_axis(found, best, True, axis=1)
        return float(found[data.user[held_out], data.movie[held_out]].mean())

    popularity, personal = hit_rate(np.broadcast_to(seen.sum(axis=0), shape)), hit_rate(seen @ weights)
    print(f"popularity {popularity:.3f}, EASE {personal:.3f}")
    assert personal > popularity + 0.08


def test_demographics_are_weakly_tied_to_taste(data):
    women = data.users.genders == "F"
    gaps = data.users.tastes[women].mean(axis=0) - data.users.tastes[~women].mean(axis=0)
    assert 0.1 < np.abs(gaps).max() < 1.5
    ages = [abs(np.corrcoef(data.users.ages, taste)[0, 1]) for taste in data.users.tastes.T]
    assert 0.1 < max(ages) < 0.8


def test_genres_tell_of_taste(data):
    """Within a user, ratings of movies that share a genre are more alike than others."""
    genres = data.movies.genres[data.movie].astype(np.float64)
    residual = data.rating - bias_model(data, np.ones(len(data.rating), bool))
    users = len(data.users.ages)
    half = np.random.default_rng(0).random(len(residual)) < 0.5
    profiles = []
    for rows in (half, ~half):
        totals, counts = np.zeros((2, users, genres.shape[1]))
        np.add.at(totals, data.user[rows], residual[rows, None] * genres[rows])
        np.add.at(counts, data.user[rows], genres[rows])
        profiles.append(totals / (counts + 5))
    assert np.corrcoef(profiles[0].ravel(), profiles[1].ravel())[0, 1] > 0.2


def test_titles_are_unique_but_for_three_pairs_and_end_in_their_year(data):
    titles = data.movies.titles
    for title, year in zip(titles, data.movies.years, strict=True):
        assert title.endswith(f" ({year})")
    assert sorted(Counter(titles).values())[-4:] == [1, 2, 2, 2]
    assert sum(bool(re.search(r", The \(", title)) for title in titles) > 300
    assert sum(bool(re.search(r" II[,\s]", title)) for title in titles) > 30


def test_names_stay_unique_beyond_the_number_of_combinations():
    names = _names(np.random.default_rng(0), 100_000)
    assert len(set(names)) == 100_000
    assert sum("No. 2" in name for name in names) > 0


def test_the_written_tables_are_canonical_and_called_synthetic(tmp_path):
    settings = check({"seed": 3, "data": {"dataset": "synthetic", "home": str(tmp_path)}})
    tables = load_tables(settings)
    assert (tables.name, tables.is_synthetic, tables.rating_scale) == ("synthetic", True, (1.0, 5.0))
    ratings, movies, users = tables.read("ratings"), tables.read("movies"), tables.read("users")
    types = [str(kind) for kind in ratings.dtypes]
    assert types == ["int64", "str", "str", "float32", "int64"]
    assert (ratings["row"] == np.arange(100_000)).all()
    assert ratings["user_id"].isin(users["user_id"]).all()
    assert ratings["movie_id"].isin(movies["movie_id"]).all()
    assert movies["genres"].map(len).between(1, 3).all()
    assert (
        movies["title"].str.extract(r"\((\d{4})\)$")[0].astype(int).equals(movies["release_year"].astype(int))
    )
    assert users["gender"].isin(["F", "M"]).all()
    assert users["age"].between(13, 80).all()
    assert users["zip_code"].str.fullmatch(r"\d{5}").all()
    assert load_tables(settings) == tables
    assert load_tables(check({**settings.model_dump(), "seed": 4})).key != tables.key


def test_the_written_tables_keep_the_rules_for_real_data(tmp_path):
    write(generate(SyntheticSettings(users=50, movies=80, ratings=1_000), seed=1), tmp_path)
    custom = {name: str(tmp_path / f"{name}.parquet") for name in ("ratings", "movies", "users")}
    data = {"dataset": "custom", "home": str(tmp_path), "custom": {**custom, "rating_scale": [1.0, 5.0]}}
    tables = load_tables(check({"data": data}))
    assert (tables.dropped, tables.counts.ratings) == ({}, 1_000)
