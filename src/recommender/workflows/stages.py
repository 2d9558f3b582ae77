"""The stages of a training run, for flow and command line: each leaves its result in the run's folder.

A stage that a run has already finished is not repeated by its second call, so a killed run can be resumed.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recommender.config import Settings
from recommender.errors import RecommenderError
from recommender.folder_lock import alone
from recommender.tensorflow_start import start_tensorflow
from recommender.versions import Version, publish
from recommender.whole_files import write_whole
from recommender.workflows.runs import write_settings
from recommender.workflows.validation import check_one_process

if TYPE_CHECKING:
    from recommender.cluster.gang import Place
    from recommender.data.prepared import Prepared
    from recommender.training import Trained

STUDY_FILE = "study.log"
METRICS_FILE = "metrics.json"
PUBLISHED_FILE = "published.json"


def tune(settings: Settings, prepared: Prepared, run_folder: Path, worker: int = 0) -> None:
    """Search as one of `tuning.workers` processes that share the run's study.

    Raises `ConfigError` for settings of a cluster that trains together.
    """
    check_one_process(settings)
    start_tensorflow()
    from recommender import tuning

    with alone(run_folder, f"tune-{worker}"):
        tuning.tune(settings, prepared, run_folder / STUDY_FILE, worker)


def choose(settings: Settings, run_folder: Path) -> Settings:
    """Lay the best settings that the search found over those of the run."""
    from recommender import tuning

    if settings.tuning.storage:
        tuning.keep_study(run_folder / STUDY_FILE, settings.tuning.storage)
    best = tuning.best_settings(settings, run_folder / STUDY_FILE)
    write_settings(best, run_folder)
    return best


def fit(settings: Settings, prepared_folder: Path, run_folder: Path, place: Place) -> None:
    """Fit both models together with the other tasks of a gang, going on from the run's last checkpoint."""
    from recommender.cluster.gang import meet
    from recommender.cluster.process import take_part

    cluster = meet(place, settings.distribution.start_timeout)
    take_part(settings, cluster, run_folder, prepared_folder)


def train(settings: Settings, prepared: Prepared, run_folder: Path) -> Trained:
    """Fit both models, going on from the run's last checkpoint; only loads what is fitted already."""
    start_tensorflow()
    from recommender import training

    with alone(run_folder, "train"):
        return training.train(settings, prepared, run_folder)


def evaluate(settings: Settings, prepared: Prepared, trained: Trained, run_folder: Path) -> dict[str, Any]:
    """Measure the run's models and the baselines; returns what is written to `metrics.json`."""
    from recommender import scoreboard

    with alone(run_folder, "evaluate"):
        metrics = scoreboard.evaluate(settings, prepared, trained)
        _write_json(metrics, run_folder / METRICS_FILE)
    return metrics


def check_measured(run_folder: Path) -> None:
    """Raise `RecommenderError` for a run without metrics, which a version carries with it."""
    path = run_folder / METRICS_FILE
    if not path.is_file():
        raise RecommenderError(f"{path}: not there; measure the run first: `recommender evaluate`")


def export(settings: Settings, prepared: Prepared, trained: Trained, run_folder: Path) -> Version:
    """Export the run's models and publish them as the next version; a run is published once."""
    base = settings.export.models.absolute() / settings.workflow.name
    with alone(run_folder, "export"):
        if published := _published(run_folder):
            return published
        number = publish(_build_version(settings, prepared, trained, run_folder), base)
        version = Version(number, base / str(number))
        _write_json({"number": number, "folder": str(version.folder)}, run_folder / PUBLISHED_FILE)
    return version


def _build_version(settings: Settings, prepared: Prepared, trained: Trained, run_folder: Path) -> Path:
    from recommender.export import export as build

    check_measured(run_folder)
    folder = run_folder / "version"
    shutil.rmtree(folder, ignore_errors=True)  # what a killed process has left
    metrics = json.loads((run_folder / METRICS_FILE).read_text(encoding="utf-8"))
    build(settings, prepared, trained, metrics, folder)
    return folder


def _published(run_folder: Path) -> Version | None:
    path = run_folder / PUBLISHED_FILE
    if not path.exists():
        return None
    content = json.loads(path.read_text(encoding="utf-8"))
    version = Version(content["number"], Path(content["folder"]))
    return version if version.folder.is_dir() else None


def _write_json(content: dict[str, Any], path: Path) -> None:
    write_whole(path, json.dumps(content, indent=1, allow_nan=False))
