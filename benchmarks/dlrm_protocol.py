"""The protocol of the DLRM articles on MovieLens: the figures of docs/protocols.md.

    python benchmarks/dlrm_protocol.py --dataset ml-100k --seeds 3

A binary target (rating >= 4), numeric and multi-valued categorical columns, 3-fold cross-validation with
early stopping, AUC and log loss per epoch, and LightGBM with the same columns beside it. Folds are drawn over
the rows of the training split; each fold stops where its own held-out rows say, and the mean of the three
fold models then reads the test split once. Prints a table, writes JSON and a PNG.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from recommender.tensorflow_start import start_tensorflow

start_tensorflow()

import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
from dlrm_plot import plot_protocol  # noqa: E402
from lightgbm_rival import fit_lightgbm, flat_columns  # noqa: E402
from numpy.typing import NDArray  # noqa: E402

from recommender.config import Settings, load_settings  # noqa: E402
from recommender.data.encode import Arrays  # noqa: E402
from recommender.data.prepare import prepare  # noqa: E402
from recommender.data.prepared import Prepared  # noqa: E402
from recommender.evaluation.report import to_json  # noqa: E402
from recommender.metrics.like import auc, log_loss  # noqa: E402
from recommender.training.fit import fit  # noqa: E402
from recommender.training.ranking import build_ranking, predict, ranking_examples  # noqa: E402
from recommender.whole_files import write_whole  # noqa: E402

FOLDS, PATIENCE, EPOCHS, THRESHOLD = 3, 2, 12, 4.0
# Everything that has a value for a tree: no ids of users, of whom test has others, and no sequences.
FEATURES = [
    "gender", "age", "occupation", "movie_id", "genres", "release_year",
    "user_count", "user_mean", "user_stddev", "user_deviation", "user_year_mean", "user_year_stddev",
    "top_genres", "days_since_first", "movie_count", "movie_mean", "movie_stddev", "movie_deviation",
]  # fmt: skip
DLRM = [
    "preset=dlrm",
    "ranking.objective=like",
    f"ranking.like_threshold={THRESHOLD}",
    f"ranking.features={json.dumps(FEATURES)}",
    f"training.epochs={EPOCHS}",
    f"training.patience={PATIENCE}",
    "training.schedule=constant",
]


class Fitted(NamedTuple):
    """A model of one fold."""

    auc: list[float]  # of the held-out rows, by epoch or tree
    log_loss: list[float]
    best: int  # which of them was kept, from 0
    held_out: NDArray[np.floating]  # probabilities of the held-out rows
    test: NDArray[np.floating]
    cpu_seconds: float


Fit = Callable[[Settings, Prepared, Arrays, Arrays, Arrays, Path], Fitted]


def fit_dlrm(
    settings: Settings, prepared: Prepared, training: Arrays, held_out: Arrays, test: Arrays, folder: Path
) -> Fitted:
    """The product's model and training loop on one fold."""
    began = time.process_time()
    tf.keras.utils.set_random_seed(settings.seed)
    model = build_ranking(settings, prepared)
    areas, losses = [], []
    liked = held_out["rating"] >= THRESHOLD

    def validate() -> float:
        probability = predict(model, held_out)
        areas.append(auc(probability, liked))
        losses.append(log_loss(probability, liked))
        return losses[-1]

    progress = fit(
        model, training, validate, settings.training, settings.seed, folder, goal="min", name="dlrm"
    )
    probabilities = predict(model, held_out), predict(model, test)
    return Fitted(areas, losses, progress.best_epoch, *probabilities, time.process_time() - began)


def fit_rival(
    settings: Settings, prepared: Prepared, training: Arrays, held_out: Arrays, test: Arrays, folder: Path
) -> Fitted:
    """LightGBM on the same columns."""
    began = time.process_time()
    schema = prepared.schema
    parts = [flat_columns(part, schema) for part in (training, held_out, test)]
    liked = [part["rating"] >= THRESHOLD for part in (training, held_out)]
    model, history = fit_lightgbm(parts[0], liked[0], parts[1], liked[1], settings.seed)
    probabilities = model.predict(parts[1]), model.predict(parts[2])
    seconds = time.process_time() - began
    return Fitted(
        history["auc"], history["binary_logloss"], model.best_iteration - 1, *probabilities, seconds
    )


