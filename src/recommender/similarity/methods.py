"""The ways to find similar movies, by name: from ratings to a table of neighbours."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.data.interactions import Interactions
from recommender.data.prepared import Prepared
from recommender.errors import ConfigError
from recommender.similarity import METHODS, deepwalk, item2vec
from recommender.similarity.genre import genre_neighbours
from recommender.similarity.liked_sequences import LikedSequences
from recommender.similarity.neighbours import Neighbours, nearest
from recommender.similarity.transition_graph import TransitionGraph


@dataclass(frozen=True, eq=False)
class Known:
    """What the methods may know: ratings, genres `(num_movies, num_genres)`, and what the scale means."""

    ratings: Interactions
    genres: NDArray[np.bool_]
    liked_threshold: float
    highest_rating: float

    @classmethod
    def of(cls, prepared: Prepared, ratings: Interactions) -> Known:
        """Some of the ratings of a prepared data set."""
        schema = prepared.schema
        return cls(ratings, prepared.genre_matrix(), schema.liked_threshold, schema.rating_scale[1])

    def liked(self) -> LikedSequences:
        """What each user liked, in the order of time."""
        return LikedSequences.of(self.ratings, self.liked_threshold)


OnStep = Callable[[], object]


def similar_movies(method: str, known: Known, seed: int, on_step: OnStep = lambda: None) -> Neighbours:
    """The 50 most similar movies of each by one of `METHODS`.

    `on_step` is called after each of `STEPS[method]` steps of the work.
    """
    table = BY_NAME[method](known, seed, on_step)
    on_step()
    return table


def check_methods(names: Sequence[str]) -> None:
    """Raise `ConfigError` for a name that is none of `METHODS`."""
    for name in names:
        if name not in METHODS:
            raise ConfigError(f"similar: must be of {', '.join(METHODS)}, received {name!r}")


def _item2vec(known: Known, seed: int, on_step: OnStep) -> Neighbours:
    vectors = item2vec.item2vec(known.liked(), known.ratings.num_movies, seed=seed, on_epoch=on_step)
    return nearest(vectors)


def _graph(known: Known, seed: int, on_step: OnStep) -> Neighbours:
    graph = TransitionGraph.of(known.liked(), known.ratings.num_movies)
    return nearest(deepwalk.deepwalk(graph, seed=seed, on_epoch=on_step))


def _genre(known: Known, seed: int, on_step: OnStep) -> Neighbours:
    return genre_neighbours(known.genres, known.ratings, known.highest_rating)


BY_NAME: Mapping[str, Callable[[Known, int, OnStep], Neighbours]] = dict(
    zip(METHODS, (_item2vec, _graph, _genre), strict=True)
)
STEPS = dict(zip(METHODS, (item2vec.EPOCHS + 1, deepwalk.EPOCHS + 1, 1), strict=True))  # epochs, neighbours
