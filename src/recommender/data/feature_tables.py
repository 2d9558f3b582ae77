"""The feature SQL over a whole data set: features of every rating, and of users and movies at three moments.

Every run of the SQL sorts all ratings several times, so as few runs are made as there are sets of ratings
that count: one in point-in-time mode and in frozen mode, two where frozen statistics are renewed for the test
split. The state of users and movies that an answer may know comes from the same run where the splits follow
one another in time: from rows that only ask, a second after the last rating that it may know.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from recommender.config import Settings
from recommender.data.catalogue import Catalogue
from recommender.data.engines import Engine
from recommender.data.features import FEATURES, statistics_sql
from recommender.data.interactions import SPLITS, Interactions
from recommender.data.prepared import FEATURE_FOLDER, SNAPSHOTS, TIMELINES
from recommender.data.shards import ASKING, shard_paths, write_shard
from recommender.data.timelines import timeline_path, write_timeline

SHARD_ROWS = 1 << 17


@dataclass
class Run:
    """One run of the SQL: the first `visible` splits count; it gives features of the ratings of `splits`.

    `asked` holds, by the name of a snapshot, the second at which its rows ask.
    """

    visible: int
    splits: list[str] = field(default_factory=list)
    asked: dict[str, int] = field(default_factory=dict)


def plan_runs(settings: Settings, interactions: Interactions) -> list[Run]:
    """The runs that give features of all ratings and all snapshots."""
    frozen = settings.features.mode == "frozen"
    renewed = settings.ranking.refit  # statistics that are frozen are those of what the model was trained on
    sees = {name: (1 + (renewed and name == "test")) if frozen else len(SPLITS) for name in SPLITS}
    runs = {
        visible: Run(visible, [name for name in SPLITS if sees[name] == visible]) for visible in sees.values()
    }
    for name, splits in SNAPSHOTS.items():
        known = min(splits, 1 + renewed) if frozen else splits
        host = next((run for run in runs.values() if _is_prefix(interactions, known, run.visible)), None)
        host = host or runs.setdefault(known, Run(known))
        host.asked[name] = int(interactions.timestamp[interactions.split < known].max()) + 1
    return list(runs.values())


def _is_prefix(interactions: Interactions, known: int, visible: int) -> bool:
    """Whether the first `known` splits are all that a run sees up to some second."""
    if known > visible:
        return False
    later = (interactions.split >= known) & (interactions.split < visible)
    time, split = interactions.timestamp, interactions.split
    return not later.any() or bool(time[split < known].max() < time[later].min())


def write_feature_tables(
    settings: Settings,
    rating_scale: tuple[float, float],
    interactions: Interactions,
    catalogue: Catalogue,
    engine: Engine,
    folder: Path,
) -> None:
    """Write feature shards, snapshots and timelines into `folder`, where `Prepared` reads them."""
    moment = int(interactions.timestamp.max()) + 1
    now = f"CASE WHEN r.row < 0 THEN CAST({moment} AS BIGINT) ELSE r.timestamp END"
    sql = statistics_sql(settings.features, len(catalogue.genres), rating_scale, now)
    runs = plan_runs(settings, interactions)
    shards = {run.visible: folder / f".run-{run.visible}" for run in runs}
    for run in runs:
        tables = {**catalogue.for_sql(), "interactions": _sql_rows(interactions, run)}
        engine.run_shards(sql, tables, shards[run.visible], SHARD_ROWS)
        deviation = _deviations(shards[run.visible], interactions)
        write_timeline(timeline_path(folder, run.visible), interactions, run.visible, deviation)
        _write_snapshots(run, shards[run.visible] / ASKING, interactions, folder)
    _merge(runs, shards, interactions, folder / FEATURE_FOLDER)
    record = {
        "splits": {name: run.visible for run in runs for name in run.splits},
        "snapshots": {name: run.visible for run in runs for name in run.asked},
    }
    (folder / TIMELINES).write_text(json.dumps(record, indent=1), encoding="utf-8")


def _sql_rows(interactions: Interactions, run: Run) -> pa.Table:
    """The SQL's table `interactions` of a run: ratings that count or that it describes, and who asks."""
    visible = interactions.split < run.visible
    ratings = pa.table(
        {
            "row": np.arange(len(interactions)),
            "user_id": interactions.user,
            "movie_id": interactions.movie,
            "timestamp": interactions.timestamp,
            "rating": interactions.rating,
            "counts": visible,
        }
    )
    needed = visible | np.isin(interactions.split, [SPLITS.index(name) for name in run.splits])
    if not needed.all():  # a filter copies
        ratings = ratings.filter(pa.array(needed))
    asking = [_asking_rows(interactions, second, place) for place, second in enumerate(run.asked.values())]
    return pa.concat_tables([*asking, ratings])


