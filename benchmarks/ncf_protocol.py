"""The protocol of the SageMaker sample of neural collaborative filtering: the figures of docs/protocols.md.

    python benchmarks/ncf_protocol.py --seeds 3

The sample (https://github.com/aws-samples/amazon-sagemaker-custom-recommender-system) holds out each user's
10 newest ratings of ml-latest-small, draws 5 movies beside every rating, uniformly, and fits NeuMF (GMF 32,
MLP 64-32-16-8, dropout 0.25) by cross-entropy with Adam 1e-3 in batches of 256. It measures nothing but shows
each user's held-out movies above a threshold. Here the same model is measured, beside peers and the product's
own retrieval. Ten more ratings of each user choose the epoch; lists and peers know them. Prints a table,
writes JSON and a PNG.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from recommender.tensorflow_start import start_tensorflow

start_tensorflow()

import numpy as np  # noqa: E402
from markov_linear import choose_weight, fit_markov_linear  # noqa: E402
from ncf_plot import plot_protocol  # noqa: E402
from numpy.typing import NDArray  # noqa: E402

from recommender.config import Settings, load_settings  # noqa: E402
from recommender.data.prepare import prepare  # noqa: E402
from recommender.data.prepared import Prepared  # noqa: E402
from recommender.evaluation.ranking import Scorer, evaluate_ranking  # noqa: E402
from recommender.evaluation.report import to_json  # noqa: E402
from recommender.metrics.like import auc  # noqa: E402
from recommender.models.baselines import fit_top_k_baselines  # noqa: E402
from recommender.models.baselines.ease import fit_ease  # noqa: E402
from recommender.models.ranking import RankingModel  # noqa: E402
from recommender.training.negatives import draw_unseen  # noqa: E402
from recommender.training.ranking import predict, train_ranking  # noqa: E402
from recommender.training.retrieval import RetrievalScorer, fit_retrieval  # noqa: E402
from recommender.whole_files import write_whole  # noqa: E402

HELD_OUT, NEGATIVES, K, THRESHOLD = 10, 5, 10, 0.5
USERS_AT_ONCE = 64  # to score
DATA = ["data.dataset=ml-latest-small", "data.on_bad_rows=drop", "data.split=leave_last"]
NEUMF = [
    "preset=neumf",
    "ranking.objective=implicit",
    f"ranking.negatives={NEGATIVES}",
    "ranking.unknown_user_rate=0.0",  # everybody is known
    "ranking.unknown_movie_rate=0.0",
    "training.optimizer=adam",
    "training.learning_rate=0.001",
    "training.schedule=constant",
    "training.averaging=0.0",
    "training.batch_size=256",
    "training.epochs=8",
    "training.patience=1",
]
RETRIEVAL: list[str] = []  # the product's defaults
METRICS = ("hit_rate@10", "ndcg@10", "recall@10", "hit_rate@10/99neg", "ndcg@10/99neg", "auc")


class IdScorer:
    """Scores the catalogue by a ranking model that knows users and movies by their ids only."""

    def __init__(self, model: RankingModel, num_movies: int) -> None:
        self.model, self.num_movies = model, num_movies

    def scores(self, users: NDArray[np.int32]) -> NDArray[np.float32]:
        """`(len(users), num_movies)`, probabilities."""
        movies = np.tile(np.arange(1, self.num_movies + 1, dtype=np.int32), len(users))
        columns = {"user_id": np.repeat(users + 1, self.num_movies), "movie_id": movies}
        return predict(self.model, columns).reshape(len(users), self.num_movies)


def measure(scorer: Scorer, prepared: Prepared, negatives: NDArray[np.int32]) -> dict[str, Any]:
    """Full and sampled rankings of the test ratings, and the AUC against drawn movies within users."""
    interactions = prepared.interactions
    known, test = interactions.before("test"), interactions.part("test")
    report = evaluate_ranking(scorer, known, test, [K], rated=interactions, seed=0)
    areas = [
        auc(np.append(ours, drawn), np.repeat([True, False], [len(ours), len(drawn)]))
        for ours, drawn in _scores_of_users(scorer, prepared, negatives)
    ]
    return {**report.metrics, "auc": float(np.mean(areas)), "standard_errors": report.standard_errors}


def _scores_of_users(
    scorer: Scorer, prepared: Prepared, negatives: NDArray[np.int32]
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """For each user the scores of the held-out movies, and of those drawn beside them."""
    test = prepared.interactions.part("test")
    users = np.unique(test.user)
    for chunk in np.array_split(users, -(-len(users) // USERS_AT_ONCE)):
        for user, scores in zip(chunk, scorer.scores(chunk), strict=True):
            rows = test.user == user
            yield scores[test.movie[rows]], scores[negatives[rows].ravel()]


def lists_at_threshold(scorer: IdScorer, prepared: Prepared, negatives: NDArray[np.int32]) -> dict[str, Any]:
    """The sample's result: each user's held-out movies with a probability of at least a half."""
    test, titles = prepared.interactions.part("test"), prepared.movies["title"]
    users = np.unique(test.user)
    ours, drawn = zip(*_scores_of_users(scorer, prepared, negatives), strict=True)
    lengths = np.array([np.count_nonzero(scores >= THRESHOLD) for scores in ours])
    hits, misses = np.concatenate(ours), np.concatenate(drawn)
    listed, false = np.count_nonzero(hits >= THRESHOLD), np.count_nonzero(misses >= THRESHOLD)
    edges = np.linspace(0, 1, 21)
    examples = {
        prepared.users["user_id"][user]: titles[test.movie[test.user == user][scores >= THRESHOLD]].tolist()
        for user, scores in zip(users[:5], ours[:5], strict=True)
    }
    return {
        "threshold": THRESHOLD,
        "mean_length": float(lengths.mean()),
        "empty_lists": float(np.mean(lengths == 0)),
        "recall": listed / len(hits),
        "precision": listed / max(listed + false, 1),
        "pooled_auc": auc(np.append(hits, misses), np.repeat([True, False], [len(hits), len(misses)])),
        "held_out_share": np.histogram(hits, edges)[0] / len(hits),
        "drawn_share": np.histogram(misses, edges)[0] / len(misses),
        "examples": examples,
    }


def neumf(
    settings: Settings, prepared: Prepared, folder: Path, negatives: NDArray[np.int32]
) -> dict[str, Any]:
    """The sample's model."""
    began = time.process_time()
    model, progress = train_ranking(settings, prepared, folder)
    scorer = IdScorer(model, prepared.schema.num_movies)
    return {
        "cpu_seconds": time.process_time() - began,
        "loss": progress.loss,
        "validation": progress.validation,
        **measure(scorer, prepared, negatives),
        "lists": lists_at_threshold(scorer, prepared, negatives),
    }


