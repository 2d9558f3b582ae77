"""Item-based nearest neighbours."""

from __future__ import annotations

import numpy as np
from implicit.nearest_neighbours import ItemItemRecommender
from scipy.sparse import csr_array, csr_matrix, diags_array

from recommender.data.interactions import Interactions
from recommender.models.baselines.item_to_item import ItemToItem
from recommender.models.baselines.popularity import fit_popularity


def fit_item_knn(known: Interactions, neighbours: int = 50) -> ItemToItem:
    """Keep for each movie its `neighbours` most similar movies by the cosine over the users that rated them.

    Deshpande and Karypis, "Item-Based Top-N Recommendation Algorithms", TOIS 2004. Users are weighted by
    log((1 + num_movies) / number of their ratings): two movies in the history of somebody who rates
    everything say little of each other. Users without history get popularity. Only who rated what counts, not
    the stars. Raises `DataError` without ratings.
    """
    popularity = fit_popularity(known)
    history = known.matrix()
    model = ItemItemRecommender(K=neighbours + 1)  # the nearest neighbour of a movie is itself
    model.fit(csr_matrix(_unit_columns(_weighted(history))), show_progress=False)
    return ItemToItem(history, csr_array(model.similarity), popularity)


def _weighted(history: csr_array) -> csr_array:
    counts = np.diff(history.indptr)
    return diags_array(np.log((1 + history.shape[1]) / np.maximum(counts, 1))) @ history


def _unit_columns(matrix: csr_array) -> csr_array:
    length = np.sqrt(matrix.power(2).sum(axis=0))
    return matrix @ diags_array(1 / np.where(length > 0, length, 1))