def _asking_rows(interactions: Interactions, second: int, place: int) -> pa.Table:
    """One row per user and one per movie that only ask; their numbers fall from -1 on, `place` by `place`."""
    users, movies = interactions.num_users, interactions.num_movies
    n = users + movies
    nobody, nothing = pa.nulls(movies, pa.int32()), pa.nulls(users, pa.int32())
    return pa.table(
        {
            "row": -1 - place * n - np.arange(n),
            "user_id": pa.chunked_array([np.arange(users, dtype=np.int32), nobody]),
            "movie_id": pa.chunked_array([nothing, np.arange(movies, dtype=np.int32)]),
            "timestamp": np.full(n, second),
            "rating": pa.nulls(n, pa.float32()),
            "counts": np.zeros(n, bool),
        }
    )


def _deviations(shards: Path, interactions: Interactions) -> NDArray[np.float32]:
    """The column `deviation` of a run's shards by row; NaN where a rating does not count."""
    deviation = np.full(len(interactions), np.nan, np.float32)
    for shard in shard_paths(shards):
        table = pq.read_table(shard, columns=["row", "deviation"])
        deviation[table["row"].to_numpy()] = table["deviation"].to_numpy()
    return deviation


def _write_snapshots(run: Run, asking: Path, interactions: Interactions, folder: Path) -> None:
    """The answers to the rows that ask: a file of users and one of movies for each snapshot of a run."""
    if not run.asked:
        return
    users, movies = interactions.num_users, interactions.num_movies
    answers = pq.read_table(asking).sort_by([("row", "descending")])
    for place, name in enumerate(run.asked):
        first = place * (users + movies)
        for side, begin, count in (("user", first, users), ("movie", first + users, movies)):
            columns = [
                column for feature in FEATURES if _is_of(feature.source, side) for column in feature.columns
            ]
            kept = [column for column in columns if column in answers.column_names]
            table = answers.slice(begin, count).select([*kept, "timestamp"])
            pq.write_table(table, folder / f"{side}s-{name}.parquet", compression="zstd")


def _is_of(source: str, side: str) -> bool:
    return source in (side, f"{side}_history")


def _merge(runs: list[Run], shards: Mapping[int, Path], interactions: Interactions, final: Path) -> None:
    """Put together in `final` what each run gives of every shard; removes the runs' own folders."""
    giving = [run for run in runs if run.splits]
    if len(giving) == 1:
        shards[giving[0].visible].rename(final)
        (final / ASKING).unlink(missing_ok=True)
    else:
        final.mkdir()
        for name in sorted({shard.name for run in giving for shard in shard_paths(shards[run.visible])}):
            paths = {run.visible: shards[run.visible] / name for run in giving}
            parts = [
                _given(run, paths[run.visible], interactions) for run in giving if paths[run.visible].exists()
            ]
            write_shard(pa.concat_tables(parts).sort_by("row"), final / name)
    for folder in shards.values():
        shutil.rmtree(folder, ignore_errors=True)


def _given(run: Run, shard: Path, interactions: Interactions) -> pa.Table:
    """The rows of a run's shard that are of its splits."""
    table = pq.read_table(shard)
    split = interactions.split[table["row"].to_numpy()]
    return table.filter(pa.array(np.isin(split, [SPLITS.index(name) for name in run.splits])))
