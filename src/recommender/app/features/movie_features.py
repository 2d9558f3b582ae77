"""The declared features of many movies at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from recommender.app.features.movie_state import MOVIE_STATE, MovieState
from recommender.app.features.rating_sums import SUMS
from recommender.app.features.store_catalogue import StoreCatalogue
from recommender.data.encode import Arrays

_NO_RATINGS = MovieState().to_bytes()


def movie_features(
    movie_ids: Sequence[str], states: Sequence[bytes | None], second: int, catalogue: StoreCatalogue
) -> Arrays:
    """Encoded columns `(n, ...)` of movies as of a second, as `encode_features` makes them.

    A movie that the catalogue lacks is one of which nothing is known. For a second before a movie's last
    rating, what had been given before the second of that last rating stands for what is no longer known.
    """
    places = catalogue.places
    index = np.array([places.get(movie_id, -1) + 1 for movie_id in movie_ids], np.int32)
    content = b"".join([state or _NO_RATINGS for state in states])
    rows = np.frombuffer(content, MOVIE_STATE)
    over = rows["second"] < second
    count, total, squares, deviations = (
        rows["past"][name] + np.where(over, rows["latest"][name], 0) for name in SUMS.names or ()
    )
    some = np.where(count > 0, count, np.nan)
    return {
        "movie_id": index,
        "genres": catalogue.genres[index],
        "release_year": catalogue.release_years[index],
        "movie_count": count.astype(np.float32),
        "movie_mean": (total / some).astype(np.float32),
        "movie_stddev": (np.sqrt(np.maximum(count * squares - total * total, 0.0)) / some).astype(np.float32),
        "movie_deviation": (deviations / some).astype(np.float32),
    }
