"""Movie factors from ratings by variational Bayes: matrix factorisation that knows how sure it is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

Floats = NDArray[np.float64]

SHRINKAGE = 0.5  # ridge penalty of the regression that says what content tells of a movie
USER, MOVIE = 1, 0  # the place of a user's vector that is fixed to 1, and that of a movie's


@dataclass(frozen=True)
class MovieFactors:
    """What ratings say of each movie; a movie without ratings has what its content says.

    rating = mean + user's bias + `bias` + user's factors . `factors` + noise. Over the users that it was
    fitted on, the users' factors have unit second moments and no correlation.
    """

    bias: Floats  # (num_movies,), stars
    factors: Floats  # (num_movies, size)
    bias_variance: Floats  # (num_movies,), of the posterior
    covariance: Floats  # (num_movies, size, size), of the posterior of the factors
    counts: NDArray[np.int64]  # (num_movies,), ratings that were seen
    noise: float  # variance of a rating that is left

    @property
    def variances(self) -> Floats:
        """Of the posterior of each factor, `(num_movies, size)`."""
        return np.einsum("mkk->mk", self.covariance)

    def rotated(self, rotation: Floats) -> MovieFactors:
        """The same movies with factors `factors @ rotation`, for an orthogonal `(size, size)`."""
        covariance = rotation.T @ self.covariance @ rotation
        return replace(self, factors=self.factors @ rotation, covariance=covariance)


class _Ratings(NamedTuple):
    """Sparse `(rows, columns)`: how often each pair was rated, and the sum of its ratings' deviations."""

    counts: csr_array
    deviations: csr_array

    def transposed(self) -> _Ratings:
        return _Ratings(self.counts.T.tocsr(), self.deviations.T.tocsr())


class _Vectors(NamedTuple):
    """The Gaussian posterior of the vectors of all users or all movies.

    A user's vector is (bias, 1, factors), a movie's (1, bias, factors), so that their product is the rating's
    deviation. What is fixed to 1 has no variance.
    """

    mean: Floats  # (n, size + 2)
    covariance: Floats  # (n, size + 2, size + 2)

    def moments(self) -> Floats:
        """Second moments of each vector, flat: `(n, (size + 2)^2)`."""
        moments = self.mean[:, :, None] * self.mean[:, None, :] + self.covariance
        return moments.reshape(len(moments), -1)


def fit_movie_factors(
    user: NDArray[np.integer],
    movie: NDArray[np.integer],
    rating: NDArray[np.floating],
    content: NDArray[np.floating],
    size: int,
    iterations: int = 20,
    seed: int = 0,
) -> MovieFactors:
    """Factorise the ratings `(n,)` of users by movies; `content` `(num_movies, any)` describes the movies.

    Mean-field variational Bayes (Lim and Teh 2007, Variational Bayesian Approach to Movie Rating
    Prediction). Bias and factors of a movie have as prior mean a linear function of its content (Agarwal and
    Chen 2009, Regression-based Latent Factor Models) and a variance each, which is learned, as is the noise:
    factors without use die out. `iterations` is the number of passes; the same seed gives the same factors.
    """
    ratings = _ratings(user, movie, rating, len(content))
    by_movie = ratings.transposed()
    counts = np.bincount(movie, minlength=len(content))
    described = np.concatenate([np.ones((len(content), 1)), content], axis=1, dtype=np.float64)
    movies = _random_movies(len(content), size, seed)
    prior_mean = np.zeros((len(content), size + 1))
    prior_variance, user_variance, noise = np.full(size + 1, 0.1), 0.2, 0.9
    for _ in range(iterations):
        of_user = np.concatenate([[user_variance], np.ones(size)])
        users = _posterior(ratings, movies, USER, noise, np.zeros(size + 1), of_user)
        movies = _posterior(by_movie, users, MOVIE, noise, prior_mean, prior_variance)
        noise = _noise(ratings, users, movies)
        active = users.moments()[np.diff(ratings.counts.indptr) > 0].mean(axis=0).reshape(size + 2, -1)
        user_variance = active[0, 0]
        movies = _rotate(movies, _canonical(active[2:, 2:], movies, counts > 0))
        prior_mean, prior_variance = _content_prior(described, movies, counts > 0)
    return MovieFactors(
        movies.mean[:, 1], movies.mean[:, 2:], movies.covariance[:, 1, 1], movies.covariance[:, 2:, 2:],
        counts, noise,
    )  # fmt: skip


