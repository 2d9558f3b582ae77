from __future__ import annotations

import numpy as np

from recommender.models.cross_fitting import cross_fit, fold_of_user, procrustes
from recommender.models.item_factors import MovieFactors, fit_movie_factors


def random_rotation(size: int, seed: int) -> np.ndarray:
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(size, size)))[0]


def test_folds_are_even_and_the_same_for_the_same_seed() -> None:
    folds = fold_of_user(23, 5, 1)
    assert np.bincount(folds).tolist() == [0, 5, 5, 5, 4, 4]
    np.testing.assert_array_equal(folds, fold_of_user(23, 5, 1))
    assert not np.array_equal(folds, fold_of_user(23, 5, 2))


def test_procrustes_finds_the_rotation() -> None:
    factors, rotation = np.random.default_rng(0).normal(size=(30, 4)), random_rotation(4, 1)
    found = procrustes(factors, factors @ rotation, np.ones(30))
    np.testing.assert_allclose(found, rotation, atol=1e-12)


def test_rows_without_weight_do_not_turn_the_factors() -> None:
    factors, rotation = np.random.default_rng(0).normal(size=(30, 3)), random_rotation(3, 1)
    reference = factors @ rotation
    reference[20:] = 9.0
    np.testing.assert_allclose(procrustes(factors, reference, np.arange(30) < 20), rotation, atol=1e-12)


def ratings(users: int = 100, movies: int = 15) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    user, movie = np.nonzero(random.random((users, movies)) < 0.6)
    kinds = random.normal(size=(2, movies))
    truth = random.normal(size=(users, 2)) @ (kinds - kinds.mean(axis=1, keepdims=True))
    return user, movie, truth[user, movie]


def cross_fitted(
    rating: np.ndarray, user: np.ndarray, movie: np.ndarray, folds: np.ndarray
) -> list[MovieFactors]:
    def fit(rows: np.ndarray) -> MovieFactors:
        return fit_movie_factors(user[rows], movie[rows], rating[rows], np.zeros((15, 1)), 2)

    return cross_fit(fit, folds[user], 4)


def test_the_fit_of_a_fold_knows_nothing_of_its_users() -> None:
    user, movie, rating = ratings()
    folds = fold_of_user(100, 4, 1)
    before = cross_fitted(rating, user, movie, folds)
    changed = np.where(folds[user] == 2, -rating, rating)
    after = cross_fitted(changed, user, movie, folds)
    for fold in range(5):
        same = np.allclose(before[fold].bias, after[fold].bias)
        assert same == (fold == 2), fold
    # The factors are turned towards the full fit, which has changed, but say the same.
    products = [fits[2].factors @ fits[2].factors.T for fits in (before, after)]
    np.testing.assert_allclose(*products, atol=1e-9)


def test_the_fits_of_the_folds_lie_near_the_full_one() -> None:
    user, movie, rating = ratings()
    full, *folds = cross_fitted(rating, user, movie, fold_of_user(100, 4, 1))
    for fold in folds:
        assert np.corrcoef(fold.factors.ravel(), full.factors.ravel())[0, 1] > 0.9