def retrieval(
    settings: Settings, prepared: Prepared, folder: Path, negatives: NDArray[np.int32]
) -> dict[str, Any]:
    """The product's own retrieval model with its default settings."""
    began = time.process_time()
    model = fit_retrieval(settings, prepared, folder).model
    seconds = time.process_time() - began
    scorer = RetrievalScorer(model, prepared.snapshot("test"))
    return {"cpu_seconds": seconds, **measure(scorer, prepared, negatives)}


def peers(prepared: Prepared, negatives: NDArray[np.int32]) -> dict[str, dict[str, Any]]:
    """Baselines, and the Markov chain with EASE; they are fitted on all that is known at the test ratings."""
    interactions = prepared.interactions
    early, late = interactions.part("train"), interactions.before("test")
    scorers: dict[str, Scorer] = dict(fit_top_k_baselines(late, seed=1))
    linear = "ease"
    weight = choose_weight(early, interactions.part("validation"), fit_ease(early), K)
    scorers["markov_chain + ease"] = fit_markov_linear(late, scorers[linear], weight)
    found = {name: measure(scorer, prepared, negatives) for name, scorer in scorers.items()}
    found["markov_chain + ease"]["weight"] = weight
    return found


def lost_ids(prepared: Prepared) -> float:
    """The share of test ratings of movies that the sample turns into zero vectors.

    Its one-hot vectors are as long as there are movies, and ids go up to twenty times that.
    """
    movie_id = prepared.movies["movie_id"].astype(int).to_numpy()
    return float(np.mean(movie_id[prepared.interactions.part("test").movie] >= prepared.schema.num_movies))


def summary(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Means and deviations over the seeds."""
    return {
        name: {
            "mean": statistics.fmean(run[name] for run in runs),
            "deviation": statistics.stdev(run[name] for run in runs) if len(runs) > 1 else None,
        }
        for name in METRICS
    }


def table(models: dict[str, list[dict[str, Any]]]) -> str:
    """One line a model."""
    lines = [f"| model | {' | '.join(METRICS)} |", "|---" * (len(METRICS) + 1) + "|"]
    for name, runs in models.items():
        cells = [
            f"{each['mean']:.4f}" + ("" if each["deviation"] is None else f" ± {each['deviation']:.4f}")
            for each in summary(runs).values()
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """Train, measure, print, write and draw."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--home", type=Path, default=Path("data"))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--output", type=Path, default=Path("data/ncf-protocol.json"))
    parser.add_argument("--plots", type=Path, default=Path("data/plots"))
    arguments = parser.parse_args()
    data = [*DATA, f"data.leave_last={HELD_OUT}", f"data.home={arguments.home}"]
    prepared = prepare(load_settings(overrides=data, environ={}))
    print(prepared.summary())
    rng = np.random.default_rng(0)
    rated, test = prepared.interactions.matrix(), prepared.interactions.part("test")
    negatives = draw_unseen(rated, test.user, NEGATIVES, rng)
    models: dict[str, list[dict[str, Any]]] = {"neumf": [], "two_tower_retrieval": []}
    models |= {name: [found] for name, found in peers(prepared, negatives).items()}
    for seed in range(1, arguments.seeds + 1):
        for name, overrides, fit in (("neumf", NEUMF, neumf), ("two_tower_retrieval", RETRIEVAL, retrieval)):
            folder = arguments.home / "benchmark" / "ncf" / name / str(seed)
            shutil.rmtree(folder, ignore_errors=True)
            settings = load_settings(overrides=[*overrides, *data, f"seed={seed}"], environ={})
            models[name].append(fit(settings, prepared, folder, negatives))
    print(table(models))
    lists = models["neumf"][0]["lists"]
    print(
        f"lists at {THRESHOLD}: {lists['mean_length']:.2f} of {HELD_OUT} held-out movies, recall "
        f"{lists['recall']:.3f}, precision beside {NEGATIVES} drawn {lists['precision']:.3f}, empty "
        f"{lists['empty_lists']:.1%}; ids lost by the sample: {lost_ids(prepared):.1%} of the test ratings"
    )
    found = to_json({"models": models, "lost_ids": lost_ids(prepared)})
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    write_whole(arguments.output, json.dumps(found, indent=1, allow_nan=False))
    print(f"wrote {arguments.output}\nwrote {plot_protocol(found, arguments.plots)}")


if __name__ == "__main__":
    main()