def _ratings(
    user: NDArray[np.integer], movie: NDArray[np.integer], rating: NDArray[np.floating], num_movies: int
) -> _Ratings:
    rows = np.unique(user, return_inverse=True)[1]
    shape = (int(rows.max()) + 1, num_movies)
    deviation = rating.astype(np.float64) - rating.mean(dtype=np.float64)
    return _Ratings(
        csr_array((np.ones(len(rows)), (rows, movie)), shape=shape),
        csr_array((deviation, (rows, movie)), shape=shape),
    )


def _random_movies(num_movies: int, size: int, seed: int) -> _Vectors:
    """Where the fit begins: small factors, of which nothing is sure."""
    mean = np.zeros((num_movies, size + 2))
    mean[:, MOVIE] = 1.0
    mean[:, 2:] = np.random.default_rng(seed).normal(0.0, 0.1, (num_movies, size))
    covariance = np.tile(np.diag([0.0, *[0.05] * (size + 1)]), (num_movies, 1, 1))
    return _Vectors(mean, covariance)


def _posterior(
    ratings: _Ratings,
    others: _Vectors,
    fixed: int,
    noise: float,
    prior_mean: Floats,
    prior_variance: Floats,
) -> _Vectors:
    """The vectors of the rows of `ratings`, given those of its columns: one linear regression a row."""
    width = others.mean.shape[1]
    free = np.delete(np.arange(width), fixed)
    moments = (ratings.counts @ others.moments()).reshape(-1, width, width) / noise
    shift = (ratings.deviations @ others.mean)[:, free] / noise - moments[:, fixed, free]
    precision = moments[:, free[:, None], free] + np.diag(1.0 / prior_variance)
    inverse = np.linalg.inv(precision)
    mean, covariance = np.ones((len(moments), width)), np.zeros_like(moments)
    mean[:, free] = np.einsum("nij,nj->ni", inverse, shift + prior_mean / prior_variance)
    covariance[:, free[:, None], free] = inverse
    return _Vectors(mean, covariance)


def _noise(ratings: _Ratings, users: _Vectors, movies: _Vectors) -> float:
    """The expected squared error of a rating."""
    # Of a pair with several ratings the deviations are summed here; that there are several is an exception.
    squares = np.square(ratings.deviations.data).sum()
    product = (users.mean * (ratings.deviations @ movies.mean)).sum()
    square_of_sum = (users.moments() * (ratings.counts @ movies.moments())).sum()
    return float((squares - 2.0 * product + square_of_sum) / ratings.counts.sum())


def _canonical(user_moments: Floats, movies: _Vectors, rated: NDArray[np.bool_]) -> Floats:
    """`(size, size)` for the movies' factors, so that the users' have unit moments.

    And so that the movies' are uncorrelated: each variance of the prior can then shrink on its own.
    """
    size = len(user_moments)
    moments = movies.moments()[rated].mean(axis=0).reshape(size + 2, -1)[2:, 2:]
    scale = np.linalg.cholesky(user_moments).T
    return np.linalg.eigh(scale @ moments @ scale.T)[1].T @ scale


def _rotate(movies: _Vectors, change: Floats) -> _Vectors:
    whole = np.eye(len(change) + 2)
    whole[2:, 2:] = change
    return _Vectors(movies.mean @ whole.T, whole @ movies.covariance @ whole.T)


def _content_prior(content: Floats, movies: _Vectors, rated: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """What content says of bias and factors, `(num_movies, size + 1)`, and how far movies lie from it."""
    known, mean = content[rated], movies.mean[rated, 1:]
    penalty = SHRINKAGE * np.eye(content.shape[1])
    prior_mean = content @ np.linalg.solve(known.T @ known + penalty, known.T @ mean)
    spread = np.einsum("mkk->mk", movies.covariance[rated])[:, 1:]
    return prior_mean, (np.square(mean - prior_mean[rated]) + spread).mean(axis=0)
