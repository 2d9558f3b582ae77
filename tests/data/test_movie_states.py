from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recommender.config import Settings
from recommender.data.catalogue import Catalogue
from recommender.data.encode import Arrays, encode_features
from recommender.data.engines import DuckDBEngine
from recommender.data.features import FEATURES, feature_sql
from recommender.data.interactions import SPLITS
from recommender.data.movie_states import MovieStates
from recommender.data.prepare import prepare
from recommender.data.prepared import Prepared

HISTORY = [feature for feature in FEATURES if feature.source == "movie_history"]


def sql_says(
    settings: Settings, prepared: Prepared, movie: np.ndarray, timestamp: np.ndarray, folder: Path
) -> Arrays:
    """The features of movies for somebody who asks at these seconds, from the feature SQL itself."""
    schema, known, n = prepared.schema, prepared.interactions, len(movie)
    frozen = settings.features.mode == "frozen"
    columns = {
        "row": np.append(np.arange(len(known)), -1 - np.arange(n)),
        "user_id": pa.array([*known.user.tolist(), *[None] * n], pa.int32()),
        "movie_id": np.append(known.movie, movie.astype(np.int32)),
        "timestamp": np.append(known.timestamp, timestamp),
        "rating": np.append(known.rating, np.zeros(n, np.float32)),
        "counts": np.append((known.split == 0) | (not frozen), np.zeros(n, bool)),
    }
    sql = feature_sql(settings.features, len(schema.genres), schema.rating_scale)
    catalogue = Catalogue(
        prepared.users, prepared.movies, schema.genres, schema.known_users, schema.known_movies
    )
    file = folder / "asked.parquet"
    inputs = {"interactions": pa.table(columns), **catalogue.for_sql()}
    DuckDBEngine().run(f"SELECT * FROM ({sql}) WHERE row < 0 ORDER BY row DESC", inputs, file)
    return encode_features(pq.read_table(file), FEATURES, schema)


@pytest.mark.parametrize("mode", ["point_in_time", "frozen"])
def test_a_movie_at_any_second_is_what_the_feature_sql_says(
    mode: str, settings: Settings, tmp_path: Path
) -> None:
    features = settings.features.model_copy(update={"mode": mode})
    settings = settings.model_copy(update={"features": features})
    prepared = prepare(settings)
    known, rng = prepared.interactions, np.random.default_rng(0)
    first, last = known.timestamp.min(), known.timestamp.max()
    movie = rng.integers(0, known.num_movies, 900)
    timestamp = rng.integers(first - 10, last + 10, 900)
    timestamp[:400] = rng.choice(known.timestamp, 400)  # seconds in which somebody rates
    own = rng.integers(0, len(known), 200)
    movie[:200], timestamp[:200] = known.movie[own], known.timestamp[own]  # this very movie
    expected = sql_says(settings, prepared, movie, timestamp, tmp_path)

    states = MovieStates(prepared, FEATURES)
    found = states.find(movie, timestamp)
    np.testing.assert_array_equal(states.movie[found], movie)
    assert set(states.by_state) == {feature.name for feature in HISTORY}
    for name, values in states.by_state.items():
        np.testing.assert_allclose(values[found], expected[name], rtol=1e-5, err_msg=name)
    assert set(states.by_movie) == {"movie_id", "genres", "release_year"}
    for name, values in states.by_movie.items():
        np.testing.assert_array_equal(values[movie], expected[name])


def test_a_rated_movie_is_found_as_its_rating_saw_it(prepared: Prepared) -> None:
    states = MovieStates(prepared, HISTORY)
    for split in SPLITS:
        part, examples = prepared.interactions.part(split), prepared.examples(split, HISTORY)
        found = states.find(part.movie, part.timestamp)
        for name, values in states.by_state.items():
            np.testing.assert_array_equal(values[found], examples[name])


def test_only_the_features_asked_for_are_held(prepared: Prepared) -> None:
    states = MovieStates(
        prepared, [feature for feature in FEATURES if feature.name in ("movie_mean", "gender")]
    )
    assert (list(states.by_state), list(states.by_movie)) == (["movie_mean"], [])
