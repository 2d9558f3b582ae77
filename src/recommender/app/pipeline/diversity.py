"""Lists that are not all of one kind."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def genre_similarity(genres: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Jaccard index of each pair of movies `(n, n)` by their genres `(n, num_genres)`; 0 without genres."""
    wide = genres.astype(np.float64)
    both = wide @ wide.T
    sizes = wide.sum(axis=1)
    either = sizes[:, np.newaxis] + sizes - both
    return both / np.maximum(either, 1.0)


def diversify(
    relevance: NDArray[np.floating], similarity: NDArray[np.floating], n: int, diversity: float
) -> list[int]:
    """Up to `n` of m movies, by maximal marginal relevance; `relevance` is `(m,)`, `similarity` `(m, m)`.

    Each next one is the movie of highest (1 - diversity) * relevance - diversity * similarity to the most
    similar of those before, relevance scaled to between 0 and 1, the first movie of equals. Carbonell and
    Goldstein 1998, "The use of MMR, diversity-based reranking for reordering documents and producing
    summaries", whose lambda is 1 - diversity.
    """
    if not len(relevance):
        return []
    spread = float(np.ptp(relevance)) or 1.0
    worth = (1 - diversity) * (relevance.astype(np.float64) - relevance.min()) / spread
    chosen = [int(np.argmax(worth))]
    nearest = similarity[chosen[0]].copy()
    while len(chosen) < min(n, len(relevance)):
        value = worth - diversity * nearest
        value[chosen] = -np.inf
        chosen.append(int(np.argmax(value)))
        nearest = np.maximum(nearest, similarity[chosen[-1]])
    return chosen
