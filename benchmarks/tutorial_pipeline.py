"""How fast the preset `tutorial` trains beside the pipeline that TFRS's ranking tutorial writes.

    python benchmarks/tutorial_pipeline.py --sizes 100k --epochs 50 --repeats 5
    python benchmarks/tutorial_pipeline.py --sizes 20M --epochs 3 --repeats 1 --json tutorial-pipeline.json

Both train the same network (ids, embeddings of 32, layers of 256, 64 and 1 with L2 0.01, Adagrad 0.1, batches
of 8,192) on the same synthetic ratings in memory:

- ours: `fit` on integers, with its checkpoint after each epoch; nothing is validated on either side
- tutorial: strings looked up in the model, `shuffle(100_000).batch(8_192).cache()`, `Model.fit`, RMSE

Every run is a process of its own, so that its peak of memory is its own; the two alternate. Time begins with
the arrays in memory (of strings for the tutorial) and TensorFlow imported. The first epoch is everything
until it ends, tracing included; the steady rate is that of the fastest other epoch. CPU is that of all
threads per example in the epochs after the first. An example takes 197 kFLOP forward and backward: the share
of this machine's peak is that of a float32 product of two matrices, measured before each round.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from recommender.whole_files import write_whole

SIZES = {"100k": (690, 1_500, 100_000), "1M": (6_900, 6_000, 1_000_000), "20M": (138_000, 27_000, 20_000_000)}
FLOP_PER_EXAMPLE = 3 * 2 * (64 * 256 + 256 * 64 + 64)  # a product forward, two backward
SEED = 42
MATRIX = 4_096


class Clock:
    """When the first step and every epoch ended, and the CPU seconds by then."""

    def __init__(self) -> None:
        self.begin = time.perf_counter()
        self.first_step: float | None = None
        self.epochs: list[tuple[float, float]] = []

    def step(self) -> None:
        """A step has ended, or several."""
        if self.first_step is None:
            self.first_step = time.perf_counter() - self.begin

    def epoch(self) -> None:
        """An epoch has ended."""
        self.epochs.append((time.perf_counter() - self.begin, time.process_time()))

    def row(self, rows: int) -> dict[str, float]:
        """Seconds, examples a second, CPU microseconds per example."""
        seconds = np.diff([0.0, *(wall for wall, _ in self.epochs)])
        cpu = np.diff([cpu for _, cpu in self.epochs])
        return {
            "first_step": self.first_step or float("nan"),
            "first_epoch": rows / seconds[0],
            "steady": rows / seconds[1:].min(),
            "cpu_us": 1e6 * float(np.median(cpu)) / rows,
            "total": float(seconds.sum()),
            "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
        }


def ratings_of(size: str) -> dict[str, Any]:
    """Synthetic ratings, few movies popular and few users busy: `user_id`, `movie_id` from 0, `rating`."""
    users, movies, rows = SIZES[size]
    rng = np.random.default_rng(SEED)
    return {
        "user_id": (users * rng.random(rows) ** 2).astype(np.int32),
        "movie_id": (movies * rng.random(rows) ** 3).astype(np.int32),
        "rating": rng.integers(1, 6, rows).astype(np.float32),
    }


def ours(size: str, epochs: int) -> dict[str, float]:
    """The preset through `fit`, as `train_ranking` calls it."""
    from recommender.config import load_settings
    from recommender.models.movie_embedding import MovieContent
    from recommender.models.ranking import RankingModel
    from recommender.training.fit import fit
    from recommender.training.placement.one_process import OneProcess

    class Watched(OneProcess):
        def runner(self, model: Any, transform: Any, after_step: Any, told: Any) -> Any:
            def watched(number: int) -> None:
                clock.step()
                told(number)

            return super().runner(model, transform, after_step, watched)

    settings = load_settings(overrides=["preset=tutorial", f"training.epochs={epochs}"], environ={})
    arrays = ratings_of(size)
    arrays["user_id"] += 1  # 0 is the unknown
    arrays["movie_id"] += 1
    users, movies, rows = SIZES[size]
    content = MovieContent(np.zeros((movies + 1, 0), np.float32), np.zeros((movies + 1, 0), np.float32))
    with tempfile.TemporaryDirectory() as folder:
        clock = Clock()
        model = RankingModel(settings.ranking, _schema(users, movies), content)
        fit(
            model,
            arrays,
            lambda: 0.0,
            settings.training,
            settings.seed,
            Path(folder),
            goal="min",
            name="tutorial",
            on_epoch=lambda epoch, value: clock.epoch(),
            placement=Watched(),
        )
        return clock.row(rows)


def _schema(users: int, movies: int) -> Any:
    """What the preset's model reads of a schema."""
    from recommender.data.schema import Schema

    return Schema.model_construct(
        rating_scale=(1.0, 5.0),
        num_users=users,
        num_movies=movies,
        known_users=users,
        known_movies=movies,
        genres=[],
        categories={},
        numeric={},
        liked_threshold=4.0,
        rating_mean=3.0,
    )


