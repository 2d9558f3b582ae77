"""Quality on held-out ratings, several seeds, beside the baselines: the figures that docs/results.md quotes.

    python benchmarks/quality.py --dataset ml-100k --seeds 3

Everything was chosen on validation; this reads the test split once per line and seed. Prints a table and
writes it as JSON.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from recommender.config import Settings, load_settings
from recommender.data.prepare import prepare
from recommender.data.prepared import Prepared
from recommender.evaluation.ranking import Scorer, evaluate_ranking
from recommender.metrics.rating import rmse
from recommender.models.baselines import fit_rating_baselines, fit_top_k_baselines
from recommender.training.ranking import predict, ranking_examples, train_ranking
from recommender.training.retrieval import RetrievalScorer, train_retrieval

Scores = dict[str, float]

# name -> (settings, metric, True where less is better)
LINES: dict[str, tuple[list[str], str, bool]] = {
    "tutorial, ids only": (["preset=tutorial"], "rmse", True),
    "default, point in time": ([], "rmse", True),
    "fold-in, point in time": (["preset=foldin"], "rmse", True),
    "frozen statistics": (["preset=frozen"], "rmse", True),
    "leave-last-one retrieval": (["data.split=leave_last"], "hit_rate@10", False),
    "random 80/20 retrieval": (["preset=random_split"], "accuracy@100", False),
}


def rating_scores(settings: Settings, prepared: Prepared, folder: Path) -> Scores:
    """Test RMSE of the ranking model and of the static baselines."""
    model, _ = train_ranking(settings, prepared, folder)
    examples = ranking_examples(settings, prepared, "test")
    test = prepared.interactions.part("test")
    scores = {"model": rmse(predict(model, examples), examples["rating"])}
    for name, baseline in fit_rating_baselines(prepared.interactions.part("train")).items():
        scores[name] = rmse(baseline.predict(test.user, test.movie), test.rating)
    return scores


def ranking_scores(settings: Settings, prepared: Prepared, folder: Path, metric: str) -> Scores:
    """One test metric of the retrieval model and of the baselines that rank."""
    model, _ = train_retrieval(settings, prepared, folder)
    known, test = prepared.interactions.before("test"), prepared.interactions.part("test")
    scorers: dict[str, Scorer] = {"model": RetrievalScorer(model, prepared.snapshot("test"))}
    scorers |= fit_top_k_baselines(known, seed=settings.seed)
    return {
        name: evaluate_ranking(scorer, known, test, settings.evaluation.k).metrics[metric]
        for name, scorer in scorers.items()
    }


def measure(dataset: str, home: Path, name: str, seeds: int) -> dict:
    """Mean and deviation of one line over the seeds."""
    overrides, metric, less_is_better = LINES[name]
    runs: list[Scores] = []
    began = time.perf_counter()
    for seed in range(1, seeds + 1):
        common = [f"data.dataset={dataset}", f"data.home={home}", f"seed={seed}"]
        settings = load_settings(overrides=[*overrides, *common], environ={})
        prepared, folder = prepare(settings), home / "benchmark" / name.replace(" ", "-") / str(seed)
        shutil.rmtree(folder, ignore_errors=True)
        runs.append(score(settings, prepared, folder, metric))
    best: Callable = min if less_is_better else max
    means = {key: statistics.fmean(run[key] for run in runs) for key in runs[0]}
    baseline = best((key for key in means if key != "model"), key=means.__getitem__)
    values = [run["model"] for run in runs]
    return {
        "line": name,
        "settings": overrides,
        "metric": metric,
        "model": values,
        "mean": means["model"],
        "deviation": statistics.stdev(values) if seeds > 1 else None,
        "baselines": {key: value for key, value in means.items() if key != "model"},
        "best_baseline": baseline,
        "seconds_per_seed": (time.perf_counter() - began) / seeds,
    }


def score(settings: Settings, prepared: Prepared, folder: Path, metric: str) -> Scores:
    """The scores of one run."""
    if metric == "rmse":
        return rating_scores(settings, prepared, folder)
    return ranking_scores(settings, prepared, folder, metric)


def show(line: dict) -> str:
    """One line of the table."""
    deviation = "" if line["deviation"] is None else f" ± {line['deviation']:.4f}"
    baseline = line["best_baseline"]
    return (
        f"{line['line']:<26} {line['metric']:<13} {line['mean']:.4f}{deviation}   best baseline "
        f"{line['baselines'][baseline]:.4f} ({baseline})   {line['seconds_per_seed']:.0f} s a seed"
    )


def main() -> None:
    """Measure the lines that are asked for, print and write them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dataset", default="ml-100k")
    parser.add_argument("--home", type=Path, default=Path("data"))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--lines", nargs="*", default=list(LINES), choices=list(LINES))
    parser.add_argument("--output", type=Path, default=Path("data/quality.json"))
    arguments = parser.parse_args()
    lines = []
    for name in arguments.lines:
        lines.append(measure(arguments.dataset, arguments.home, name, arguments.seeds))
        print(show(lines[-1]), flush=True)
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(json.dumps({"dataset": arguments.dataset, "lines": lines}, indent=1))
    print(f"wrote {arguments.output}")


if __name__ == "__main__":
    main()
