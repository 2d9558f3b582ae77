"""What a gradient-boosted tree gets told of a user's history: fold-in, neighbours and biases, in closed form.

All of it point-in-time and cross-fitted as for the deep model: a training row sees factors and similarities
that were fitted without its own user.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from recommender.data.encode import Arrays
from recommender.data.features import FEATURES, select
from recommender.data.prepared import Prepared
from recommender.models.cross_fitting import fold_of_user
from recommender.models.item_factors import MovieFactors
from recommender.training.item_factors import fit_factors

FACTORS, ITERATIONS, FOLDS, SEED = 20, 20, 5, 1
ROWS = 1024  # at once
RECENT = (3, 15)  # ratings whose mean residual is a feature

Floats = NDArray[np.floating]


class HistoryFeatures:
    """Columns for the rows of a split: fold-in, item-kNN, biases and everything numeric or categorical."""

    def __init__(self, prepared: Prepared, splits: tuple[str, ...] = ("train",)) -> None:
        """Fit factors and similarities on the ratings of `splits`."""
        self._prepared = prepared
        self._splits = splits
        self._fits = fit_factors(prepared, splits, FACTORS, ITERATIONS, FOLDS, SEED)
        self._fold = fold_of_user(prepared.schema.num_users, FOLDS, SEED)
        self._similarities = np.stack([self._similarity(fold) for fold in range(FOLDS + 1)])
        self._bias = np.stack([fit.bias for fit in self._fits])
        self._factors = np.stack([fit.factors for fit in self._fits])

    def columns(self, split: str, hidden_share: float = 0.0) -> dict[str, Floats]:
        """By name `(n,)`, NaN = missing; a share of the rows is shown as if by users without a history."""
        part = self._prepared.interactions.part(split)
        rows = self._prepared.examples(split, select([f.name for f in FEATURES], "features"))
        fold = self._fold[part.user] if split in self._splits else np.zeros(len(part), np.int32)
        hide = np.random.default_rng(SEED).random(len(part)) < hidden_share
        rows = {name: _hidden(name, values, hide) for name, values in rows.items()}
        plain = {
            name: values for name, values in rows.items() if values.ndim == 1 and not name.endswith("_id")
        }
        genres = np.zeros((len(part), len(self._prepared.schema.genres) + 1), np.float32)
        np.put_along_axis(genres, rows["genres"], 1.0, axis=1)
        found = [self._of_history(batch, folds) for batch, folds in _batches(rows, fold)]
        of_history = {name: np.concatenate([each[name] for each in found]) for name in found[0]}
        return plain | {f"genre {i}": genres[:, i] for i in range(1, genres.shape[1])} | of_history

    def _of_history(self, rows: Arrays, fold: NDArray[np.int32]) -> dict[str, Floats]:
        """What the history says of the candidate, each `(rows,)`."""
        bias, factors = self._bias, self._factors
        rated, movie, mask = rows["history_movies"], rows["movie_id"], rows["history_movies"] > 0
        residual = rows["history_ratings"] - self._prepared.schema.rating_mean - bias[fold[:, None], rated]
        residual = np.where(mask, residual, 0.0)
        known = np.concatenate([np.ones((*rated.shape, 1)), factors[fold[:, None], rated]], axis=2)
        wanted = np.concatenate([np.ones((len(movie), 1)), factors[fold, movie]], axis=1)
        coefficients = _ridge(known * mask[:, :, None], residual, self._fits[0])
        folded = (wanted * coefficients).sum(axis=1)
        weights = self._similarities[fold[:, None], rated, movie[:, None]] * mask
        neighbours = (weights * residual).sum(axis=1) / (np.abs(weights).sum(axis=1) + 1.0)
        counts = mask.sum(axis=1)
        recent = {
            f"residual of last {n}": residual[:, :n].sum(axis=1) / (mask[:, :n].sum(axis=1) + 1.0)
            for n in RECENT
        }
        return recent | {
            "movie bias": bias[fold, movie],
            "fold-in": folded,
            "bias + fold-in": bias[fold, movie] + folded,
            "neighbours": neighbours,
            "residual": residual.sum(axis=1) / (counts + 5.0),
            "squared residual": np.square(residual).sum(axis=1) / (counts + 5.0),
        }

    def _similarity(self, fold: int) -> NDArray[np.float32]:
        """Shrunken cosines of movies' residuals over the users outside the fold; 0 where negative."""
        ratings = self._prepared.interactions.part(*self._splits)
        ratings = ratings.where(self._fold[ratings.user] != fold)
        fit, mean = self._fits[fold], self._prepared.schema.rating_mean
        residual = ratings.rating - mean - fit.bias[ratings.movie + 1]
        shape = (ratings.num_users, ratings.num_movies + 1)
        matrix = csr_array((residual, (ratings.user, ratings.movie + 1)), shape=shape)
        products = (matrix.T @ matrix).toarray()
        length = np.sqrt(np.diag(products))
        return np.maximum(products / (np.outer(length, length) + 10.0), 0.0).astype(np.float32)


def _ridge(columns: Floats, target: Floats, fit: MovieFactors) -> Floats:
    """The posterior mean of users' bias and factors, `(rows, 1 + size)`; their prior is a unit Gaussian."""
    prior = np.diag([4.0, *[1.0] * (columns.shape[2] - 1)])
    moments = columns.transpose(0, 2, 1) @ columns / fit.noise + prior
    shift = np.einsum("bln,bl->bn", columns, target) / fit.noise
    return np.linalg.solve(moments, shift[:, :, None])[:, :, 0]


def _hidden(name: str, values: NDArray, hide: NDArray[np.bool_]) -> NDArray:
    feature = next(feature for feature in FEATURES if name in feature.columns)
    if feature.source != "user_history":
        return values
    keep = ~hide.reshape(-1, *[1] * (values.ndim - 1))
    return np.where(keep, values, np.asarray(feature.missing, values.dtype))


def _batches(rows: Arrays, fold: NDArray[np.int32]) -> Iterator[tuple[Arrays, NDArray[np.int32]]]:
    for start in range(0, len(fold), ROWS):
        part = slice(start, start + ROWS)
        yield {name: values[part] for name, values in rows.items()}, fold[part]
