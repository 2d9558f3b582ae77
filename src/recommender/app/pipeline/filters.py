"""Which movies may be listed at all."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recommender.app.features.store_catalogue import StoreCatalogue
from recommender.app.pipeline.wanted import Wanted


def open_movies(catalogue: StoreCatalogue, wanted: Wanted, seen: NDArray[np.integer]) -> NDArray[np.bool_]:
    """`(num_movies,)`: not seen, of the genre and within the years that are asked for.

    A movie without a year passes no limit on the year; a genre that no movie has leaves none.
    """
    is_open = np.ones(len(catalogue.movie_ids), np.bool_)
    if wanted.genre is not None:
        genres = catalogue.schema.genres
        if wanted.genre in genres:
            is_open &= catalogue.genre_matrix[:, genres.index(wanted.genre)]
        else:
            is_open[:] = False
    years = catalogue.release_years[1:]
    if wanted.year_from is not None:
        is_open &= years >= wanted.year_from
    if wanted.year_to is not None:
        is_open &= years <= wanted.year_to
    is_open[seen] = False
    return is_open
