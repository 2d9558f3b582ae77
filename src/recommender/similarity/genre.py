"""The classical rule: 0.7 times how far the genres overlap plus 0.3 times how well the other one is rated."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recommender.data.interactions import Interactions
from recommender.similarity.neighbours import LENGTH, NONE, Neighbours, best_columns

OVERLAP, RATING = 0.7, 0.3
PRIOR_RATINGS = 10


def genre_neighbours(
    genres: NDArray[np.bool_], ratings: Interactions, highest_rating: float, length: int = LENGTH
) -> Neighbours:
    """Score another movie by 0.7 * Jaccard overlap of genres + 0.3 * its shrunk mean / the highest rating.

    `genres` `(num_movies, num_genres)`. The mean is shrunk towards that of all ratings as if ten ratings of
    that size stood before it, so that one enthusiast does not make a neighbour of everything. Movies of equal
    genres share their list but for themselves, so the work is that of the different sets of genres, about two
    thousand in the largest catalogue. A movie without genres has no neighbours.
    """
    sets, of_movie = np.unique(genres, axis=0, return_inverse=True)
    of_movie = of_movie.reshape(-1)  # some versions of numpy give (num_movies, 1)
    rated = (RATING * shrunk_means(ratings) / highest_rating).astype(np.float32)
    codes = np.full((len(genres), length), NONE, np.int32)
    scores = np.zeros((len(genres), length), np.float32)
    for number, names in enumerate(sets):
        if not names.any():
            continue
        score = np.float32(OVERLAP) * jaccard(names[np.newaxis], genres) + rated  # (1, num_movies)
        best = best_columns(score, min(length + 1, len(genres)))[0]
        for movie in np.flatnonzero(of_movie == number):
            others = best[best != movie][:length]
            codes[movie, : len(others)], scores[movie, : len(others)] = others, score[0, others]
    return Neighbours(codes, scores)


def shrunk_means(ratings: Interactions) -> NDArray[np.float64]:
    """Mean rating of each movie `(num_movies,)`, that of all ratings where there is none; 0 without any."""
    if not len(ratings):
        return np.zeros(ratings.num_movies)
    mean = float(np.mean(ratings.rating, dtype=np.float64))
    totals = np.bincount(ratings.movie, ratings.rating.astype(np.float64), ratings.num_movies)
    counts = np.bincount(ratings.movie, minlength=ratings.num_movies)
    return (totals + PRIOR_RATINGS * mean) / (counts + PRIOR_RATINGS)


def jaccard(some: NDArray[np.bool_], others: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Shared genres over all genres of both, of rows with rows, `(len(some), len(others))`; 0 for none."""
    shared = some.astype(np.float32) @ others.T.astype(np.float32)
    union = some.sum(axis=1, dtype=np.float32)[:, np.newaxis] + others.sum(axis=1, dtype=np.float32) - shared
    return np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
