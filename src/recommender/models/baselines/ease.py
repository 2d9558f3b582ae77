"""EASE: the best linear map from what a user has rated to what the user rates."""

from __future__ import annotations

import numpy as np

from recommender.data.interactions import Interactions
from recommender.models.baselines.item_to_item import ItemToItem
from recommender.models.baselines.popularity import fit_popularity

# A dense float32 matrix of all pairs of movies is inverted: 0.6 GB here, and time grows with the cube.
EASE_MAX_MOVIES = 12_000


def fit_ease(known: Interactions, reg: float = 200.0) -> ItemToItem:
    """Ridge regression of every movie on all others, in closed form.

    Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019: with P = (X'X + reg I)^-1 the
    weight from movie i to movie j is -P_ij / P_jj, and 0 for i = j. Only who rated what counts, not the
    stars. Users without history get popularity. Raises `DataError` without ratings.
    """
    popularity = fit_popularity(known)
    history = known.matrix()
    gram = (history.T @ history).toarray()
    gram[np.diag_indices_from(gram)] += np.float32(reg)
    inverse = np.linalg.inv(gram)
    weights = inverse / -np.diag(inverse)
    np.fill_diagonal(weights, 0)
    return ItemToItem(history, weights, popularity)
