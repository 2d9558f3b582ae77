"""A study in a file or a database: who may begin a trial, which count, and what they were begun with.

Workers hold no lock together, which a database on another machine could not give them. Each asks for a trial
and gives it back where the order of numbers, which Optuna hands out once, says that it is one too many.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import optuna
from optuna.exceptions import StorageInternalError
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend, JournalFileSymlinkLock
from optuna.trial import FrozenTrial, Trial, TrialState
from sqlalchemy.exc import SQLAlchemyError

from recommender.config import TuningSettings
from recommender.errors import RecommenderError

NAME = "ranking"
TRIES, SECONDS_BETWEEN = 4, 0.5  # of opening a database
ONE_MOMENT = timedelta(minutes=1)  # more than a worker takes to put its mark on a trial
FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)

# User attributes: of trials the process that runs it, and whether it is the settings as they are; of the
# study what makes its values comparable.
WORKER, AS_THEY_ARE, BASE = "worker", "as_they_are", "base"


def open_study(path: Path, base: Mapping[str, Any], url: str | None = None) -> optuna.Study:
    """The study of a run, made if need be: in a file, or in the database at `url` under the run's name.

    `base`: by dotted keys, everything that values depend on apart from what is searched. Raises
    `RecommenderError` where the study was begun with another one: its values would not compare.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if url is None:
        _drop_half_line(path)
    study = optuna.create_study(storage=_storage(path, url), study_name=_name(path, url), load_if_exists=True)
    if BASE not in study.user_attrs:
        study.set_user_attr(BASE, dict(base))
    begun_with = study.user_attrs[BASE]
    if begun_with != json.loads(json.dumps(base)):
        raise RecommenderError(f"{path}: begun with other settings, {_difference(begun_with, base)}")
    return study


def read_study(path: Path) -> optuna.Study:
    """The study in a file; raises `RecommenderError` where there is none."""
    if path.is_file():
        storage = _storage(path, None)
        if NAME in optuna.get_all_study_names(storage):
            return optuna.load_study(storage=storage, study_name=NAME)
    raise RecommenderError(f"{path}: no study there; a search with tuning.trials above 0 makes one")


def keep_study(path: Path, url: str) -> None:
    """Write a run's study in a database to the file in which a search of one machine would have kept it."""
    building = path.with_name(f".{path.name}.{os.getpid()}")
    name = _name(path, url)
    with database_in_one_line(url):
        storage = _storage(path, url)
        if name not in optuna.get_all_study_names(storage):
            raise RecommenderError(f"tuning.storage: {url} holds no study {name}")
        optuna.copy_study(
            from_study_name=name,
            from_storage=storage,
            to_storage=_storage(building, None),
            to_study_name=NAME,
        )
    building.replace(path)


@contextmanager
def database_in_one_line(url: str | None) -> Iterator[None]:
    """Turn what a study's database answers, also after it was opened, into a `RecommenderError`."""
    try:
        yield
    except (StorageInternalError, SQLAlchemyError) as error:
        raise _cannot_be_used(url, error) from None


def begin_trial(
    study: optuna.Study, path: Path, worker: int, tuning: TuningSettings, as_they_are: Mapping[str, Any]
) -> Trial | None:
    """A trial for this worker, the first of a study with the values `as_they_are`; None if there are enough.

    At most one process may be worker `worker`. A trial that it has not finished was cut off, and so were
    those of workers that there are no longer: they are marked as failed and do not count.
    """
    _fail_stale_trials(study, path, {number for number in range(tuning.workers) if number != worker})
    while True:
        living = _living(study)
        if sum(trial.state != TrialState.WAITING for trial in living) >= tuning.trials:
            return None
        if not any(AS_THEY_ARE in trial.user_attrs for trial in living):
            study.enqueue_trial(dict(as_they_are), user_attrs={AS_THEY_ARE: True})
        trial = study.ask()
        trial.set_user_attr(WORKER, worker)
        if not _is_one_too_many(study, trial, tuning.trials):
            return trial
        study.tell(trial, state=TrialState.FAIL)


def finished_trials(study: optuna.Study) -> list[FrozenTrial]:
    """Trials that came to a value or were pruned, in the order of their numbers."""
    return study.get_trials(deepcopy=False, states=FINISHED)


def trial_folder(path: Path, number: int) -> Path:
    """Where a trial trains; it is removed with the trial's end."""
    return path.with_name(f"{path.stem}-trial-{number}")


def _storage(path: Path, url: str | None) -> BaseStorage:
    """Raises `RecommenderError` where the database cannot be reached or Python lacks its driver."""
    if url is None:
        return JournalStorage(JournalFileBackend(str(path)))
    for tries_left in reversed(range(TRIES)):
        try:
            # Trials take long: connections go stale.
            return RDBStorage(url, engine_kwargs={"pool_pre_ping": True})
        except (ImportError, RuntimeError, StorageInternalError, SQLAlchemyError) as error:
            # Of workers who make the tables at the same time all but one fail, and find them the next time.
            # A driver that is missing and tables of another Optuna (RuntimeError) stay so.
            if not tries_left or isinstance(error, (ImportError, RuntimeError)):
                raise _cannot_be_used(url, error) from None
            time.sleep(SECONDS_BETWEEN)
    raise AssertionError("the last try returns or raises")


def _cannot_be_used(url: str | None, error: Exception) -> RecommenderError:
    """In one line; Optuna has the database's own words as the cause of its error."""
    reason = str(error.__cause__ or error).splitlines()[0]
    return RecommenderError(f"tuning.storage: {url} cannot be used: {reason}")


def _name(path: Path, url: str | None) -> str:
    """A file holds one study, a database those of all runs."""
    return NAME if url is None else f"{NAME}-{path.parent.name}"


def _living(study: optuna.Study) -> list[FrozenTrial]:
    return [trial for trial in study.get_trials(deepcopy=False) if trial.state != TrialState.FAIL]


def _is_one_too_many(study: optuna.Study, trial: Trial, trials: int) -> bool:
    """Whether other workers had begun enough trials, or the one as the settings are, a moment earlier."""
    begun = [other for other in _living(study) if other.state != TrialState.WAITING]
    earlier = [other for other in begun if other.number < trial.number]
    twice = AS_THEY_ARE in trial.user_attrs and any(AS_THEY_ARE in other.user_attrs for other in earlier)
    return twice or len(earlier) >= trials


def _fail_stale_trials(study: optuna.Study, path: Path, others: set[int]) -> None:
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        if _is_stale(trial, others):
            shutil.rmtree(trial_folder(path, trial.number), ignore_errors=True)
            study.tell(trial.number, state=TrialState.FAIL, skip_if_finished=True)  # another worker may have


def _is_stale(trial: FrozenTrial, others: set[int]) -> bool:
    """Whether nobody is at a running trial, given which other workers there are.

    One without a worker was begun by one of them this very moment, or by a process killed just then.
    """
    if WORKER in trial.user_attrs:
        return trial.user_attrs[WORKER] not in others
    begun = trial.datetime_start or datetime.min
    return not others or datetime.now() - begun > ONE_MOMENT


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