def tutorial(size: str, epochs: int) -> dict[str, float]:
    """The pipeline of TFRS's basic ranking tutorial, with the layers' L2 of the preset."""
    import tensorflow as tf
    import tensorflow_recommenders as tfrs

    def lookup(values: np.ndarray) -> tf.keras.Model:
        strings = tf.keras.layers.StringLookup(vocabulary=values, mask_token=None)
        return tf.keras.Sequential([strings, tf.keras.layers.Embedding(len(values) + 1, 32)])

    def dense(units: int, activation: str | None = None) -> tf.keras.layers.Layer:
        return tf.keras.layers.Dense(units, activation, kernel_regularizer=tf.keras.regularizers.L2(0.01))

    class Model(tfrs.models.Model):
        def __init__(self) -> None:
            super().__init__()
            self.user, self.movie = (lookup(np.unique(strings[name])) for name in ("user_id", "movie_title"))
            self.ratings = tf.keras.Sequential([dense(256, "relu"), dense(64, "relu"), dense(1)])
            metrics = [tf.keras.metrics.RootMeanSquaredError()]
            self.task = tfrs.tasks.Ranking(loss=tf.keras.losses.MeanSquaredError(), metrics=metrics)

        def call(self, features: dict[str, tf.Tensor]) -> tf.Tensor:
            vectors = [self.user(features["user_id"]), self.movie(features["movie_title"])]
            return self.ratings(tf.concat(vectors, axis=1))

        def compute_loss(self, features: dict[str, tf.Tensor], training: bool = False) -> tf.Tensor:
            labels = features.pop("user_rating")
            return self.task(labels=labels, predictions=self(features))

    tf.random.set_seed(SEED)
    arrays = ratings_of(size)
    strings = {
        "user_id": np.char.mod("%d", arrays["user_id"]),
        "movie_title": np.char.mod("Movie %d (1997)", arrays["movie_id"]),
        "user_rating": arrays["rating"],
    }
    tensors = {name: tf.constant(values) for name, values in strings.items()}
    clock = Clock()
    ratings = tf.data.Dataset.from_tensor_slices(tensors)
    cached = ratings.shuffle(100_000).batch(8_192).cache()
    model = Model()
    model.compile(optimizer=tf.keras.optimizers.Adagrad(0.1))
    watch = tf.keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: clock.step(), on_epoch_end=lambda epoch, logs: clock.epoch()
    )
    model.fit(cached, epochs=epochs, verbose=0, callbacks=[watch])
    return clock.row(SIZES[size][2])


def peak(size: str, epochs: int) -> dict[str, float]:
    """FLOP a second of a float32 product of two square matrices, the best of ten."""
    import tensorflow as tf

    a, b = (tf.random.normal([MATRIX, MATRIX], seed=seed) for seed in (1, 2))
    product = tf.function(lambda: tf.reduce_sum(tf.matmul(a, b)[0]))  # the answer must be waited for
    product().numpy()
    seconds = []
    for _ in range(10):
        begin = time.perf_counter()
        product().numpy()
        seconds.append(time.perf_counter() - begin)
    return {"flops": 2 * MATRIX**3 / min(seconds)}


PIPELINES = {"peak": peak, "tutorial": tutorial, "ours": ours}


def run_apart(name: str, size: str, epochs: int) -> dict[str, float]:
    """One run in a process of its own."""
    command = [sys.executable, __file__, "--child", name, "--sizes", size, "--epochs", str(epochs)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def measure(size: str, epochs: int, repeats: int) -> dict[str, Any]:
    """All runs of a size, alternating; medians, and the medians of the ratios within each round."""
    rounds = [{name: run_apart(name, size, epochs) for name in PIPELINES} for _ in range(repeats)]
    medians = {
        name: {key: statistics.median(found[name][key] for found in rounds) for key in rounds[0][name]}
        for name in PIPELINES
    }
    ratios = {
        key: statistics.median(found["ours"][key] / found["tutorial"][key] for found in rounds)
        for key in rounds[0]["ours"]
    }
    share = statistics.median(
        found["ours"]["steady"] * FLOP_PER_EXAMPLE / found["peak"]["flops"] for found in rounds
    )
    return {
        "size": size,
        "epochs": epochs,
        "repeats": repeats,
        "load": os.getloadavg()[0],
        **medians,
        "ratios": ratios,
        "share_of_peak": share,
        "rounds": rounds,
    }


def table(found: Sequence[dict[str, Any]]) -> str:
    """One row a pipeline and size, Markdown."""
    lines = [
        "| ratings | pipeline | first step s | first epoch, examples/s | steady, examples/s | CPU us/example "
        "| all epochs s | peak GB |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for size in found:
        for name in ("tutorial", "ours"):
            row = size[name]
            lines.append(
                f"| {size['size']} | {name} | {row['first_step']:.2f} | {row['first_epoch']:,.0f} | "
                f"{row['steady']:,.0f} | {row['cpu_us']:.2f} | {row['total']:.1f} | {row['peak_gb']:.2f} |"
            )
        ratio = size["ratios"]
        lines.append(
            f"| {size['size']} | ours / tutorial | {ratio['first_step']:.2f} | {ratio['first_epoch']:.2f} | "
            f"{ratio['steady']:.2f} | {ratio['cpu_us']:.2f} | {ratio['total']:.2f} | {ratio['peak_gb']:.2f} |"
        )
        lines.append(
            f"\nPeak {size['peak']['flops'] / 1e9:,.0f} GFLOP/s, ours reaches {size['share_of_peak']:.0%}; "
            f"load {size['load']:.1f}\n"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure and print, or be one of the runs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--sizes", nargs="+", default=["100k"], choices=SIZES)
    parser.add_argument("--epochs", type=int, default=50, help="at least 2")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--child", choices=PIPELINES, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        from recommender.tensorflow_start import start_tensorflow

        start_tensorflow()
        print(json.dumps(PIPELINES[arguments.child](arguments.sizes[0], arguments.epochs)))
        return
    found = [measure(size, arguments.epochs, arguments.repeats) for size in arguments.sizes]
    print(table(found))
    if arguments.json:
        write_whole(arguments.json, json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
