"""What counts as an impression and a click of a variant."""

from __future__ import annotations

import pytest

from recommender.app.events import Acted, Counts, Shown, Traffic
from recommender.app.events import traffic as traffic_module
from recommender.app.events.experiment_results import experiment_results
from recommender.app.settings import ExperimentSettings

IN_A = {"order": "a"}


def shown(request_id: str = "r1", user_id: str = "u", **assignments: str) -> Shown:
    items = [(movie_id, 1.0, None, ("recent",)) for movie_id in ("m1", "m2", "m3")]
    return Shown(request_id, user_id, "popular", "order", assignments or IN_A, 0.0, 1.0, 1, [], items)


def acted(kind: str, *movie_ids: str, request_id: str = "r1", user_id: str = "u") -> Acted:
    return Acted(kind, request_id, user_id, list(movie_ids), 2.0)


def counted(*records: Shown | Acted, remembered: int = 10) -> Counts:
    traffic = Traffic(remembered)
    for record in records:
        traffic.count(record)
    return traffic.counts("order", "a")


def test_lists_impressions_and_clicks_are_counted() -> None:
    found = counted(shown(), acted("impression", "m1", "m2"), acted("click", "m2"))
    assert found == Counts(requests=1, impressions=2, clicks=1)


def test_the_same_impression_or_click_counts_once() -> None:
    twice = [acted("impression", "m1"), acted("impression", "m1", "m2"), acted("click", "m2")] * 2
    assert counted(shown(), *twice) == Counts(1, 2, 1)


def test_a_clicked_movie_was_seen() -> None:
    assert counted(shown(), acted("click", "m3")) == Counts(1, 1, 1)


def test_what_was_not_in_the_list_or_is_somebody_elses_does_not_count() -> None:
    assert counted(shown(), acted("click", "m9")) == Counts(1, 0, 0)
    assert counted(shown(), acted("click", "m1", user_id="other")) == Counts(1, 0, 0)
    assert counted(shown(), acted("click", "m1", request_id="r9")) == Counts(1, 0, 0)


def test_an_action_before_its_list_counts_with_it_also_after_a_restart() -> None:
    early = [acted("impression", "m1", "m2"), acted("click", "m2"), acted("click", "m1", user_id="other")]
    assert counted(*early, shown()) == Counts(1, 2, 1)
    before = Traffic()
    for record in early:
        before.count(record)
    traffic = Traffic.restored(before.saved())
    traffic.count(shown())
    assert traffic.counts("order", "a") == Counts(1, 2, 1)
    assert traffic.saved()["early"] == []


def test_of_actions_that_refer_to_nothing_only_the_last_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traffic_module, "EARLY", 250)  # two actions on movies of short names
    traffic = Traffic()
    for request_id in ("r1", "r2", "r3"):
        traffic.count(acted("click", "m1", request_id=request_id))
    for request_id in ("r1", "r2", "r3"):
        traffic.count(shown(request_id))
    assert traffic.counts("order", "a") == Counts(3, 2, 2)
    traffic.count(acted("click", "m" * 200, request_id="r4"))  # too long to keep at all
    assert traffic.saved()["early"] == []


def test_whether_an_action_counts_is_said() -> None:
    traffic = Traffic()
    assert not traffic.count(acted("click", "m1"))
    traffic.count(shown())
    assert traffic.count(acted("click", "m1"))
    assert traffic.count(acted("click", "m1"))  # again: known, and counted before
    assert not traffic.count(acted("click", "m9"))


def test_a_list_counts_for_every_experiment_that_had_a_say() -> None:
    traffic = Traffic()
    traffic.count(shown("r1", order="a", spread="0.5"))
    traffic.count(shown("r2", spread="0.5"))  # the request chose the model itself
    traffic.count(acted("click", "m1", request_id="r2"))
    assert traffic.counts("order", "a") == Counts(1, 0, 0)
    assert traffic.counts("spread", "0.5") == Counts(2, 1, 1)


def test_only_the_last_lists_are_remembered() -> None:
    lists = [shown(f"r{number}") for number in range(5)]
    actions = [acted("click", "m1", request_id=f"r{number}") for number in range(5)]
    assert counted(*lists, *actions, remembered=3) == Counts(5, 3, 3)


def test_results_have_every_variant_of_the_settings_with_its_share() -> None:
    traffic = Traffic()
    for number in range(4):
        traffic.count(shown(f"r{number}", order="a" if number else "b"))
    traffic.count(acted("impression", "m1", "m2", request_id="r1"))
    traffic.count(acted("click", "m2", request_id="r1"))
    experiment = ExperimentSettings(decides="model", variants={"a": 3.0, "b": 1.0, "c": 0.0})
    (result,) = experiment_results({"order": experiment}, traffic)
    a, b, c = result.variants
    assert (a.requests, a.share, a.weight, a.impressions, a.clicks) == (3, 0.75, 0.75, 2, 1)
    assert a.click_through == 0.5
    assert 0 < a.interval[0] < 0.5 < a.interval[1] < 1
    assert (b.requests, b.click_through, b.interval) == (1, None, None)
    assert (c.requests, c.share) == (0, 0.0)
