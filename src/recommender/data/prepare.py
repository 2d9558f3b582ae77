"""From canonical tables to what models train on: splits, codes, features and the state for serving."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from recommender.config import Settings
from recommender.data.catalogue import Catalogue, first_appearance_codes
from recommender.data.engines import Engine, make_engine
from recommender.data.feature_tables import write_feature_tables
from recommender.data.features import feature_sql
from recommender.data.folders import complete_or_absent
from recommender.data.interactions import Interactions
from recommender.data.prepared import Prepared
from recommender.data.schema import fit_schema
from recommender.data.splits import assign_splits
from recommender.data.tables import Tables, load_tables
from recommender.errors import DataError

LAYOUT = 3  # counts up when what is written changes, so that older folders are not reused


def prepare(settings: Settings) -> Prepared:
    """Get the data set of `settings`, split it, compute all features; reuse an equal preparation.

    Writes `<home>/prepared/<dataset>/<key>/`, where the key stands for the data and every setting that the
    result depends on. Raises `DataError` for data that cannot be had, read or split.
    """
    tables = load_tables(settings)
    folder = settings.data.home / "prepared" / settings.data.dataset / _key(settings, tables)
    if folder.exists():
        return Prepared(folder)
    with complete_or_absent(folder) as building:
        _build(settings, tables, make_engine(settings.data), building)
    return Prepared(folder)


def _key(settings: Settings, tables: Tables) -> str:
    """A hash of everything that the preparation depends on."""
    data = settings.data.model_dump(
        mode="json", include={"split", "validation_share", "test_share", "leave_last", "engine"}
    )
    seed = settings.seed if settings.data.split == "random" else None
    sql = feature_sql(settings.features, 1, tables.rating_scale)
    mode = settings.features.mode
    refit = mode == "frozen" and settings.ranking.refit
    text = json.dumps([LAYOUT, tables.key, data, seed, sql, mode, refit])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _build(settings: Settings, tables: Tables, engine: Engine, folder: Path) -> None:
    interactions, catalogue = encode(settings, tables)
    pa.default_memory_pool().release_unused()  # the engine needs the room
    catalogue.users.to_parquet(folder / "users.parquet", index=False)
    catalogue.movies.to_parquet(folder / "movies.parquet", index=False)
    pq.write_table(_interaction_table(interactions), folder / "interactions.parquet")
    write_feature_tables(settings, tables.rating_scale, interactions, catalogue, engine, folder)
    schema = fit_schema(settings, tables, interactions, catalogue, Prepared(folder).feature_shards())
    (folder / "schema.json").write_text(schema.model_dump_json(indent=1), encoding="utf-8")


def encode(settings: Settings, tables: Tables) -> tuple[Interactions, Catalogue]:
    """Split the ratings and give every user and movie its code; raises `DataError` for one user or movie."""
    ratings = _read_ratings(tables)
    users = tables.read("users")
    movies = tables.read("movies").merge(tables.read("links"), how="left", on="movie_id")
    user = _positions(ratings["user_id"], users["user_id"])
    movie = _positions(ratings["movie_id"], movies["movie_id"])
    for name, ids in (("user", user), ("movie", movie)):
        if len(np.unique(ids)) < 2:
            raise DataError(
                f"{tables.name}: at least 2 {name}s with ratings are needed, found {len(np.unique(ids))}"
            )
    timestamp = ratings["timestamp"].to_numpy()
    split = assign_splits(settings.data, user, timestamp, settings.seed)
    user_codes, known_users = first_appearance_codes(user, len(users), split == 0)
    movie_codes, known_movies = first_appearance_codes(movie, len(movies), split == 0)
    catalogue = Catalogue(
        users.iloc[np.argsort(user_codes)].reset_index(drop=True),
        movies.iloc[np.argsort(movie_codes)].reset_index(drop=True),
        sorted({genre for genres in movies["genres"] for genre in genres}),
        known_users,
        known_movies,
    )
    rating = ratings["rating"].to_numpy()
    interactions = Interactions(
        user_codes[user], movie_codes[movie], rating, timestamp, split, len(users), len(movies)
    )
    return interactions, catalogue


def _read_ratings(tables: Tables) -> pa.Table:
    """The ratings, each id held as text once and not once per row."""
    ids = ["user_id", "movie_id"]
    ratings = pq.read_table(tables.ratings, columns=[*ids, "rating", "timestamp"], read_dictionary=ids)
    return ratings.unify_dictionaries()


def _positions(column: pa.ChunkedArray, ids: pd.Series) -> np.ndarray:
    """Where each id of a dictionary-encoded column stands in `ids`; strings are looked up once each."""
    array = column.combine_chunks()
    array = array.chunk(0) if isinstance(array, pa.ChunkedArray) else array
    return pd.Index(ids).get_indexer(array.dictionary.to_pylist()).astype(np.int32)[array.indices.to_numpy()]


def _interaction_table(interactions: Interactions) -> pa.Table:
    columns = {
        name: getattr(interactions, name) for name in ("user", "movie", "rating", "timestamp", "split")
    }
    return pa.table({"row": np.arange(len(interactions)), **columns})
