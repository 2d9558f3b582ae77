"""What each feature group and each trick of the default ranking model is worth, on validation.

    python benchmarks/ablation.py --dataset ml-100k

Takes one away at a time and fits again; the difference in RMSE is what it is worth. One seed by default:
seeds differ by about 0.0005 on ml-100k, smaller differences say nothing. The test split is not read.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from recommender.tensorflow_start import start_tensorflow

start_tensorflow()

from recommender.config import load_settings  # noqa: E402
from recommender.data.prepare import prepare  # noqa: E402
from recommender.models.heads.foldin import FOLD  # noqa: E402
from recommender.training import ranking  # noqa: E402
from recommender.whole_files import write_whole  # noqa: E402

WHOLE = "the default"
IN_SAMPLE = "cross-fitted factors (a row's own user helps to fit them)"
FEATURES = load_settings(environ={}).ranking.features


def without(*names: str) -> tuple[str, ...]:
    """The settings that leave features out."""
    return (f"ranking.features={[name for name in FEATURES if name not in names]}",)


# What is taken away -> the settings that do it.
VARIANTS: dict[str, tuple[str, ...]] = {
    WHOLE: (),
    "people: gender, age, occupation": without("gender", "age", "occupation"),
    "genres and release year, beside the factors' prior": without("genres", "release_year"),
    "ratings of movies since training": without("movie_count", "movie_deviation"),
    "half of the history (100 ratings)": ("features.history_length=100",),
    "nine tenths of the history (20 ratings)": ("features.history_length=20",),
    "most factors (4 of 20)": ("ranking.head_options.factors=4",),
    IN_SAMPLE: (),
    "the dense layers (a linear correction)": ("ranking.head_options.hidden=[]",),
    "dropout": ("ranking.head_options.dropout=0.0",),
    "averaged weights": ("training.averaging=0.0",),
    "the fold-in head (the embedding-MLP with all statistics)": ("preset=mlp",),
}


def measure(name: str, seed: int, arguments: argparse.Namespace) -> tuple[float, float]:
    """Validation RMSE of one fit, and its CPU seconds."""
    data = [f"data.dataset={arguments.dataset}", f"data.home={arguments.home}", f"seed={seed}"]
    settings = load_settings(overrides=[*VARIANTS[name], *data], environ={})
    folder = arguments.home / "benchmark" / "ablation"
    shutil.rmtree(folder, ignore_errors=True)
    began = time.process_time()
    with in_sample() if name == IN_SAMPLE else everything():
        _, progress = ranking.train_ranking(settings, prepare(settings), folder)
    return min(progress.validation), time.process_time() - began


@contextmanager
def everything() -> Iterator[None]:
    """Nothing is taken away but by settings."""
    yield


@contextmanager
def in_sample() -> Iterator[None]:
    """Training rows look movies up in the fit of all users."""
    prepare_head = ranking.prepare_head

    def prepare_without_folds(head: Any, training: Any, *given: Any) -> None:
        prepare_head(head, training, *given)
        training[FOLD] = 0 * training[FOLD]

    ranking.prepare_head = prepare_without_folds
    try:
        yield
    finally:
        ranking.prepare_head = prepare_head


def show(line: dict[str, Any], whole: float) -> str:
    """One row of the table."""
    worth = line["rmse"] - whole
    return f"| {line['without']} | {line['rmse']:.4f} | {worth:+.4f} | {line['cpu_seconds']:.0f} |"


def main() -> None:
    """Measure the variants that are asked for, print and write them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dataset", default="ml-100k")
    parser.add_argument("--home", type=Path, default=Path("data"))
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--variants", nargs="*", default=list(VARIANTS)[1:], choices=list(VARIANTS))
    parser.add_argument("--output", type=Path, default=Path("data/ablation.json"))
    arguments = parser.parse_args()
    print("| without | validation RMSE | worth | CPU s |")
    print("|---|---|---|---|")
    lines: list[dict[str, Any]] = []
    for name in (WHOLE, *arguments.variants):
        fits = [measure(name, seed, arguments) for seed in range(1, arguments.seeds + 1)]
        rmse, seconds = (statistics.fmean(values) for values in zip(*fits, strict=True))
        lines.append({"without": name, "rmse": rmse, "cpu_seconds": seconds, "fits": fits})
        print(show(lines[-1], lines[0]["rmse"]), flush=True)
        found = {"dataset": arguments.dataset, "seeds": arguments.seeds, "lines": lines}
        arguments.output.parent.mkdir(parents=True, exist_ok=True)
        write_whole(arguments.output, json.dumps(found, indent=1))
    print(f"wrote {arguments.output}")


if __name__ == "__main__":
    main()
