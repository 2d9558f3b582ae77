"""Section `training` of benchmarks/scale.py: fitting the ranking model from memory and streamed from disk.

Fits for `training.epochs` or `SECONDS` of steps, with checkpoints, without validation. What is measured
begins with an open preparation and an imported TensorFlow; steady is what comes after `WARM_UP` steps.
"""

from __future__ import annotations

import contextlib
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from recommender.config import Settings
from recommender.data.prepare import prepare
from recommender.training.fit import fit
from recommender.training.item_factors import prepare_head
from recommender.training.placement.one_process import (
    STEPS_AT_ONCE,
    AfterStep,
    OneProcess,
    Run,
    Told,
    Transform,
)
from recommender.training.ranking import build_ranking, held_columns, ranking_rows

OVERRIDES = ("preset=tutorial", "data.memory_limit=4GB", "data.input_memory=2GB")
VARIANTS: dict[str, tuple[str, ...]] = {"in memory": ("data.input_memory=null",), "streamed": ()}
COLUMNS = {
    "ratings": ",",
    "rows": ",",
    "rows_per_s": ",.0f",
    "steady_rows_per_s": ",.0f",
    "steady_cpu_us_per_row": ".2f",
    "first_step_s": ".1f",
    "before_gb": ".2f",
    "peak_gb": ".2f",
    "load": ".1f",
}
SECONDS = 60.0
WARM_UP = 2 * STEPS_AT_ONCE  # whole calls


class TimeIsUpError(Exception):
    """There were `SECONDS` of steps."""


class Watched(OneProcess):
    """Training in this process that notes when each step ended, and stops after `SECONDS`.

    `ends` holds seconds and CPU seconds since this began, `(steps, 2)`.
    """

    def __init__(self) -> None:
        self.began = time.perf_counter(), time.process_time()
        self.ends: list[tuple[float, float]] = []

    def runner(self, model: tf.keras.Model, transform: Transform, after_step: AfterStep, told: Told) -> Run:
        """The same, watched."""

        def noted(number: int) -> None:
            told(number)
            now = time.perf_counter() - self.began[0], time.process_time() - self.began[1]
            self.ends += [now] * number
            if self.ends[-1][0] - self.ends[0][0] > SECONDS:
                raise TimeIsUpError

        return super().runner(model, transform, after_step, noted)


def setup(settings: Settings) -> None:
    """The preparation."""
    prepare(settings)


def work(settings: Settings) -> dict[str, Any]:
    """Fit; says how fast, and how much memory there was in use before examples were read."""
    prepared = prepare(settings)
    tf.constant(len(prepared.interactions))  # starts TensorFlow and reads the ratings
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    watched, steps_done = Watched(), list[int]()
    model = build_ranking(settings, prepared)
    training = ranking_rows(settings, prepared, "train")
    with tempfile.TemporaryDirectory() as folder, contextlib.suppress(TimeIsUpError):
        prepare_head(model.head, held_columns(training.arrays), settings, prepared, Path(folder))
        fit(
            model,
            training.arrays,
            lambda: 0.0,
            settings.training,
            settings.seed,
            Path(folder) / "fit",
            goal="min",
            name="ranking",
            on_epoch=lambda *_: steps_done.append(len(watched.ends)),
            placement=watched,
        )
    rows = len(training.target)
    per_step = rows / steps_done[0] if steps_done else settings.training.batch_size
    return {"rows": rows, **_rates(np.array(watched.ends), per_step), "before_gb": before}


def _rates(ends: NDArray[np.float64], rows_per_step: float) -> dict[str, float]:
    """Rows a second from the very beginning and steady, CPU microseconds a row, seconds to the first step."""
    seconds, cpu_seconds = ends[-1] - ends[WARM_UP - 1]
    steady = (len(ends) - WARM_UP) * rows_per_step
    return {
        "rows_per_s": len(ends) * rows_per_step / ends[-1, 0],
        "steady_rows_per_s": steady / seconds,
        "steady_cpu_us_per_row": cpu_seconds / steady * 1e6,
        "first_step_s": ends[0, 0],
    }
