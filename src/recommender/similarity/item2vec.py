"""item2vec: movies as words, what a user liked as a sentence.

Barkan and Koenigstein, "Item2Vec: Neural Item Embedding for Collaborative Filtering", 2016. There the
sentences are sets and every pair in one counts; here they are in the order of time, and a wide window takes
nearly all pairs of most users without the cost of all pairs of those who liked thousands.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from recommender.similarity.liked_sequences import LikedSequences
from recommender.similarity.word_vectors import word_vectors

EPOCHS = 5


def item2vec(
    liked: LikedSequences,
    num_movies: int,
    *,
    seed: int,
    size: int = 32,
    window: int = 30,
    epochs: int = EPOCHS,
    min_count: int = 5,
    on_epoch: Callable[[], object] = lambda: None,
) -> NDArray[np.float32]:
    """Vectors `(num_movies, size)`; all zero for a movie that fewer than `min_count` users liked."""
    return word_vectors(
        liked,
        num_movies,
        size=size,
        window=window,
        epochs=epochs,
        min_count=min_count,
        seed=seed,
        on_epoch=on_epoch,
    )
