"""Graph embeddings: random walks on the transition graph as sentences, movies as words.

Perozzi, Al-Rfou and Skiena, "DeepWalk: Online Learning of Social Representations", 2014; with negative
sampling in place of the hierarchical softmax, and with weights on the edges.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from recommender.similarity.transition_graph import TransitionGraph
from recommender.similarity.word_vectors import word_vectors

EPOCHS = 1


def deepwalk(
    graph: TransitionGraph,
    *,
    seed: int,
    walks_per_movie: int = 20,
    length: int = 10,
    size: int = 32,
    window: int = 2,
    epochs: int = EPOCHS,
    on_epoch: Callable[[], object] = lambda: None,
) -> NDArray[np.float32]:
    """Vectors `(num_movies, size)`; all zero for a movie without edges.

    The walks are made anew whenever they are read, the same ones each time, so that their memory is that of
    one walk from each movie.
    """
    return word_vectors(
        _Walks(graph, walks_per_movie, length, seed),
        graph.weights.shape[0],
        size=size,
        window=window,
        epochs=epochs,
        min_count=1,
        seed=seed,
        on_epoch=on_epoch,
    )


class _Walks:
    """Walks from every movie that has edges, in an order that is shuffled for each round, as in the paper."""

    def __init__(self, graph: TransitionGraph, rounds: int, length: int, seed: int) -> None:
        self._graph, self._rounds, self._length, self._seed = graph, rounds, length, seed

    def __iter__(self) -> Iterator[NDArray[np.int32]]:
        connected = np.flatnonzero(np.diff(self._graph.weights.indptr)).astype(np.int32)
        for seed in np.random.SeedSequence(self._seed).generate_state(self._rounds).tolist():
            starts = np.random.default_rng(seed).permutation(connected)
            yield from self._graph.walks(starts, self._length, seed)