MODELS: dict[str, Fit] = {"dlrm": fit_dlrm, "lightgbm": fit_rival}


def cross_validate(name: str, settings: Settings, prepared: Prepared, folder: Path) -> dict[str, Any]:
    """All folds of one model and seed, and the test split by the mean of their probabilities."""
    rows, test = (ranking_examples(settings, prepared, split) for split in ("train", "test"))
    fold = np.random.default_rng(settings.seed).permutation(len(rows["rating"])) % FOLDS
    shutil.rmtree(folder, ignore_errors=True)
    fits = []
    for one in range(FOLDS):
        parts = [
            {column: values[mask] for column, values in rows.items()} for mask in (fold != one, fold == one)
        ]
        fits.append(MODELS[name](settings, prepared, *parts, test, folder / str(one)))
    liked = test["rating"] >= THRESHOLD
    probability = np.mean([each.test for each in fits], axis=0)
    held_out = [rows["rating"][fold == one] >= THRESHOLD for one in range(FOLDS)]
    return {
        "folds": [{"auc": each.auc, "log_loss": each.log_loss, "best": each.best} for each in fits],
        "cross_validation": {
            "auc": [auc(each.held_out, truth) for each, truth in zip(fits, held_out, strict=True)],
            "log_loss": [log_loss(each.held_out, truth) for each, truth in zip(fits, held_out, strict=True)],
        },
        "test": {"auc": auc(probability, liked), "log_loss": log_loss(probability, liked)},
        "cpu_seconds": sum(each.cpu_seconds for each in fits),
    }


def table(models: dict[str, list[dict[str, Any]]]) -> str:
    """One line a model: folds and seeds together, then test by seed."""
    lines = [
        "| model | AUC, folds | log loss, folds | AUC, test | log loss, test | CPU s a seed |",
        "|---|---|---|---|---|---|",
    ]
    for name, runs in models.items():
        of_folds = {
            metric: [value for run in runs for value in run["cross_validation"][metric]]
            for metric in ("auc", "log_loss")
        }
        of_test = {metric: [run["test"][metric] for run in runs] for metric in ("auc", "log_loss")}
        cells = [_mean(values) for found in (of_folds, of_test) for values in found.values()]
        seconds = statistics.fmean(run["cpu_seconds"] for run in runs)
        lines.append(f"| {name} | {' | '.join(cells)} | {seconds:.0f} |")
    return "\n".join(lines)


def _mean(values: list[float]) -> str:
    deviation = f" ± {statistics.stdev(values):.4f}" if len(values) > 1 else ""
    return f"{statistics.fmean(values):.4f}{deviation}"


def main() -> None:
    """Cross-validate both models with every seed, print, write and draw."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dataset", default="ml-100k")
    parser.add_argument("--home", type=Path, default=Path("data"))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--output", type=Path, default=Path("data/dlrm-protocol.json"))
    parser.add_argument("--plots", type=Path, default=Path("data/plots"))
    arguments = parser.parse_args()
    data = [f"data.dataset={arguments.dataset}", f"data.home={arguments.home}"]
    models: dict[str, list[dict[str, Any]]] = {name: [] for name in MODELS}
    for seed in range(1, arguments.seeds + 1):
        settings = load_settings(overrides=[*DLRM, *data, f"seed={seed}"], environ={})
        prepared = prepare(settings)
        for name, runs in models.items():
            folder = arguments.home / "benchmark" / "dlrm" / name / str(seed)
            runs.append(cross_validate(name, settings, prepared, folder))
    print(table(models))
    found = to_json({"dataset": arguments.dataset, "features": FEATURES, "models": models})
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    write_whole(arguments.output, json.dumps(found, indent=1, allow_nan=False))
    print(f"wrote {arguments.output}\nwrote {plot_protocol(found, arguments.plots)}")


if __name__ == "__main__":
    main()
