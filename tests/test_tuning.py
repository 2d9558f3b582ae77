import math
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import optuna
import pandas as pd
import pytest
import tensorflow as tf
from pandas.testing import assert_frame_equal

from recommender.config import Settings, load_settings
from recommender.data.interactions import Interactions
from recommender.data.prepared import Prepared
from recommender.errors import ConfigError, RecommenderError
from recommender.training.fit import Progress
from recommender.tuning import best_settings, keep_study, search, study_table, tune
from recommender.tuning.study import AS_THEY_ARE, WORKER, begin_trial, open_study

RANGES = {
    "training.learning_rate": {"low": 1e-4, "high": 1e-1, "log": True},
    "ranking.embedding_size": {"low": 4, "high": 16, "step": 4},
    "ranking.head_options.hidden": {"choices": [[16, 8], [16]]},
}
KEYS = list(RANGES)
# What a searching process of its own runs: the loss is a formula, one trial never ends.
PROGRAM = """
import sys, time
from pathlib import Path
from recommender.config import read_yaml, check
from recommender.data.prepared import Prepared
from recommender import tuning
from test_tuning import Formula
run, worker, stuck_at, seconds = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
class Slow(Formula):
    def __call__(self, settings, prepared, folder, on_epoch):
        if len(self.tried) == stuck_at:
            folder.mkdir()
            (folder / "half").touch()
            (run / "stuck").touch()
            time.sleep(600)
        time.sleep(seconds)
        return super().__call__(settings, prepared, folder, on_epoch)
tuning.search.train_ranking = Slow()
tuning.tune(check(read_yaml(run / "config.yaml")), Prepared(Path(sys.argv[5])), run / "study.log", worker)
"""


def loss(settings: Settings) -> float:
    """Lowest, 0.5, at a learning rate of 0.01 and an embedding of 8."""
    distance = abs(math.log10(settings.training.learning_rate) + 2)
    return 0.5 + 0.1 * distance + 0.01 * abs(settings.ranking.embedding_size - 8)


class Formula:
    """Stands in for `train_ranking`: no training, a known best; remembers what was tried."""

    def __init__(self, loss: Callable[[Settings], float] = loss) -> None:
        self.loss = loss
        self.tried: list[Settings] = []

    def __call__(
        self, settings: Settings, prepared: Prepared, folder: Path, on_epoch: Callable[[int, float], None]
    ) -> tuple[None, Progress]:
        self.tried.append(settings)
        folder.mkdir(parents=True)
        (folder / "checkpoint").touch()
        progress = Progress()
        for epoch in range(settings.training.epochs):
            progress.validation.append(self.loss(settings) + 0.1 / (epoch + 1))
            on_epoch(epoch, progress.validation[-1])
        return None, progress


@pytest.fixture
def formula(monkeypatch: pytest.MonkeyPatch) -> Formula:
    stand_in = Formula()
    monkeypatch.setattr(search, "train_ranking", stand_in)
    return stand_in


@pytest.fixture
def study_path(tmp_path: Path) -> Path:
    return tmp_path / "run" / "study.log"


def searching(settings: Settings, trials: int, ranges: Any = RANGES, **other: Any) -> Settings:
    tree = settings.model_dump(mode="json")
    tree["training"]["learning_rate"] = 0.003  # which leaves something to find
    tree["tuning"] = {"trials": trials, "ranges": ranges, **other}
    return Settings.model_validate(tree)


def with_epochs(settings: Settings, epochs: int) -> Settings:
    training = settings.training.model_copy(update={"epochs": epochs})
    return settings.model_copy(update={"training": training})


def drawn(table: pd.DataFrame) -> list[list[Any]]:
    return table[[*KEYS, "validation"]].values.tolist()


def test_the_first_trial_is_the_settings_as_they_are(
    settings: Settings, prepared: Prepared, study_path: Path, formula: Formula
) -> None:
    settings = searching(settings, 3)
    tune(settings, prepared, study_path)
    assert formula.tried[0] == settings
    assert len(formula.tried) == 3
    table = study_table(study_path)
    assert table["as_they_are"].tolist() == [True, False, False]
    assert table.loc[0, KEYS].tolist() == [0.003, 4, [16, 8]]
    assert table["validation"].tolist() == pytest.approx([loss(tried) + 0.05 for tried in formula.tried])


