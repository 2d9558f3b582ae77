"""From canonical tables to what models train on: splits, codes, features and the state for serving."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from recommender.config import Settings
from recommender.data.catalogue import Catalogue, first_appearance_codes
from recommender.data.engines import DuckDBEngine, Engine
from recommender.data.features import FEATURES, feature_sql
from recommender.data.folders import complete_or_absent
from recommender.data.interactions import Interactions
from recommender.data.prepared import SNAPSHOTS, Prepared
from recommender.data.schema import fit_schema
from recommender.data.splits import assign_splits
from recommender.data.tables import Tables, load_tables
from recommender.errors import DataError

LAYOUT = 2  # counts up when what is written changes, so that older folders are not reused


def prepare(settings: Settings, engine: Engine | None = None) -> Prepared:
    """Get the data set of `settings`, split it, compute all features; reuse an equal preparation.

    Writes `<home>/prepared/<dataset>/<key>/`, where the key stands for the data and every setting that the
    result depends on. Raises `DataError` for data that cannot be had, read or split.
    """
    tables = load_tables(settings)
    folder = settings.data.home / "prepared" / settings.data.dataset / _key(settings, tables)
    if folder.exists():
        return Prepared(folder)
    with complete_or_absent(folder) as building:
        _build(settings, tables, engine or DuckDBEngine(), building)
    return Prepared(folder)


def _key(settings: Settings, tables: Tables) -> str:
    """A hash of everything that the preparation depends on."""
    data = settings.data.model_dump(
        mode="json", include={"split", "validation_share", "test_share", "leave_last"}
    )
    seed = settings.seed if settings.data.split == "random" else None
    sql = feature_sql(settings.features, 1, tables.rating_scale)
    mode = settings.features.mode
    refit = mode == "frozen" and settings.ranking.refit
    text = json.dumps([LAYOUT, tables.key, data, seed, sql, mode, refit])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _build(settings: Settings, tables: Tables, engine: Engine, folder: Path) -> None:
    interactions, catalogue = encode(settings, tables)
    catalogue.users.to_parquet(folder / "users.parquet", index=False)
    catalogue.movies.to_parquet(folder / "movies.parquet", index=False)
    pq.write_table(_interaction_table(interactions), folder / "interactions.parquet")
    _write_features(settings, tables, interactions, catalogue, engine, folder)
    schema = fit_schema(settings, tables, interactions, catalogue, folder / "features.parquet")
    (folder / "schema.json").write_text(schema.model_dump_json(indent=1), encoding="utf-8")


def encode(settings: Settings, tables: Tables) -> tuple[Interactions, Catalogue]:
    """Split the ratings and give every user and movie its code; raises `DataError` for one user or movie."""
    ratings = pq.read_table(tables.ratings, read_dictionary=["user_id", "movie_id"]).unify_dictionaries()
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


def _write_features(
    settings: Settings,
    tables: Tables,
    interactions: Interactions,
    catalogue: Catalogue,
    engine: Engine,
    folder: Path,
) -> None:
    """`features.parquet` for every rating, and the state of users and movies that each answer may know."""
    frozen = settings.features.mode == "frozen"
    renewed = settings.ranking.refit  # statistics that are frozen are those of what the model was trained on
    sql = feature_sql(settings.features, len(catalogue.genres), tables.rating_scale)
    inputs = catalogue.for_sql()
    counts = interactions.split == 0 if frozen else np.ones(len(interactions), bool)
    inputs["interactions"] = _sql_rows(interactions, counts)
    engine.run(f"{sql} ORDER BY r.row", inputs, folder / "features.parquet")
    if frozen and renewed:
        inputs["interactions"] = _sql_rows(interactions, interactions.split < 2)
        _renew_test_rows(engine, sql, inputs, interactions, folder / "features.parquet")
    for name, known_splits in SNAPSHOTS.items():
        visible = interactions.split < (min(known_splits, 1 + renewed) if frozen else known_splits)
        inputs["interactions"] = pa.concat_tables(
            [_sql_rows(interactions, visible), _asking_rows(interactions)]
        )
        engine.run(_snapshot_sql(sql, "user", "movie"), inputs, folder / f"users-{name}.parquet")
        engine.run(_snapshot_sql(sql, "movie", "user"), inputs, folder / f"movies-{name}.parquet")


def _renew_test_rows(
    engine: Engine, sql: str, inputs: Mapping[str, pa.Table], interactions: Interactions, path: Path
) -> None:
    """Put the test rows as `inputs` have them in the place of those in the feature table at `path`."""
    newer = path.with_name("newer.parquet")
    engine.run(f"{sql} ORDER BY r.row", inputs, newer)
    later = pa.array(interactions.split == 2)
    table = pa.concat_tables(
        [pq.read_table(path).filter(pc.invert(later)), pq.read_table(newer).filter(later)]
    )
    pq.write_table(table.sort_by("row"), path)
    newer.unlink()


def _snapshot_sql(sql: str, side: Literal["user", "movie"], other: str) -> str:
    """The features of all users, or of all movies, from the rows that only ask."""
    features = [feature for feature in FEATURES if feature.source in (side, f"{side}_history")]
    columns = ", ".join(column for feature in features for column in feature.columns)
    return f"SELECT {columns}, timestamp FROM ({sql}) WHERE row < 0 AND {other}_id IS NULL ORDER BY {side}_id"


def _sql_rows(interactions: Interactions, counts: np.ndarray) -> pa.Table:
    """The SQL's table `interactions`; `counts` says which ratings later rows may see."""
    return pa.table(
        {
            "row": np.arange(len(interactions)),
            "user_id": interactions.user,
            "movie_id": interactions.movie,
            "timestamp": interactions.timestamp,
            "rating": interactions.rating,
            "counts": counts,
        }
    )


def _asking_rows(interactions: Interactions) -> pa.Table:
    """One row per user and one per movie, a second after the last rating, that only ask; row is < 0."""
    users, movies = interactions.num_users, interactions.num_movies
    n = users + movies
    user = pa.array([*range(users), *[None] * movies], pa.int32())
    movie = pa.array([*[None] * users, *range(movies)], pa.int32())
    now = np.full(n, interactions.timestamp.max() + 1)
    return pa.table(
        {
            "row": -1 - np.arange(n),
            "user_id": user,
            "movie_id": movie,
            "timestamp": now,
            "rating": pa.nulls(n, pa.float32()),
            "counts": np.zeros(n, bool),
        }
    )
