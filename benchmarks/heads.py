"""Every head's preset on validation, and what a training step of it costs: the figures of docs/heads.md.

    python benchmarks/heads.py --dataset ml-100k

Trains each preset twice, on ratings (RMSE) and on likes (log loss), and reads the validation split only. A
training step is timed beside that of a minimal Keras model of the same architecture (`minimal_heads.py`) with
as many parameters, in interleaved repetitions of one process; the ratio is that of CPU time, all threads
together, because the clock on the wall also measures what else the machine does. Prints a table and writes it
as JSON.
"""

from __future__ import annotations

import argparse
import inspect
import json
import shutil
import time
from pathlib import Path
from typing import Any

from recommender.tensorflow_start import start_tensorflow

start_tensorflow()

import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
from minimal_heads import HEADS as MINIMAL  # noqa: E402
from minimal_heads import minimal_model  # noqa: E402

from recommender.config import Settings, load_settings  # noqa: E402
from recommender.data.batches import batches  # noqa: E402
from recommender.data.prepare import prepare  # noqa: E402
from recommender.data.prepared import Prepared  # noqa: E402
from recommender.errors import RecommenderError  # noqa: E402
from recommender.models.heads.head import HEADS  # noqa: E402
from recommender.training.ranking import build_ranking, ranking_examples, train_ranking  # noqa: E402


def measure(head: str, arguments: argparse.Namespace) -> dict[str, Any]:
    """One line of the table."""
    line: dict[str, Any] = {"head": head}
    for objective, metric in (("rating", "rmse"), ("like", "log_loss")):
        settings = settings_of(head, objective, arguments)
        prepared, folder = prepare(settings), arguments.home / "benchmark" / f"{head}-{objective}"
        shutil.rmtree(folder, ignore_errors=True)
        began = clocks()
        _, progress = train_ranking(settings, prepared, folder)
        seconds, cpu = (clocks() - began).tolist()
        line |= {metric: min(progress.validation), f"{objective}_seconds": seconds, f"{objective}_cpu": cpu}
    return line | step_cost(settings_of(head, "rating", arguments), prepared, arguments)


def settings_of(head: str, objective: str, arguments: argparse.Namespace) -> Settings:
    """The preset of a head with an objective."""
    overrides = [f"preset={head}", f"ranking.objective={objective}", f"seed={arguments.seed}"]
    data = [f"data.dataset={arguments.dataset}", f"data.home={arguments.home}"]
    return load_settings(overrides=[*overrides, *data], environ={})


def step_cost(settings: Settings, prepared: Prepared, arguments: argparse.Namespace) -> dict[str, Any]:
    """Milliseconds of a training step of our model and of the minimal one, medians over the repetitions.

    A ratio is the median of the repetitions' ratios. Raises `RecommenderError` where the two models have
    different numbers of parameters: they would not be of one architecture.
    """
    rows = settings.training.batch_size * arguments.steps
    arrays = {name: values[-rows:] for name, values in ranking_examples(settings, prepared, "train").items()}
    steps = int(np.ceil(len(arrays["rating"]) / settings.training.batch_size))
    ours = build_ranking(settings, prepared)
    ours.compile(optimizer=tf.keras.optimizers.Adam(3e-3))
    data = batches(arrays, settings.training.batch_size).cache()
    minimal = minimal_of(settings, prepared, arrays)
    runs = {"ours": (ours, data), "minimal": (minimal, data.map(_inputs_and_target).cache())}
    taken: dict[str, list[np.ndarray]] = {name: [] for name in runs}
    for repetition in range(arguments.repetitions + 1):
        for name in sorted(runs, reverse=repetition % 2 == 0):  # each goes first as often
            model, batched = runs[name]
            began = clocks()
            model.fit(batched, epochs=1, verbose=0)
            if repetition:  # the first one traces
                taken[name].append(1000 * (clocks() - began) / steps)
    medians = {name: np.median(values, axis=0).tolist() for name, values in taken.items()}
    if count(ours) != count(minimal):
        raise RecommenderError(f"{ours.head.name}: {count(ours)} parameters, by hand {count(minimal)}")
    ratios = np.median(np.divide(taken["ours"], taken["minimal"]), axis=0).tolist()
    values = zip(("wall", "cpu"), medians["ours"], medians["minimal"], ratios, strict=True)
    return {"parameters": count(ours)} | {
        f"{clock}_{what}": value
        for clock, *found in values
        for what, value in zip(("step_ms", "minimal_step_ms", "ratio"), found, strict=True)
    }


def clocks() -> np.ndarray:
    """Seconds on the wall, and of this process's threads together."""
    return np.array([time.perf_counter(), time.process_time()])


def _inputs_and_target(batch: dict[str, tf.Tensor]) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
    return {name: column for name, column in batch.items() if name != "rating"}, batch["rating"]


def minimal_of(settings: Settings, prepared: Prepared, arrays: dict[str, np.ndarray]) -> tf.keras.Model:
    """The hand-written model of these settings."""
    build_ranking(settings, prepared)  # registers the head
    parameters = inspect.signature(HEADS[settings.ranking.head].__init__).parameters
    defaults = {
        name: parameter.default
        for name, parameter in parameters.items()
        if parameter.default is not inspect.Parameter.empty
    }
    return minimal_model(settings, prepared, arrays, defaults | settings.ranking.head_options)


def count(model: tf.keras.Model) -> int:
    """Trainable numbers of a model."""
    return sum(int(np.prod(weight.shape)) for weight in model.trainable_variables)


def show(line: dict[str, Any]) -> str:
    """One line of the table."""
    return (
        f"| `{line['head']}` | {line['rmse']:.4f} | {line['log_loss']:.4f} | {line['rating_cpu']:.0f} "
        f"| {line['parameters']:,} | {line['cpu_step_ms']:.0f} | {line['cpu_minimal_step_ms']:.0f} "
        f"| {line['cpu_ratio']:.2f} |"
    )


def main() -> None:
    """Measure the heads that are asked for, print and write them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dataset", default="ml-100k")
    parser.add_argument("--home", type=Path, default=Path("data"))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--heads", nargs="*", default=list(MINIMAL), choices=list(MINIMAL))
    parser.add_argument("--steps", type=int, default=15, help="training steps in one repetition")
    parser.add_argument("--repetitions", type=int, default=9)
    parser.add_argument("--output", type=Path, default=Path("data/heads.json"))
    arguments = parser.parse_args()
    print("| head | RMSE | log loss | CPU s | parameters | step, CPU ms | by hand, CPU ms | ratio |")
    print("|---|---|---|---|---|---|---|---|")
    lines = []
    for head in arguments.heads:
        lines.append(measure(head, arguments))
        print(show(lines[-1]), flush=True)
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    building = arguments.output.with_name(f".{arguments.output.name}")
    building.write_text(
        json.dumps({"dataset": arguments.dataset, "seed": arguments.seed, "heads": lines}, indent=1)
    )
    building.replace(arguments.output)
    print(f"wrote {arguments.output}")


if __name__ == "__main__":
    main()