def test_the_best_trial_is_laid_over_the_settings(
    settings: Settings, prepared: Prepared, study_path: Path, formula: Formula
) -> None:
    settings = searching(settings, 12)
    tune(settings, prepared, study_path)
    best = best_settings(settings, study_path)
    assert best == min(formula.tried, key=loss)
    assert loss(best) < loss(settings)
    assert study_table(study_path)["validation"].min() == pytest.approx(loss(best) + 0.05)


def test_settings_that_no_trial_beats_stay_as_they_are(
    settings: Settings, prepared: Prepared, study_path: Path, formula: Formula
) -> None:
    settings = searching(settings, 4)
    formula.loss = lambda tried: 1.0  # as good as, but not better
    tune(settings, prepared, study_path)
    assert best_settings(settings, study_path) == settings


def test_each_value_is_drawn_from_its_range(
    settings: Settings, prepared: Prepared, study_path: Path, formula: Formula
) -> None:
    tune(searching(settings, 12, pruning=False), prepared, study_path)
    later = formula.tried[1:]
    assert all(1e-4 <= tried.training.learning_rate <= 1e-1 for tried in later)
    assert len({tried.training.learning_rate for tried in later}) == len(later)
    assert {tried.ranking.embedding_size for tried in later} <= {4, 8, 12, 16}
    assert {str(tried.ranking.head_options["hidden"]) for tried in later} == {"[16, 8]", "[16]"}
    assert all(tried.training.batch_size == settings.training.batch_size for tried in later)


def test_the_same_seed_draws_the_same_trials(
    settings: Settings, prepared: Prepared, tmp_path: Path, formula: Formula
) -> None:
    settings = searching(settings, 8)
    for name in "ab":
        tune(settings, prepared, tmp_path / name / "study.log")
    tune(settings.model_copy(update={"seed": 7}), prepared, tmp_path / "c" / "study.log")
    first, again, other = (drawn(study_table(tmp_path / name / "study.log")) for name in "abc")
    assert first == again
    assert first[1:] != other[1:]


def test_a_search_that_was_cut_off_goes_on_as_if_it_had_not_been(
    settings: Settings, prepared: Prepared, tmp_path: Path, formula: Formula
) -> None:
    settings = searching(settings, 9)
    tune(settings, prepared, tmp_path / "whole" / "study.log")

    def interrupted(tried: Settings) -> float:
        if len(formula.tried) in (1, 5):
            raise KeyboardInterrupt
        return loss(tried)

    formula.tried, formula.loss = [], interrupted
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            tune(settings, prepared, tmp_path / "cut" / "study.log")
    tune(settings, prepared, tmp_path / "cut" / "study.log")
    whole, cut = (study_table(tmp_path / name / "study.log") for name in ("whole", "cut"))
    assert drawn(whole) == drawn(cut)
    assert cut["number"].tolist() == [1, 2, 3, 5, 6, 7, 8, 9, 10]


def test_a_search_adds_only_the_trials_that_are_missing(
    settings: Settings, prepared: Prepared, study_path: Path, formula: Formula
) -> None:
    tune(searching(settings, 3), prepared, study_path)
    tune(searching(settings, 5), prepared, study_path)
    tune(searching(settings, 5), prepared, study_path)
    assert len(formula.tried) == len(study_table(study_path)) == 5


def test_a_trial_leaves_nothing_but_its_line_in_the_study(
    settings: Settings,
    prepared: Prepared,
    study_path: Path,
    formula: Formula,
    capsys: pytest.CaptureFixture[str],
) -> None:
    tune(searching(settings, 2), prepared, study_path)
    assert {path.name for path in study_path.parent.iterdir()} == {"study.log"}
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(
        "trial 0: validation 0.6423, best so far 0.6423 (trial 0); training.learning_rate=0.003"
    )
    assert lines[1].startswith("trial 1: validation 0.")


