"""A study on disk: who may begin a trial, which trials count, and what they were begun with."""

from __future__ import annotations

import fcntl
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileSymlinkLock
from optuna.trial import FrozenTrial, Trial, TrialState

from recommender.config import TuningSettings
from recommender.errors import RecommenderError

NAME = "ranking"
FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)

# User attributes: of trials the process that runs it, and whether it is the settings as they are; of the
# study what makes its values comparable.
WORKER, AS_THEY_ARE, BASE = "worker", "as_they_are", "base"


def open_study(path: Path, base: Mapping[str, Any]) -> optuna.Study:
    """The study in a file, made if need be.

    `base`: by dotted keys, everything that values depend on apart from what is searched. Raises
    `RecommenderError` where the study was begun with another one: its values would not compare.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with _alone(path):
        _drop_half_line(path)
        storage = JournalStorage(JournalFileBackend(str(path)))
        study = optuna.create_study(storage=storage, study_name=NAME, load_if_exists=True)
        begun_with = study.user_attrs.get(BASE)
        if begun_with is None:
            study.set_user_attr(BASE, dict(base))
        elif begun_with != json.loads(json.dumps(base)):
            raise RecommenderError(f"{path}: begun with other settings, {_difference(begun_with, base)}")
    return study


def read_study(path: Path) -> optuna.Study:
    """The study in a file; raises `RecommenderError` where there is none."""
    if path.is_file():
        storage = JournalStorage(JournalFileBackend(str(path)))
        if NAME in optuna.get_all_study_names(storage):
            return optuna.load_study(storage=storage, study_name=NAME)
    raise RecommenderError(f"{path}: no study there; a search with tuning.trials above 0 makes one")


def begin_trial(
    study: optuna.Study, path: Path, worker: int, tuning: TuningSettings, as_they_are: Mapping[str, Any]
) -> Trial | None:
    """A trial for this worker, the first of a study with the values `as_they_are`; None if there are enough.

    At most one process may be worker `worker`. A trial that it has not finished was cut off, and so were
    those of workers that there are no longer: they are marked as failed and do not count.
    """
    with _alone(path):
        _fail_stale_trials(study, path, {number for number in range(tuning.workers) if number != worker})
        living = [trial for trial in study.get_trials(deepcopy=False) if trial.state != TrialState.FAIL]
        if sum(trial.state != TrialState.WAITING for trial in living) >= tuning.trials:
            return None
        if not any(AS_THEY_ARE in trial.user_attrs for trial in living):
            study.enqueue_trial(dict(as_they_are), user_attrs={AS_THEY_ARE: True})
        trial = study.ask()
        trial.set_user_attr(WORKER, worker)
    return trial


def finished_trials(study: optuna.Study) -> list[FrozenTrial]:
    """Trials that came to a value or were pruned, in the order of their numbers."""
    return study.get_trials(deepcopy=False, states=FINISHED)


def trial_folder(path: Path, number: int) -> Path:
    """Where a trial trains; it is removed with the trial's end."""
    return path.with_name(f"{path.stem}-trial-{number}")


def _fail_stale_trials(study: optuna.Study, path: Path, others: set[int]) -> None:
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        if trial.user_attrs.get(WORKER) not in others:
            shutil.rmtree(trial_folder(path, trial.number), ignore_errors=True)
            study.tell(trial.number, state=TrialState.FAIL)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """One process at a time; the lock ends with the process that holds it."""
    with path.with_name(f".{path.name}.begin").open("a", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _drop_half_line(path: Path) -> None:
    """A process killed while it wrote leaves half a line, after which Optuna could not read the file."""
    if not path.exists():
        return
    writing = JournalFileSymlinkLock(str(path))
    writing.acquire()
    try:
        with path.open("r+b") as journal:
            journal.truncate(journal.read().rfind(b"\n") + 1)
    finally:
        writing.release()


def _difference(begun_with: Mapping[str, Any], base: Mapping[str, Any]) -> str:
    """The first key whose value is not the same."""
    key = next(key for key in {**begun_with, **base} if begun_with.get(key) != base.get(key))
    return f"{key} {begun_with.get(key)!r}, received {base.get(key)!r}: search in a new run"
