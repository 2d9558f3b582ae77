"""Versions come and go with their folders, and requests find those that are available."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from waiting import eventually

from recommender.errors import ConfigError
from recommender.serving.servables import folder_watch
from recommender.serving.servables.events import LoadAttempted, StateChanged
from recommender.serving.servables.manager import ModelManager
from recommender.serving.servables.model_config import VersionPolicy
from recommender.serving.status import Code, ServingError

ALL = VersionPolicy("all")


def refusal(call: Any) -> tuple[Code, str]:
    with pytest.raises(ServingError) as caught:
        call()
    return caught.value.code, caught.value.message


def test_the_latest_version_is_served_after_the_start(
    saved_models: Any, tmp_path: Path, manage: Any, model: Any, half: Any, states: Any
) -> None:
    saved_models.place("half_plus_two", tmp_path / "00000009")
    saved_models.place("half_plus_three", tmp_path / "10")
    manager = manage([model(tmp_path)])
    assert half.plus(manager) == half.plus(manager, version=10) == 3.0
    assert states(manager) == {10: "AVAILABLE"}
    with manager.servable("m") as servable:
        assert (servable.name, servable.version) == ("m", 10)
    assert manager.metadata("m") == manager.metadata("m", 10)
    assert b'"version": "10"' in manager.metadata("m")


def test_versions_are_listed_with_the_highest_first(
    saved_models: Any, tmp_path: Path, manage: Any, model: Any
) -> None:
    """ServableStateMonitor::VersionMap is sorted by greater."""
    for version in ("2", "10", "1"):
        saved_models.place("int32", tmp_path / version)
    manager = manage([model(tmp_path, policy=ALL)])
    assert [status.version for status in manager.statuses("m")] == [10, 2, 1]
    assert [status.version for status in manager.statuses("m", 2)] == [2]
    assert [status.version for status in manager.statuses("m", label="any")] == [10, 2, 1]


def test_what_is_not_there_is_refused_in_servings_words(
    saved_models: Any, tmp_path: Path, manage: Any, model: Any, half: Any
) -> None:
    """basic_manager.cc, server_core.cc, get_model_status_impl.cc."""
    saved_models.place("half_plus_two", tmp_path / "123")
    manager = manage([model(tmp_path, labels={"stable": 123, "canary": 124})])
    not_found, invalid = Code.NOT_FOUND, Code.INVALID_ARGUMENT
    for call, answer in {
        lambda: half.plus(manager, "x"): (not_found, "Servable not found for request: Latest(x)"),
        lambda: half.plus(manager, "x", 1): (not_found, "Servable not found for request: Specific(x, 1)"),
        lambda: half.plus(manager, version=9): (not_found, "Servable not found for request: Specific(m, 9)"),
        lambda: half.plus(manager, label="no"): (invalid, "Unrecognized servable version label: no"),
        lambda: half.plus(manager, label="canary"): (invalid, "Unrecognized servable version label: canary"),
        lambda: half.plus(manager, "x", label="stable"): (
            invalid,
            "Unrecognized servable version label: stable",
        ),
        lambda: manager.metadata("x"): (not_found, "Servable not found for request: Latest(x)"),
        lambda: manager.statuses("x"): (not_found, "Could not find any versions of model x"),
        lambda: manager.statuses("m", 99): (not_found, "Could not find version 99 of model m"),
    }.items():
        assert refusal(call) == answer
    assert half.plus(manager, label="stable") == 2.0


def test_a_new_version_takes_over_and_the_old_one_ends(
    saved_models: Any, tmp_path: Path, manage: Any, model: Any, half: Any, states: Any
) -> None:
    saved_models.place("half_plus_two", tmp_path / "1")
    history: list[Any] = []
    manager = manage([model(tmp_path)], on_event=history.append)
    saved_models.place("half_plus_three", tmp_path / "2")
    assert eventually(lambda: states(manager) == {2: "AVAILABLE", 1: "END"})
    assert half.plus(manager) == 3.0
    assert refusal(lambda: half.plus(manager, version=1))[0] is Code.NOT_FOUND
    changes = [(e.status.version, str(e.status.state)) for e in history if isinstance(e, StateChanged)]
    assert changes == [
        *((1, state) for state in ("START", "LOADING", "AVAILABLE")),
        *((2, state) for state in ("START", "LOADING", "AVAILABLE")),
        *((1, state) for state in ("UNLOADING", "END")),
    ]
    attempts = [e for e in history if isinstance(e, LoadAttempted)]
    assert [(e.version, e.folder, e.code, e.warm_up_seconds) for e in attempts] == [
        (1, tmp_path / "1", Code.OK, None),
        (2, tmp_path / "2", Code.OK, None),
    ]


def test_an_older_version_comes_back_when_the_newest_is_removed(
    saved_models: Any, tmp_path: Path, manage: Any, model: Any, half: Any, states: Any
) -> None:
    saved_models.place("half_plus_two", tmp_path / "1")
    saved_models.place("half_plus_three", tmp_path / "2")
    manager = manage([model(tmp_path)])
    (tmp_path / "2").rename(tmp_path / "withdrawn")
    assert eventually(lambda: states(manager) == {2: "END", 1: "AVAILABLE"})
    assert half.plus(manager) == 2.0
    (tmp_path / "withdrawn").rename(tmp_path / "2")
    assert eventually(lambda: states(manager) == {2: "AVAILABLE", 1: "END"})


@pytest.mark.parametrize("breakage", ["empty", "no_saved_model", "garbage", "missing_variables"])
def test_a_version_that_does_not_load_ends_with_the_reason_and_the_old_one_stays(
    saved_models: Any,
    tmp_path: Path,
    manage: Any,
    model: Any,
    half: Any,
    states: Any,
    monkeypatch: pytest.MonkeyPatch,
    breakage: str,
) -> None:
    monkeypatch.setattr(folder_watch, "PATIENCE", 0.2)
    saved_models.place("half_plus_two", tmp_path / "1")
    history: list[Any] = []
    manager = manage([model(tmp_path)], on_event=history.append)
    broken = saved_models.place("half_plus_three", tmp_path / "2", breakage)
    assert eventually(lambda: states(manager) == {2: "END", 1: "AVAILABLE"})
    (status,) = manager.statuses("m", 2)
    assert status.code in (Code.NOT_FOUND, Code.DATA_LOSS)
    assert str(broken) in status.message
    assert half.plus(manager) == 2.0
    failures = [e for e in history if isinstance(e, LoadAttempted) and e.version == 2]
    assert [e.code for e in failures] == [status.code]

    shutil.rmtree(broken)
    saved_models.place("half_plus_three", tmp_path / "2")
    assert eventually(lambda: states(manager) == {2: "AVAILABLE", 1: "END"})
    assert half.plus(manager) == 3.0


@pytest.mark.parametrize("breakage", ["empty", "garbage", "missing_variables", "truncated_variables"])
def test_what_does_not_load_at_the_start_is_told_at_once(
    saved_models: Any, tmp_path: Path, manage: Any, model: Any, half: Any, states: Any, breakage: str
) -> None:
    """Even where it may still be being copied: when that is done, it is tried again."""
    saved_models.place("half_plus_two", tmp_path / "1")
    broken = saved_models.place("half_plus_three", tmp_path / "2", breakage)
    manager = manage([model(tmp_path)])
    assert states(manager) == {2: "END", 1: "AVAILABLE"}
    assert half.plus(manager) == 2.0
    shutil.rmtree(broken)
    saved_models.place("half_plus_three", tmp_path / "2")
    assert eventually(lambda: states(manager) == {2: "AVAILABLE", 1: "END"})


def test_a_version_that_failed_is_not_tried_again_before_it_changes(
    saved_models: Any, tmp_path: Path, manage: Any, model: Any, states: Any
) -> None:
    saved_models.place("int32", tmp_path / "1", "garbage")
    history: list[Any] = []
    manager = manage([model(tmp_path)], on_event=history.append)
    assert eventually(lambda: states(manager) == {1: "END"})
    for _ in range(3):
        manager.configure(manager.models)  # looks at the folders
    assert len([e for e in history if isinstance(e, LoadAttempted)]) == 1
    assert refusal(lambda: manager.metadata("m")) == (
        Code.NOT_FOUND,
        "Servable not found for request: Latest(m)",
    )


def test_the_next_version_that_loads_is_served_when_the_newest_never_did(
    saved_models: Any, tmp_path: Path, manage: Any, model: Any, half: Any, states: Any
) -> None:
    saved_models.place("half_plus_two", tmp_path / "1")
    saved_models.place("half_plus_two", tmp_path / "2", "garbage")
    manager = manage([model(tmp_path)])
    assert states(manager) == {2: "END", 1: "AVAILABLE"}
    assert half.plus(manager) == 2.0


def test_the_old_version_stays_until_what_replaces_it_is_available(
    saved_models: Any, tmp_path: Path, manage: Any, model: Any, half: Any, states: Any
) -> None:
    """Even where its folder has gone, or the policy does not name it any more."""
    saved_models.place("half_plus_two", tmp_path / "1")
    manager = manage([model(tmp_path)])
    (tmp_path / "1").rename(tmp_path / "gone")
    saved_models.place("half_plus_two", tmp_path / "2", "garbage")
    assert eventually(lambda: states(manager) == {2: "END", 1: "AVAILABLE"})
    manager.configure([model(tmp_path, policy=VersionPolicy("specific", specific=frozenset({2})))])
    assert states(manager) == {2: "END", 1: "AVAILABLE"}
    assert half.plus(manager) == 2.0


def test_a_half_copied_version_is_not_picked_up(
    saved_models: Any, tmp_path: Path, manage: Any, model: Any, half: Any, states: Any
) -> None:
    """File by file, in the order that is hardest to notice: the graph first, the data last and in pieces."""
    saved_models.place("half_plus_two", tmp_path / "1")
    source = saved_models.place("half_plus_three", tmp_path / "elsewhere" / "2")
    manager = manage([model(tmp_path)])
    target = tmp_path / "2"
    (target / "variables").mkdir(parents=True)
    variables = Path("variables")
    data = variables / "variables.data-00000-of-00001"
    pieces: list[tuple[Path, slice]] = [
        (Path("saved_model.pb"), slice(None)),
        (variables / "variables.index", slice(None)),
        (data, slice(5)),
        (data, slice(11)),
    ]
    for path, piece in pieces:
        (target / path).write_bytes((source / path).read_bytes()[piece])
        for _ in range(3):
            manager.configure(manager.models)
            assert states(manager) == {1: "AVAILABLE"}
        assert half.plus(manager) == 2.0
    (target / data).write_bytes((source / data).read_bytes())
    assert eventually(lambda: states(manager) == {2: "AVAILABLE", 1: "END"})
    assert half.plus(manager) == 3.0


def test_a_base_path_that_vanishes_or_is_emptied_for_a_moment_changes_nothing(
    saved_models: Any, tmp_path: Path, manage: Any, model: Any, half: Any, states: Any
) -> None:
    base = tmp_path / "models"
    saved_models.place("half_plus_two", base / "1")
    manager = manage([model(base)], poll_seconds=600)
    base.rename(tmp_path / "moved")
    for _ in range(3):
        manager.configure(manager.models)
    assert states(manager) == {1: "AVAILABLE"}
    base.mkdir()
    manager.configure(manager.models)
    assert half.plus(manager) == 2.0
    base.rmdir()
    (tmp_path / "moved").rename(base)
    manager.configure(manager.models)
    assert states(manager) == {1: "AVAILABLE"}


def test_a_base_path_that_stays_empty_ends_its_versions(
    saved_models: Any, tmp_path: Path, manage: Any, model: Any, states: Any
) -> None:
    """As Serving without servable_versions_always_present."""
    saved_models.place("int32", tmp_path / "1")
    manager = manage([model(tmp_path)])
    shutil.rmtree(tmp_path / "1")
    assert eventually(lambda: states(manager) == {1: "END"})


def test_a_server_starts_before_its_first_version(
    saved_models: Any, tmp_path: Path, manage: Any, model: Any, half: Any
) -> None:
    base = tmp_path / "later"
    manager = manage([model(base)])
    assert refusal(lambda: half.plus(manager))[0] is Code.NOT_FOUND
    saved_models.place("half_plus_two", base / "1")

    def served() -> bool:
        try:
            return half.plus(manager) == 2.0
        except ServingError:
            return False

    assert eventually(served)


def test_without_polling_the_folders_are_looked_at_once(
    saved_models: Any, tmp_path: Path, manage: Any, model: Any, states: Any
) -> None:
    """file_system_poll_wait_seconds of 0."""
    saved_models.place("int32", tmp_path / "1")
    saved_models.place("int32", tmp_path / "2", "empty")
    manager = manage([model(tmp_path, policy=ALL)], poll_seconds=0)
    assert states(manager) == {2: "END", 1: "AVAILABLE"}


def test_policies_say_which_versions_are_served(
    saved_models: Any, tmp_path: Path, manage: Any, model: Any, states: Any
) -> None:
    for version in ("1", "2", "3"):
        saved_models.place("int32", tmp_path / version)
    manager = manage([model(tmp_path, policy=VersionPolicy("specific", specific=frozenset({1, 3})))])
    assert states(manager) == {3: "AVAILABLE", 1: "AVAILABLE"}
    manager.configure([model(tmp_path, policy=VersionPolicy("latest", 2))])
    assert eventually(lambda: states(manager) == {3: "AVAILABLE", 2: "AVAILABLE", 1: "END"})
    manager.configure([model(tmp_path, policy=VersionPolicy("specific", specific=frozenset({1})))])
    assert eventually(lambda: states(manager) == {3: "END", 2: "END", 1: "AVAILABLE"})
    manager.configure([model(tmp_path, policy=VersionPolicy("specific", specific=frozenset({7})))])
    assert eventually(lambda: states(manager) == {3: "END", 2: "END", 1: "END"})


def test_a_label_moves_when_its_version_is_available(
    saved_models: Any, tmp_path: Path, manage: Any, model: Any, half: Any
) -> None:
    """Like ServerCore, which refuses to point a label to a version that is not available."""
    saved_models.place("half_plus_two", tmp_path / "1")
    manager = manage([model(tmp_path, policy=ALL, labels={"stable": 1})])
    manager.configure([model(tmp_path, policy=ALL, labels={"stable": 2, "old": 1})])
    assert half.plus(manager, label="stable") == half.plus(manager, label="old") == 2.0
    saved_models.place("half_plus_three", tmp_path / "2")
    assert eventually(lambda: half.plus(manager, label="stable") == 3.0)
    manager.configure([model(tmp_path, policy=ALL)])
    assert refusal(lambda: half.plus(manager, label="old"))[1] == "Unrecognized servable version label: old"


def test_models_are_added_and_removed_while_others_serve(
    saved_models: Any, tmp_path: Path, manage: Any, model: Any, half: Any, states: Any
) -> None:
    saved_models.place("half_plus_two", tmp_path / "a" / "1")
    saved_models.place("half_plus_three", tmp_path / "b" / "1")
    a, b = model(tmp_path / "a", "a"), model(tmp_path / "b", "b")
    manager = manage([a])
    manager.configure([a, b])
    assert (half.plus(manager, "a"), half.plus(manager, "b")) == (2.0, 3.0)
    manager.configure([b])
    assert eventually(lambda: states(manager, "a") == {1: "END"})
    assert refusal(lambda: half.plus(manager, "a")) == (
        Code.NOT_FOUND,
        "Servable not found for request: Latest(a)",
    )
    assert half.plus(manager, "b") == 3.0
    manager.configure([a, b])
    assert half.plus(manager, "a") == 2.0
    manager.configure([b])
    with pytest.raises(ConfigError, match="model 'b' is listed 2 times"):
        manager.configure([b, b])
    assert manager.models == [b]


def test_a_model_that_fails_does_not_stop_the_others(
    saved_models: Any, tmp_path: Path, manage: Any, model: Any, half: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from recommender.serving.servables import load_attempt

    class Strange:
        def __init__(self, name: str, *rest: Any) -> None:
            raise TypeError("unheard of")

    saved_models.place("half_plus_two", tmp_path / "a" / "1")
    saved_models.place("half_plus_two", tmp_path / "b" / "1")
    manager = manage([model(tmp_path / "a", "a")])
    monkeypatch.setattr(load_attempt, "Servable", Strange)
    manager.configure([*manager.models, model(tmp_path / "b", "b")])
    (status,) = manager.statuses("b")
    assert (status.state, status.code, status.message) == ("END", Code.INTERNAL, "TypeError: unheard of")
    assert half.plus(manager, "a") == 2.0


def test_a_request_in_flight_finishes_before_its_version_is_closed(
    saved_models: Any, tmp_path: Path, manage: Any, model: Any, states: Any
) -> None:
    saved_models.place("slow", tmp_path / "1")
    manager = manage([model(tmp_path)])
    entered, leave = threading.Event(), threading.Event()
    answers: list[int] = []

    def ask() -> None:
        with manager.servable("m") as servable:
            entered.set()
            leave.wait()
            answers.append(servable.predict("", {"steps": np.array(1000, np.int32)}, 0)["count"].item())

    thread = threading.Thread(target=ask)
    thread.start()
    entered.wait()
    saved_models.place("int32", tmp_path / "2")
    assert eventually(lambda: states(manager) == {2: "AVAILABLE", 1: "UNLOADING"})
    manager.configure(manager.models)
    assert states(manager)[1] == "UNLOADING"
    with pytest.raises(ServingError, match="Servable not found"), manager.servable("m", 1):
        pass
    leave.set()
    thread.join()
    assert answers == [1000]
    assert eventually(lambda: states(manager)[1] == "END")


def test_a_model_that_is_listed_again_while_its_last_request_runs_is_available(
    saved_models: Any, tmp_path: Path, manage: Any, model: Any, half: Any, states: Any
) -> None:
    saved_models.place("half_plus_two", tmp_path / "1")
    manager = manage([model(tmp_path)])
    with manager.servable("m"):
        manager.configure([])
        assert states(manager) == {1: "UNLOADING"}
        manager.configure([model(tmp_path)])
        assert states(manager) == {1: "AVAILABLE"}
    manager.configure(manager.models)
    assert states(manager) == {1: "AVAILABLE"}
    assert half.plus(manager) == 2.0


def test_loading_is_never_on_the_callers_thread(
    saved_models: Any, tmp_path: Path, manage: Any, model: Any
) -> None:
    saved_models.place("int32", tmp_path / "1")
    threads = set()
    manage([model(tmp_path)], on_event=lambda event: threads.add(threading.current_thread().name))
    assert threads == {"model-manager"}


def test_stopping_unloads_everything(saved_models: Any, tmp_path: Path, model: Any, states: Any) -> None:
    saved_models.place("int32", tmp_path / "1")
    manager = ModelManager([model(tmp_path)], 0.05)
    manager.start()
    manager.stop()
    assert states(manager) == {1: "END"}
    manager.stop()