def test_a_trial_worse_than_the_median_is_pruned(
    settings: Settings, prepared: Prepared, tmp_path: Path, formula: Formula
) -> None:
    settings = with_epochs(settings, 4)
    formula.loss = lambda tried: 0.5 + len(formula.tried)
    for pruning in (True, False):
        formula.tried = []
        tune(searching(settings, 8, pruning=pruning), prepared, tmp_path / str(pruning) / "study.log")
    pruned, whole = (study_table(tmp_path / name / "study.log") for name in ("True", "False"))
    assert pruned["state"].tolist() == ["complete"] * 5 + ["pruned"] * 3
    assert pruned["epochs"].tolist() == [4] * 5 + [2] * 3
    assert set(whole["state"]) == {"complete"}


def test_a_trial_that_came_to_its_last_epoch_is_not_pruned(
    settings: Settings, prepared: Prepared, study_path: Path, formula: Formula
) -> None:
    formula.loss = lambda tried: 0.5 + len(formula.tried)
    tune(searching(with_epochs(settings, 2), 7), prepared, study_path)
    assert set(study_table(study_path)["state"]) == {"complete"}


def test_the_settings_as_they_are_are_never_pruned(
    settings: Settings, prepared: Prepared, study_path: Path, formula: Formula
) -> None:
    settings = searching(with_epochs(settings, 4), 8)
    study = open_study(study_path, search._base(settings, prepared))
    for _ in range(6):  # another worker has been quick
        trial = study.ask()
        trial.set_user_attr(WORKER, 1)
        for epoch in range(4):
            trial.report(0.1, epoch)
        study.tell(trial, 0.1)
    tune(settings, prepared, study_path)
    table = study_table(study_path)
    assert table.loc[6, ["as_they_are", "state", "epochs"]].tolist() == [True, "complete", 4]
    assert table.loc[7, ["as_they_are", "state"]].tolist() == [False, "pruned"]


def test_training_that_diverges_counts_but_never_wins(
    settings: Settings, prepared: Prepared, study_path: Path, formula: Formula
) -> None:
    formula.loss = lambda tried: math.nan if len(formula.tried) != 2 else 0.7
    settings = searching(settings, 4)
    tune(settings, prepared, study_path)
    table = study_table(study_path)
    assert table["state"].tolist() == ["pruned", "complete", "pruned", "pruned"]
    assert table["validation"].isna().tolist() == [True, False, True, True]
    assert best_settings(settings, study_path) == formula.tried[1]


def test_settings_outside_the_ranges_can_be_searched_from(
    settings: Settings, prepared: Prepared, study_path: Path, formula: Formula
) -> None:
    ranges = RANGES | {"training.learning_rate": {"low": 0.01, "high": 0.1}}
    ranges |= {"ranking.head_options.activation": {"choices": ["relu", "swish"]}}
    settings = searching(settings, 7, ranges)
    tune(settings, prepared, study_path)
    assert formula.tried[0] == settings
    assert all(tried.training.learning_rate >= 0.01 for tried in formula.tried[1:])
    table = study_table(study_path)
    assert table["training.learning_rate"].isna().tolist() == [True] + [False] * 6


def test_a_study_begun_with_other_settings_is_not_gone_on_with(
    settings: Settings, prepared: Prepared, study_path: Path, formula: Formula
) -> None:
    tune(searching(settings, 1), prepared, study_path)
    with pytest.raises(
        RecommenderError, match=r"study\.log: begun with other settings, training\.epochs 2, received 3"
    ):
        tune(searching(with_epochs(settings, 3), 2), prepared, study_path)
    fewer = {key: RANGES[key] for key in KEYS[:2]}
    with pytest.raises(
        RecommenderError, match=r"tuning\.ranges\.ranking\.head_options\.hidden {'choices'.*received None"
    ):
        tune(searching(settings, 2, fewer), prepared, study_path)
    assert len(formula.tried) == 1


def test_a_range_that_the_head_does_not_take_is_an_error_before_any_training(
    settings: Settings, prepared: Prepared, study_path: Path, formula: Formula
) -> None:
    ranges = {"ranking.head_options.hiden": {"choices": [[16], [8]]}}
    with pytest.raises(
        ConfigError, match=r"tuning\.ranges\.ranking\.head_options\.hiden: .*received 'hiden'"
    ):
        tune(searching(settings, 2, ranges), prepared, study_path)
    assert not study_path.exists()


