"""Whether a trained recommender can be trusted: the figures of docs/trust.md.

    python benchmarks/trust.py --dataset ml-100k --seeds 3 [KEY=VALUE ...]
    python benchmarks/trust.py --run data/runs/<name>

Trains both models with the settings as they are, or takes a run that `recommender train` has left, and reads
the test split once per seed. Prints tables of the means over the seeds and writes them as Markdown, writes
every seed's numbers as JSON and draws the means.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from recommender.tensorflow_start import start_tensorflow

start_tensorflow()

from trust_tables import show  # noqa: E402

from recommender import trust  # noqa: E402
from recommender.config import Settings, load_settings  # noqa: E402
from recommender.data.prepare import prepare  # noqa: E402
from recommender.training import train  # noqa: E402
from recommender.trust_plots import save_figures  # noqa: E402
from recommender.whole_files import write_whole  # noqa: E402
from recommender.workflows.runs import read_settings  # noqa: E402


def measure(settings: Settings, folder: Path) -> dict[str, Any]:
    """Everything about one run; what is trained already is only loaded."""
    prepared = prepare(settings)
    return trust.measure(settings, prepared, train(settings, prepared, folder))


def train_and_measure(arguments: argparse.Namespace, seed: int) -> dict[str, Any]:
    """The same with the settings that were asked for, from scratch."""
    data = [f"data.dataset={arguments.dataset}", f"data.home={arguments.home}", f"seed={seed}"]
    folder = arguments.home / "benchmark" / "trust" / str(seed)
    shutil.rmtree(folder, ignore_errors=True)
    return measure(load_settings(overrides=[*data, *arguments.settings], environ={}), folder)


def seeds(text: str) -> list[int]:
    """`3`: the first three; `4,5`: those two."""
    return [int(seed) for seed in text.split(",") if seed] if "," in text else list(range(1, int(text) + 1))


def mean_tree(trees: Sequence[Any]) -> Any:
    """The same tree with the mean of every number that all seeds have; None where one of them has none."""
    first = trees[0]
    if isinstance(first, dict):
        return {name: mean_tree([tree[name] for tree in trees]) for name in first}
    if isinstance(first, list):
        return [mean_tree(items) for items in zip(*trees, strict=True)]
    if all(tree == first for tree in trees) or isinstance(first, str):
        return first
    if any(tree is None for tree in trees):
        return None
    if isinstance(first, bool):
        return all(trees)  # what all seeds say
    return statistics.fmean(trees)


def main() -> None:
    """Measure the runs, print, write and draw them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("settings", nargs="*", metavar="KEY=VALUE")
    parser.add_argument("--dataset", default="ml-100k")
    parser.add_argument("--home", type=Path, default=Path("data"))
    parser.add_argument("--seeds", type=seeds, default="3", help="how many, or which: 2 or 4,5")
    parser.add_argument("--run", type=Path, help="the folder of a run, instead of training")
    parser.add_argument("--output", type=Path, default=Path("data/trust.json"))
    parser.add_argument("--tables", type=Path, default=Path("data/trust.md"))
    parser.add_argument("--plots", type=Path, default=Path("data/plots"))
    arguments = parser.parse_args()
    if arguments.run is None:
        every = [train_and_measure(arguments, seed) for seed in arguments.seeds]
    else:
        every = [measure(read_settings(arguments.run), arguments.run)]
    mean = mean_tree(every)
    tables = show(mean, every)
    print(tables)
    for path in (arguments.output, arguments.tables):
        path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(arguments.tables, f"{tables}\n")
    write_whole(arguments.output, json.dumps({"mean": mean, "runs": every}, indent=1, allow_nan=False))
    print(f"wrote {arguments.tables}\nwrote {arguments.output}")
    for path in save_figures(mean, arguments.plots):
        print(f"wrote {path}")


if __name__ == "__main__":
    main()
