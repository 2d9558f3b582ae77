"""The smoke request of a version: what was asked right after its export, and what it answered.

Whoever serves the version later asks the same and compares: another machine, another TensorFlow or a damaged
copy then shows before users meet it.
"""

from __future__ import annotations

import json
import math
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recommender.errors import RecommenderError
from recommender.tensorflow_start import start_tensorflow

SMOKE_FILE = "smoke.json"


@dataclass(frozen=True)
class Smoke:
    """The body of a predict request in row form, and the number that each row got, by its output's name."""

    request: dict[str, Any]
    predictions: list[dict[str, float]]

    def first_row(self) -> dict[str, Any]:
        """A request for the first prediction alone."""
        return {**self.request, "instances": self.request["instances"][:1]}

    def difference(self, predictions: Any) -> float:
        """How far another answer is off at most; raises `RecommenderError` where it has another form."""
        try:
            differences = [
                abs(answered[name] - value)
                for expected, answered in zip(self.predictions, predictions, strict=True)
                for name, value in expected.items()
            ]
        except (KeyError, TypeError, ValueError):
            shown = json.dumps(predictions, ensure_ascii=False)[:200]
            raise RecommenderError(f"the smoke request's answer has another form: {shown}") from None
        return math.nan if any(map(math.isnan, differences)) else max(differences, default=0.0)

    def check(self, predictions: Any, tolerance: float) -> float:
        """The same where it is at most `tolerance`, or else `RecommenderError`."""
        difference = self.difference(predictions)
        if not difference <= tolerance:  # also NaN
            raise RecommenderError(
                f"the smoke request's predictions differ from those at export by {difference:.6g}, "
                f"at most {tolerance:g} is allowed"
            )
        return difference

    def agreement(self, difference: float) -> str:
        """How far an answer that has passed is off, in words."""
        return f"{len(self.predictions)} predictions as at export, at most {difference:.1g} apart"


def read_smoke(version: Path) -> Smoke:
    """The smoke request in a version's folder; raises `RecommenderError` where it cannot be compared with."""
    path = version / SMOKE_FILE
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        smoke = Smoke(content["request"], content["predictions"])
        compares = _compares(smoke)
    except OSError as error:
        raise RecommenderError(
            f"{path}: cannot be read: {error.strerror}; deployment.smoke=false goes without it"
        ) from None
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        compares = False
    if not compares:
        raise RecommenderError(
            f"{path}: expected a JSON object with request and predictions, "
            "a number or more for each of the request's instances"
        )
    return smoke


def _compares(smoke: Smoke) -> bool:
    """Whether there is a row, and a number to compare with for each; nothing to compare would always pass."""
    rows, predictions = smoke.request["instances"], smoke.predictions
    numbers = [list(prediction.values()) for prediction in predictions]
    return 0 < len(rows) == len(numbers) and all(row and all(map(math.isfinite, row)) for row in numbers)


def ask_saved_model(version: Path, request: Mapping[str, Any]) -> list[dict[str, float]]:
    """What the SavedModel in a folder answers to a request in row form: the outputs with one number per row.

    Embeddings are left out: they are long, and differ where the predictions do. Loads the model in this
    process, with TensorFlow alone.
    """
    start_tensorflow()
    import tensorflow as tf

    signature = tf.saved_model.load(str(version)).signatures["serving_default"]
    specs = signature.structured_input_signature[1]
    columns = {
        name: tf.constant([row[name] for row in request["instances"]], spec.dtype)
        for name, spec in specs.items()
    }
    outputs = signature(**columns)
    values = {name: output.numpy().tolist() for name, output in outputs.items() if output.shape.rank == 1}
    return [dict(zip(values, row, strict=True)) for row in zip(*values.values(), strict=True)]


def check_version(version: Path, tolerance: float, seconds: float) -> float:
    """Load a version in a process of its own and compare its answer with that at export.

    Returns the largest difference. Raises `RecommenderError` where it cannot be loaded within `seconds`,
    fails, or differs by more than `tolerance`. A model that crashes TensorFlow does not take us with it.
    """
    smoke = read_smoke(version)
    command = [sys.executable, "-P", "-m", "recommender.smoke", str(version)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds)
    except subprocess.TimeoutExpired:
        raise RecommenderError(f"{version}: not loaded within {seconds:g} seconds") from None
    if done.returncode != 0:
        raise RecommenderError(f"{version}: cannot be loaded and asked: {_cause(done)}")
    try:
        return smoke.check(json.loads(done.stdout.splitlines()[-1]), tolerance)
    except RecommenderError as error:
        raise RecommenderError(f"{version}: {error}") from None


def _cause(ended: subprocess.CompletedProcess[str]) -> str:
    """Why the process failed: its last line, or the signal that it could say nothing about."""
    if ended.returncode < 0:
        return f"its process was ended by {signal.Signals(-ended.returncode).name}"
    said = ended.stderr.strip().splitlines() or [f"exit status {ended.returncode}"]
    return said[-1]


def main(folder: Path) -> None:
    """Print the answer, or end with one line: TensorFlow's errors have many, the first ones saying most."""
    try:
        print(json.dumps(ask_saved_model(folder, read_smoke(folder).request)))
    except Exception as error:
        sys.exit(" ".join(f"{type(error).__name__}: {error}".split()))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