def test_trials_compute_where_the_settings_say(
    settings: Settings, prepared: Prepared, study_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places: list[str] = []
    train = Formula()

    def noting(*given: Any) -> tuple[None, Progress]:
        places.append(tf.constant(1).device)
        return train(*given)

    monkeypatch.setattr(search, "train_ranking", noting)
    tree = searching(settings, 1).model_dump(mode="json") | {"distribution": {"device": "cpu"}}
    tune(Settings.model_validate(tree), prepared, study_path)
    assert [place.endswith("CPU:0") for place in places] == [True]
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind: [])
    with pytest.raises(ConfigError, match=r"^distribution.device: gpu"):
        tune(Settings.model_validate(tree | {"distribution": {"device": "gpu"}}), prepared, study_path)


def test_a_trial_that_another_worker_is_at_counts_and_is_left_alone(
    settings: Settings, prepared: Prepared, study_path: Path, formula: Formula
) -> None:
    settings = searching(settings, 3, workers=2)
    study = open_study(study_path, search._base(settings, prepared))
    study.enqueue_trial({}, user_attrs={AS_THEY_ARE: True})
    study.ask().set_user_attr(WORKER, 1)
    tune(settings, prepared, study_path, worker=0)
    assert len(formula.tried) == 2
    assert study.trials[0].state == optuna.trial.TrialState.RUNNING
    assert (
        best_settings(settings, study_path) == settings
    )  # not measured yet, so nothing is known to beat them
    tune(searching(Settings.model_validate(settings.model_dump()), 3, workers=1), prepared, study_path)
    assert study.trials[0].state == optuna.trial.TrialState.FAIL  # there is no worker 1 any more
    assert study_table(study_path)["as_they_are"].tolist() == [False, False, True]


def test_a_line_that_a_killed_process_did_not_finish_is_forgotten(
    settings: Settings, prepared: Prepared, study_path: Path, formula: Formula
) -> None:
    tune(searching(settings, 2), prepared, study_path)
    before = study_table(study_path)
    with study_path.open("a", encoding="utf-8") as journal:
        journal.write('{"op_code":4,"worker_id":"x')
    tune(searching(settings, 3), prepared, study_path)
    assert_frame_equal(study_table(study_path).head(2), before)
    assert len(study_table(study_path)) == 3


def test_without_a_study_there_is_no_best(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(RecommenderError, match=r"study\.log: no study there"):
        best_settings(settings, tmp_path / "study.log")
    (tmp_path / "study.log").touch()
    with pytest.raises(RecommenderError, match=r"study\.log: no study there"):
        study_table(tmp_path / "study.log")


@pytest.mark.slow
def test_a_search_reads_no_test_rating_and_finds_what_training_finds(
    settings: Settings, prepared: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Real training: the trial of the settings as they are has the value of a training by itself."""

    def guarded(read: Callable[..., Any]) -> Callable[..., Any]:
        def call(self: Any, *names: Any) -> Any:
            assert not {"test", "serving"} & {name for name in names if isinstance(name, str)}
            return read(self, *names)

        return call

    for owner, names in ((Prepared, ("examples", "column", "snapshot")), (Interactions, ("part", "before"))):
        for name in names:
            monkeypatch.setattr(owner, name, guarded(getattr(owner, name)))
    with pytest.raises(AssertionError):
        prepared.interactions.part("test")
    settings = searching(settings, 2, {"training.learning_rate": {"low": 1e-6, "high": 2e-6}})
    _, progress = search.train_ranking(settings, prepared, tmp_path / "alone")
    tune(settings, prepared, tmp_path / "study.log")
    table = study_table(tmp_path / "study.log")
    assert table["validation"][0] == pytest.approx(min(progress.validation), abs=1e-9)
    assert table["validation"][1] > table["validation"][0]
    assert best_settings(settings, tmp_path / "study.log") == settings


class Searching:
    """A run's folder and the processes that search in it."""

    def __init__(self, settings: Settings, prepared: Prepared, folder: Path) -> None:
        self.folder, self.prepared = folder, prepared
        self.study = folder / "study.log"
        folder.mkdir(parents=True)
        (folder / "config.yaml").write_text(settings.to_yaml(), encoding="utf-8")

    def start(self, worker: int = 0, stuck_at: int = -1, seconds: float = 0.0) -> "subprocess.Popen[str]":
        arguments = [str(self.folder), str(worker), str(stuck_at), str(seconds), str(self.prepared.folder)]
        return subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *arguments],
            cwd=Path(__file__).parent,
            stdout=subprocess.PIPE,
            text=True,
        )


