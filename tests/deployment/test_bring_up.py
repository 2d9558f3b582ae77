"""Waiting for a version, with a target that plays what a server says."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from recommender.client import NotFound, VersionStatus
from recommender.deployment.bring_up import check_answer, wait_until_available
from recommender.deployment.settings import resolve
from recommender.deployment.targets.local import LocalTarget
from recommender.errors import RecommenderError
from recommender.smoke import Smoke
from recommender.versions import Version

TWO = Version(2, Path("2"))
SMOKE = Smoke({"instances": []}, [{"rating": 3.0}])
FAILED = VersionStatus(2, "END", "UNKNOWN", "broken")


class Played(LocalTarget):
    """Says one thing after the other; the last one again and again."""

    def __init__(self, *said: Any) -> None:
        super().__init__(resolve({}), Path("nowhere"))
        self.said = list(said)

    def next(self) -> Any:
        return self.said.pop(0) if len(self.said) > 1 else self.said[0]

    def statuses(self) -> list[VersionStatus]:
        return self.next()

    def predict(self, version: Version, request: Mapping[str, Any]) -> Any:
        answer = self.next()
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recommender.deployment.bring_up.PAUSE", 0.001)


def test_a_version_is_there_once_no_other_answers_any_more() -> None:
    states = [
        [],
        [VersionStatus(1, "AVAILABLE")],
        [VersionStatus(2, "LOADING"), VersionStatus(1, "AVAILABLE")],
        [VersionStatus(2, "AVAILABLE"), VersionStatus(1, "AVAILABLE")],
        [VersionStatus(2, "AVAILABLE"), VersionStatus(1, "UNLOADING")],
        [VersionStatus(2, "AVAILABLE"), VersionStatus(1, "END")],
    ]
    target = Played(*states)
    wait_until_available(target, TWO, 10)
    assert target.said == states[-1:]


def test_a_version_that_is_still_being_loaded_is_waited_out() -> None:
    """Going back in the middle of a load: the server lets the load end, and that version answer, before."""
    states = [
        [VersionStatus(3, "LOADING"), VersionStatus(2, "AVAILABLE")],
        [VersionStatus(3, "AVAILABLE"), VersionStatus(2, "END")],
        [VersionStatus(3, "AVAILABLE"), VersionStatus(2, "LOADING")],
        [VersionStatus(3, "END"), VersionStatus(2, "AVAILABLE")],
    ]
    target = Played(*states)
    wait_until_available(target, TWO, 10)
    assert target.said == states[-1:]


def test_an_earlier_failure_of_the_version_is_forgotten_when_it_is_loaded_again() -> None:
    wait_until_available(
        Played([FAILED], [VersionStatus(2, "LOADING")], [VersionStatus(2, "AVAILABLE")]), TWO, 10
    )


def test_a_failure_that_stays_ends_the_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recommender.deployment.bring_up.GRACE", 0.01)
    with pytest.raises(RecommenderError, match="version 2 cannot be loaded: broken"):
        wait_until_available(Played([FAILED]), TWO, 10)


def test_the_states_are_told_when_the_time_is_over() -> None:
    loading = [VersionStatus(2, "LOADING"), VersionStatus(1, "AVAILABLE")]
    with pytest.raises(RecommenderError) as error:
        wait_until_available(Played(loading), TWO, 0.01)
    assert str(error.value) == (
        "version 2 is not AVAILABLE after 0.01 seconds: version 2 is LOADING, version 1 is AVAILABLE"
    )


def test_a_worker_that_has_the_version_a_little_later_is_asked_again() -> None:
    missing = NotFound("http://x", 404, "Servable not found for request: Specific(recommender, 2)")
    answer = [{"rating": 3.00001}]
    assert check_answer(Played(missing, missing, answer), TWO, SMOKE, 10) == pytest.approx(1e-5)
    with pytest.raises(NotFound):
        check_answer(Played(missing), TWO, SMOKE, 0.01)
