"""Users a second of a full ranking: `evaluate_ranking` beside TFRS's `FactorizedTopK`, on the same model.

    python benchmarks/evaluation.py --repeats 5 --json evaluation.json

The model is a two-tower retrieval model without a mixture (`history_encoder: [pooled]`, no priors), not
trained: what it says costs the same. For the synthetic catalogue of 20,000 movies and as many users vectors
are random. A movie's bias is a last component of its vector. All rank the whole catalogue for the same
held-out ratings, cut at 1, 5, 10, 50 and 100:

- ours: `evaluate_ranking`, scores by one matrix product of vectors: movies known before left out, all
  metrics, every user once
- ours, from histories: the same with `RetrievalScorer`, whose user tower reads every user's history first
- tutorial: `FactorizedTopK(candidates=movies.batch(128).map(tower))`, `update_state` for batches of 4,096
  held-out ratings, as TFRS's retrieval tutorial does in `Model.evaluate`; towers are StringLookup and
  Embedding, as there
- streaming: the same with candidates in batches of 4,096
- kind: `BruteForce` over vectors made before, every user once, which is another question than all ratings

Streaming in small batches takes minutes for the synthetic catalogue: there, the three ways of TFRS rank for
the first 400 users. All take turns after a first pass that traces; figures are medians over repeats of
users a second and of CPU time of all threads. What is found is compared, too: the share of held-out ratings
in the top 100, which must be that of ours where known movies are not left out.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from recommender.data.interactions import Interactions
from recommender.tensorflow_start import start_tensorflow
from recommender.whole_files import write_whole

KS = (1, 5, 10, 50, 100)
SEED = 42
SETTINGS = ("retrieval.priors=[]", "retrieval.history_encoder=[pooled]", "data.split=random")
MOST_USERS = 400  # of the synthetic catalogue for whom TFRS's ways rank
SYNTHETIC_USERS, SYNTHETIC_MOVIES, SYNTHETIC_SIZE, SYNTHETIC_HELD_OUT = 20_000, 20_000, 64, 10


class Case(NamedTuple):
    """What is ranked, for whom and by what."""

    known: Interactions
    held_out: Interactions
    users: NDArray[np.float32]  # (num_users, size + 1), 1 as last component
    movies: NDArray[np.float32]  # (num_movies, size + 1), the bias as last component
    scorer: Any  # of the model; None where there are vectors alone


class VectorScorer:
    """Scores by one matrix product."""

    def __init__(self, case: Case) -> None:
        self.users, self.movies = case.users, np.ascontiguousarray(case.movies.T)

    def scores(self, users: NDArray[np.int32]) -> NDArray[np.float32]:
        """`(len(users), num_movies)`."""
        return self.users[users] @ self.movies


def of_dataset(name: str, home: Path, overrides: Sequence[str]) -> Case:
    """The test split of a data set, and a model that has not been trained."""
    import tensorflow as tf

    from recommender.config import load_settings
    from recommender.data.prepare import prepare
    from recommender.training.retrieval import RetrievalScorer, build_retrieval

    overrides = [f"data.dataset={name}", f"data.home={home}", *SETTINGS, *overrides]
    settings = load_settings(overrides=overrides, environ={})
    prepared = prepare(settings)
    tf.keras.utils.set_random_seed(SEED)
    model, snapshot = build_retrieval(settings, prepared), prepared.snapshot("test")
    columns = {column: tf.constant(values) for column, values in snapshot.users.items()}
    users = model.user_vectors(columns).numpy() / settings.retrieval.temperature
    side = model.movie_sides()[0]
    movies = np.concatenate([side.vectors, side.bias[:, None]], axis=1)[1:]
    interactions = prepared.interactions
    return Case(
        interactions.before("test"),
        interactions.part("test"),
        np.concatenate([users, np.ones((len(users), 1), np.float32)], axis=1),
        movies,
        RetrievalScorer(model, snapshot),
    )


def synthetic() -> Case:
    """Random vectors and ratings: 40 known and 10 held out of every user."""
    rng = np.random.default_rng(SEED)
    shape = (SYNTHETIC_USERS, 5 * SYNTHETIC_HELD_OUT)
    movie = np.sort(rng.integers(0, SYNTHETIC_MOVIES - shape[1], shape), axis=1) + np.arange(shape[1])
    movie = rng.permuted(movie, axis=1).astype(np.int32)  # no movie twice
    user = np.broadcast_to(np.arange(SYNTHETIC_USERS, dtype=np.int32)[:, None], shape)
    split = np.broadcast_to(np.where(np.arange(shape[1]) < SYNTHETIC_HELD_OUT, 2, 0), shape).astype(np.int8)
    rows = user.ravel(), movie.ravel(), np.ones(user.size, np.float32), np.zeros(user.size, np.int64)
    data = Interactions(*rows, split.ravel(), SYNTHETIC_USERS, SYNTHETIC_MOVIES)
    users, movies = (
        rng.normal(size=(number, SYNTHETIC_SIZE + 1)).astype(np.float32)
        for number in (SYNTHETIC_USERS, SYNTHETIC_MOVIES)
    )
    users[:, -1] = 1.0
    return Case(data.before("test"), data.part("test"), users, movies, None)


def ways(case: Case) -> dict[str, Callable[[], float]]:
    """What is compared: each evaluates once and returns the share of held-out ratings in the top 100."""
    from recommender.evaluation.ranking import evaluate_ranking

    def ours(scorer: Any, known: Interactions) -> Callable[[], float]:
        return lambda: evaluate_ranking(scorer, known, case.held_out, KS).metrics[f"accuracy@{KS[-1]}"]

    nothing = case.known.where(np.zeros(len(case.known), bool))
    histories = {"ours, from histories": ours(case.scorer, case.known)} if case.scorer is not None else {}
    return {
        "ours": ours(VectorScorer(case), case.known),
        **histories,
        "ours, known movies ranked too": ours(VectorScorer(case), nothing),
        "tutorial": factorized(case, candidate_batch=128),
        "streaming": factorized(case, candidate_batch=4_096),
        "kind": factorized(case, candidate_batch=None),
    }


def tfrs_users(case: Case) -> NDArray[np.int32]:
    """The users whom `factorized` ranks for."""
    users = np.unique(case.held_out.user)
    return users if case.scorer is not None else users[:MOST_USERS]


def factorized(case: Case, candidate_batch: int | None) -> Callable[[], float]:
    """`FactorizedTopK` over held-out ratings; without `candidate_batch` over the first one of each user."""
    import tensorflow as tf
    import tensorflow_recommenders as tfrs

    user_tower, tower = (_looked_up(vectors) for vectors in (case.users, case.movies))
    some = case.held_out.where(np.isin(case.held_out.user, tfrs_users(case)))
    user, movie = some.user, some.movie
    if candidate_batch is None:
        first = np.unique(user, return_index=True)[1]
        user, movie = user[first], movie[first]
        candidates: Any = tfrs.layers.factorized_top_k.BruteForce(k=KS[-1]).index(tf.constant(case.movies))
    else:
        titles = tf.data.Dataset.from_tensor_slices(_strings(np.arange(len(case.movies))))
        candidates = titles.batch(candidate_batch).map(tower)
    metric = tfrs.metrics.FactorizedTopK(candidates=candidates, ks=KS)

    @tf.function
    def update(batch: dict[str, tf.Tensor]) -> None:
        metric.update_state(user_tower(batch["user"]), tower(batch["movie"]))

    rows = {"user": _strings(user), "movie": _strings(movie)}
    batches = tf.data.Dataset.from_tensor_slices(rows).batch(4_096).cache()

    def evaluate() -> float:
        metric.reset_states()
        for batch in batches:
            update(batch)
        return float(metric.result()[-1])

    return evaluate


def _strings(codes: NDArray[np.integer]) -> NDArray[np.str_]:
    return np.char.mod("%d", codes)


def _looked_up(vectors: NDArray[np.float32]) -> Any:
    """A tower as in the tutorial: strings -> integers -> rows of a table, first the unknown."""
    import tensorflow as tf

    lookup = tf.keras.layers.StringLookup(vocabulary=_strings(np.arange(len(vectors))), mask_token=None)
    table = np.concatenate([np.zeros_like(vectors[:1]), vectors])
    return tf.keras.Sequential([lookup, tf.keras.layers.Embedding(*table.shape, weights=[table])])


def measure(name: str, home: Path, repeats: int, overrides: Sequence[str]) -> dict[str, Any]:
    """One data set: every way once to trace, then `repeats` times in turn."""
    case = synthetic() if name == "synthetic" else of_dataset(name, home, overrides)
    todo = ways(case)
    users = {way: len(np.unique(case.held_out.user)) for way in todo}
    users |= dict.fromkeys(("tutorial", "streaming", "kind"), len(tfrs_users(case)))
    shares = {way: evaluate() for way, evaluate in todo.items()}
    seconds: dict[str, list[float]] = {way: [] for way in todo}
    cpu: dict[str, list[float]] = {way: [] for way in todo}
    for _ in range(repeats):
        for way, evaluate in todo.items():
            wall, spent = time.perf_counter(), time.process_time()
            evaluate()
            seconds[way].append(time.perf_counter() - wall)
            cpu[way].append(time.process_time() - spent)
    first = next(iter(todo))
    rows = {
        way: {
            "users_per_s": users[way] / statistics.median(seconds[way]),
            "cpu_us_per_user": 1e6 * statistics.median(cpu[way]) / users[way],
            "times_ours": _ratio(seconds[way], seconds[first], users[way] / users[first]),
            "times_ours_by_cpu": _ratio(cpu[way], cpu[first], users[way] / users[first]),
            "top_100": shares[way],
        }
        for way in todo
    }
    sizes = {"users": users[first], "ratings": len(case.held_out), "movies": case.known.num_movies}
    return {"dataset": name, **sizes, "load": os.getloadavg()[0], "ways": rows}


def _ratio(theirs: Sequence[float], ours: Sequence[float], users: float) -> float:
    """How many times what we take for a user they take; the median over rounds."""
    return statistics.median(b / a for a, b in zip(ours, theirs, strict=True)) / users


def table(found: Sequence[dict[str, Any]]) -> str:
    """One row a way and data set, Markdown."""
    lines = [
        "| data | users, ratings, movies | way | users/s | CPU us/user | times ours | by CPU | in top 100 |",
        "|---|---|---|--:|--:|--:|--:|--:|",
    ]
    for data in found:
        for way, row in data["ways"].items():
            lines.append(
                f"| {data['dataset']} | {data['users']:,}, {data['ratings']:,}, {data['movies']:,} | {way} | "
                f"{row['users_per_s']:,.0f} | {row['cpu_us_per_user']:,.0f} | {row['times_ours']:.1f} | "
                f"{row['times_ours_by_cpu']:.1f} | {row['top_100']:.4f} |"
            )
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--datasets", nargs="+", default=["ml-100k", "ml-latest-small", "synthetic"])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--home", type=Path, default=Path("data"))
    parser.add_argument("--json", type=Path)
    parser.add_argument("--set", nargs="+", default=[], metavar="KEY=VALUE", help="settings of the data sets")
    arguments = parser.parse_args()
    start_tensorflow()
    found = [measure(name, arguments.home, arguments.repeats, arguments.set) for name in arguments.datasets]
    print(table(found))
    if arguments.json:
        write_whole(arguments.json, json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