@pytest.mark.slow
def test_a_killed_search_is_resumed_and_ends_as_if_it_had_not_been(
    settings: Settings, prepared: Prepared, tmp_path: Path, formula: Formula
) -> None:
    settings = searching(settings, 8)
    tune(settings, prepared, tmp_path / "whole" / "study.log")
    place = Searching(settings, prepared, tmp_path / "run")
    with place.start(stuck_at=3) as process:
        deadline = time.monotonic() + 120
        while not (place.folder / "stuck").exists():
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        os.kill(process.pid, signal.SIGKILL)
    assert len(study_table(place.study)) == 3
    assert (place.folder / "study-trial-3" / "half").exists()
    tune(settings, prepared, place.study)
    assert drawn(study_table(place.study)) == drawn(study_table(tmp_path / "whole" / "study.log"))
    assert not list(place.folder.glob("study-trial-*"))


@pytest.mark.slow
def test_two_workers_share_one_study(settings: Settings, prepared: Prepared, tmp_path: Path) -> None:
    settings = searching(settings, 8, workers=2)
    place = Searching(settings, prepared, tmp_path / "run")
    processes = [place.start(worker, seconds=0.6) for worker in (0, 1)]
    output = [process.communicate(timeout=180)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    table = study_table(place.study)
    assert len(table) == 8
    assert set(table["worker"]) == {0, 1}
    assert table["as_they_are"].sum() == 1
    lines = [line for text in output for line in text.splitlines() if line.startswith("trial ")]
    assert len(lines) == 8


@pytest.mark.slow
def test_two_processes_share_one_study_in_a_database(
    settings: Settings, prepared: Prepared, tmp_path: Path
) -> None:
    """Each has a folder of its own for the run, as two machines have; only the database is the same."""
    url = f"sqlite:///{tmp_path / 'studies.db'}"
    settings = searching(settings, 8, workers=2, storage=url)
    places = [Searching(settings, prepared, tmp_path / machine / "run-7") for machine in ("one", "other")]
    processes = [place.start(worker, seconds=0.6) for worker, place in enumerate(places)]
    output = [process.communicate(timeout=180)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert not any(place.study.exists() for place in places)
    keep_study(places[0].study, url)
    table = study_table(places[0].study)
    assert len(table) == 8
    assert set(table["worker"]) == {0, 1}
    assert table["as_they_are"].sum() == 1
    assert sum(line.startswith("trial ") for text in output for line in text.splitlines()) == 8
    assert best_settings(settings, places[0].study) != settings


def test_a_search_in_a_database_finds_what_one_in_a_file_finds(
    settings: Settings, prepared: Prepared, tmp_path: Path, formula: Formula
) -> None:
    url = f"sqlite:///{tmp_path / 'studies.db'}"
    in_file, in_database = tmp_path / "a" / "study.log", tmp_path / "b" / "study.log"
    tune(searching(settings, 6), prepared, in_file)
    tune(searching(settings, 6, storage=url), prepared, in_database)
    assert not in_database.exists()
    keep_study(in_database, url)
    assert drawn(study_table(in_database)) == drawn(study_table(in_file))
    keep_study(in_database, url)  # by a step that is repeated
    assert [path.name for path in in_database.parent.iterdir()] == ["study.log"]


def test_a_database_keeps_the_studies_of_all_runs_apart(
    settings: Settings, prepared: Prepared, tmp_path: Path, formula: Formula
) -> None:
    settings = searching(settings, 3, storage=f"sqlite:///{tmp_path / 'studies.db'}")
    for run in ("monday", "tuesday"):
        tune(settings, prepared, tmp_path / run / "study.log")
    assert len(formula.tried) == 6


def test_workers_that_begin_at_once_neither_try_too_much_nor_the_present_settings_twice(
    settings: Settings, prepared: Prepared, study_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between one worker's look at the study and its trial, another has begun the same trial."""
    tuning = searching(settings, 2, workers=2).tuning
    study = open_study(study_path, {})
    ask, overtakes = study.ask, iter([True, False])

    def overtaken() -> optuna.trial.Trial:
        if next(overtakes, False):
            for _ in range(2):  # worker 1 has seen the same study: it adds the present settings, too
                study.enqueue_trial({}, user_attrs={AS_THEY_ARE: True})
                ask().set_user_attr(WORKER, 1)
        return ask()

    monkeypatch.setattr(study, "ask", overtaken)
    assert begin_trial(study, study_path, 0, tuning, {}) is None
    states = [(trial.state.name, AS_THEY_ARE in trial.user_attrs) for trial in study.get_trials()]
    assert states == [("RUNNING", True), ("RUNNING", True), ("FAIL", True)]


@pytest.mark.parametrize(
    ("workers", "seconds", "state"), [(1, 0, "FAIL"), (2, 0, "RUNNING"), (2, 90, "FAIL"), (2, 30, "RUNNING")]
)
def test_a_trial_whose_process_was_killed_before_it_said_whose_it_is_does_not_count_for_ever(
    settings: Settings, study_path: Path, workers: int, seconds: int, state: str
) -> None:
    study = open_study(study_path, {})
    unmarked = optuna.trial.create_trial(state=optuna.trial.TrialState.RUNNING)
    unmarked.datetime_start = datetime.now() - timedelta(seconds=seconds)
    study.add_trial(unmarked)
    begin_trial(study, study_path, 0, searching(settings, 2, workers=workers).tuning, {})
    assert study.trials[0].state.name == state


def test_a_database_that_is_lost_during_a_search_is_one_line(
    settings: Settings, prepared: Prepared, tmp_path: Path, formula: Formula
) -> None:
    def lost(tried: Settings) -> float:
        execute(tmp_path / "studies.db", "DROP TABLE trials")
        return 0.5

    formula.loss = lost
    settings = searching(settings, 2, storage=f"sqlite:///{tmp_path / 'studies.db'}")
    with pytest.raises(
        RecommenderError, match=r"^tuning\.storage: .* cannot be used: .*no such table: trials$"
    ):
        tune(settings, prepared, tmp_path / "run" / "study.log")


def test_a_database_without_the_study_or_of_another_optuna_is_one_line(
    settings: Settings, prepared: Prepared, tmp_path: Path, formula: Formula
) -> None:
    url, path = f"sqlite:///{tmp_path / 'studies.db'}", tmp_path / "run-7" / "study.log"
    tune(searching(settings, 1, storage=url), prepared, path)
    with pytest.raises(RecommenderError, match=r"^tuning\.storage: sqlite:.* holds no study ranking-run-8$"):
        keep_study(tmp_path / "run-8" / "study.log", url)
    execute(tmp_path / "studies.db", "UPDATE alembic_version SET version_num = 'v0.9.0.a'")
    with pytest.raises(RecommenderError, match=r"^tuning\.storage: .* cannot be used: .*table schema.*$"):
        tune(searching(settings, 2, storage=url), prepared, path)


def execute(database: Path, statement: str) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute(statement)


def test_a_database_that_cannot_be_used_is_one_line(
    settings: Settings, prepared: Prepared, study_path: Path, formula: Formula
) -> None:
    nowhere = f"sqlite:///{study_path.parent / 'nix' / 'studies.db'}"
    with pytest.raises(RecommenderError, match=r"^tuning\.storage: sqlite:///.* cannot be used: .+$"):
        tune(searching(settings, 1, storage=nowhere), prepared, study_path)
    with pytest.raises(RecommenderError, match=r"^tuning\.storage: nix://host/studies cannot be used: .+$"):
        tune(searching(settings, 1, storage="nix://host/studies"), prepared, study_path)


@pytest.mark.parametrize(
    ("url", "rule"),
    [
        ("studies.db", "must be a database URL"),
        ("postgresql://me:secret@host/db", "must hold no password"),
        ("postgresql://me@host/db?password=secret", "must hold no password"),
    ],
)
def test_a_database_is_named_by_a_url_without_a_secret(url: str, rule: str) -> None:
    with pytest.raises(ConfigError, match=rf"^tuning\.storage: {rule}") as error:
        load_settings(None, [f"tuning.storage={url}"], {})
    assert "secret" not in str(error.value)
