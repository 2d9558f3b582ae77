from __future__ import annotations

import numpy as np
import pytest

from recommender.models.item_factors import (
    MOVIE,
    USER,
    MovieFactors,
    _noise,
    _posterior,
    _random_movies,
    _ratings,
    fit_movie_factors,
)

USERS, MOVIES, RANK, NOISE = 200, 60, 2, 0.3


@pytest.fixture(scope="module")
def world() -> dict[str, np.ndarray]:
    """Ratings of rank 2 with a bias; the last movie has none. Even movies are a star better, and say so."""
    random = np.random.default_rng(0)
    liking, kind = random.normal(0, 1, (USERS, RANK)), random.normal(0, 0.7, (MOVIES, RANK))
    content = (np.arange(MOVIES) % 2 == 0).astype(np.float32)[:, np.newaxis]
    bias = content[:, 0] + random.normal(0, 0.3, MOVIES)
    truth = 2.5 + random.normal(0, 0.4, USERS)[:, np.newaxis] + bias + liking @ kind.T
    user, movie = np.nonzero(random.random((USERS, MOVIES)) < 0.4)
    user, movie = user[movie < MOVIES - 1], movie[movie < MOVIES - 1]
    rating = truth[user, movie] + random.normal(0, NOISE, len(user))
    return {"user": user, "movie": movie, "rating": rating, "content": content, "truth": truth}


def fit(world: dict[str, np.ndarray], rows: slice = slice(None), size: int = 5, **more: int) -> MovieFactors:
    columns = (world[name][rows] for name in ("user", "movie", "rating"))
    return fit_movie_factors(*columns, world["content"], size, **more)


def test_the_rank_the_noise_and_what_was_not_rated_are_found(world) -> None:
    fitted = fit(world, iterations=60)
    strength = np.linalg.norm(fitted.factors, axis=0)
    assert (strength > 0.2 * strength.max()).sum() == RANK
    assert np.sqrt(fitted.noise) == pytest.approx(NOISE, rel=0.1)
    known = np.concatenate([np.ones((MOVIES, 1)), fitted.factors], axis=1)[:-1]
    target = world["truth"][:, :-1] - world["rating"].mean() - fitted.bias[:-1]
    explained = known @ np.linalg.lstsq(known, target.T, rcond=None)[0]
    assert np.sqrt(np.mean((explained - target.T) ** 2)) < 0.15  # the ratings themselves spread by 1.2


def test_a_movie_without_ratings_is_what_its_content_says(world) -> None:
    fitted = fit(world)
    even, odd = fitted.bias[:-1:2].mean(), fitted.bias[1:-1:2].mean()
    assert even - odd > 0.7  # 1 in truth
    assert fitted.bias[-1] == pytest.approx(odd, abs=0.1)
    assert fitted.counts[-1] == 0
    assert fitted.bias_variance[-1] > 3 * fitted.bias_variance[:-1].max()


def test_the_posterior_is_the_regression_on_vectors_that_are_sure(world) -> None:
    ratings = _ratings(world["user"], world["movie"], world["rating"], MOVIES)
    movies = _random_movies(MOVIES, 3, 1)._replace(covariance=np.zeros((MOVIES, 5, 5)))
    movies.mean[:, 1] = np.linspace(-1, 1, MOVIES)
    users = _posterior(ratings, movies, USER, 0.5, np.full(4, 0.1), np.array([0.2, 1, 1, 1]))
    deviation = world["rating"] - world["rating"].mean()
    for user in (0, 7):
        rows = world["user"] == user
        of_movies = movies.mean[world["movie"][rows]]
        known, target = of_movies[:, [0, 2, 3, 4]], deviation[rows] - of_movies[:, 1]
        precision = known.T @ known / 0.5 + np.diag([5, 1, 1, 1])
        expected = np.linalg.solve(precision, known.T @ target / 0.5 + 0.1 * np.array([5, 1, 1, 1]))
        np.testing.assert_allclose(users.mean[user, [0, 2, 3, 4]], expected)
        assert users.mean[user, USER] == 1
        np.testing.assert_allclose(users.covariance[user][2:, 2:], np.linalg.inv(precision)[1:, 1:])


def test_the_noise_is_the_mean_square_over_draws_from_the_posterior(world) -> None:
    ratings = _ratings(world["user"], world["movie"], world["rating"], MOVIES)
    movies = _random_movies(MOVIES, 2, 1)
    users = _posterior(ratings, movies, USER, 0.5, np.zeros(3), np.ones(3))
    random = np.random.default_rng(2)
    squares = []
    deviation = world["rating"] - world["rating"].mean()
    for _ in range(200):
        drawn = [
            side.mean + np.einsum("nij,nj->ni", _root(side.covariance), random.normal(size=side.mean.shape))
            for side in (users, movies)
        ]
        product = (drawn[0][world["user"]] * drawn[1][world["movie"]]).sum(axis=1)
        squares.append(np.mean((deviation - product) ** 2))
    assert _noise(ratings, users, movies) == pytest.approx(np.mean(squares), rel=0.02)
    assert movies.mean[0, MOVIE] == 1


def test_the_same_seed_gives_the_same_factors(world) -> None:
    first, second, other = fit(world), fit(world), fit(world, seed=1)
    np.testing.assert_array_equal(first.factors, second.factors)
    assert not np.array_equal(first.factors, other.factors)


def test_fewer_ratings_leave_more_variance(world) -> None:
    fitted, half = fit(world), fit(world, slice(None, None, 2))
    assert half.variances[:-1].mean() > 1.3 * fitted.variances[:-1].mean()


def test_turned_factors_predict_the_same(world) -> None:
    fitted = fit(world, size=2)
    turn = np.array([[0.6, -0.8], [0.8, 0.6]])
    turned = fitted.rotated(turn)
    np.testing.assert_allclose(turned.factors @ (turn.T @ [1, 2]), fitted.factors @ [1, 2])
    along = turn.T @ [1, 2]
    np.testing.assert_allclose(
        np.einsum("k,mkl,l->m", along, turned.covariance, along),
        np.einsum("k,mkl,l->m", [1, 2], fitted.covariance, [1, 2]),
    )


def _root(covariance: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(covariance)
    return vectors * np.sqrt(np.maximum(values, 0))[:, np.newaxis, :]
