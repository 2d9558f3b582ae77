from __future__ import annotations

import json

import pytest

from recommender.cluster.checks import check_all_have, check_cluster, fingerprint
from recommender.cluster.tf_config import Cluster, read_cluster
from recommender.config import load_settings
from recommender.errors import ConfigError

WORKERS = {"worker": ["a:1", "b:1"]}
SERVERS = {"chief": ["c:1"], "worker": ["a:1", "b:1"], "ps": ["d:1", "e:1"]}
NOT_AVERAGED = ("training.averaging=0.0", "retrieval.training.averaging=0.0")


def cluster(jobs: dict, job: str = "worker", index: object = 0) -> Cluster:
    tree = {"cluster": jobs, "task": {"type": job, "index": index}}
    return read_cluster({"TF_CONFIG": json.dumps(tree)})


def check(strategy: str, jobs: dict, *overrides: str) -> None:
    given = ["preset=mlp", f"distribution.strategy={strategy}", *overrides]
    check_cluster(load_settings(overrides=given, environ={}), cluster(jobs))


def test_a_member_knows_all_others() -> None:
    found = cluster(SERVERS, "ps", 1)
    assert str(found.task) == "ps 1 at e:1"
    assert [str(member) for member in found.of("ps")] == ["ps 0 at d:1"]
    assert [str(member) for member in found.of("chief", "worker")] == [
        "chief 0 at c:1",
        "worker 0 at a:1",
        "worker 1 at b:1",
    ]


def test_the_chief_leads_or_else_worker_0() -> None:
    assert cluster(WORKERS, index=0).leads
    assert not cluster(WORKERS, index=1).leads
    assert cluster(SERVERS, "chief").leads
    assert not cluster(SERVERS, "worker").leads


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "must say who trains together"),
        ("{", "not JSON"),
        ("[]", "must have cluster"),
        ('{"cluster": {"worker": ["a:1"]}}', "must have task"),
        ('{"cluster": {"evaluator": ["a:1"]}, "task": {"type": "evaluator", "index": 0}}', "'evaluator'"),
        ('{"cluster": {"worker": "a:1"}, "task": {"type": "worker", "index": 0}}', "list of host:port"),
        ('{"cluster": {"worker": ["a"]}, "task": {"type": "worker", "index": 0}}', "received 'a'"),
        ('{"cluster": {"worker": ["a:0"]}, "task": {"type": "worker", "index": 0}}', "received 'a:0'"),
        ('{"cluster": {"worker": ["a:²"]}, "task": {"type": "worker", "index": 0}}', "received 'a:²'"),
        ('{"cluster": {"worker": []}, "task": {"type": "worker", "index": 0}}', "received []"),
        ('{"cluster": {"worker": ["a:1"]}, "task": {"type": ["worker"], "index": 0}}', "received ['worker']"),
        ('{"cluster": {"worker": ["a:1", "a:1"]}, "task": {"type": "worker", "index": 0}}', "'a:1' twice"),
        ('{"cluster": {"worker": ["a:1"]}, "task": {"type": "chief", "index": 0}}', "received 'chief'"),
        ('{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 1}}', "from 0 to 0"),
        ('{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": true}}', "received True"),
    ],
)
def test_what_is_wrong_with_it_is_told_in_one_line(text: str | None, says: str) -> None:
    with pytest.raises(ConfigError, match=r"^TF_CONFIG: ") as caught:
        read_cluster({} if text is None else {"TF_CONFIG": text})
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_can_be_trained_passes() -> None:
    check("multi_worker", WORKERS)
    check("multi_worker", WORKERS, "distribution.workers=2")
    check("multi_worker", {"chief": ["c:1"], "worker": ["a:1"]})
    check("parameter_server", SERVERS, *NOT_AVERAGED, "retrieval.history_encoder=[pooled]")


@pytest.mark.parametrize(
    ("strategy", "jobs", "overrides", "says"),
    [
        ("single", WORKERS, (), "distribution.strategy: "),
        ("multi_worker", SERVERS, (), "TF_CONFIG: cluster.ps"),
        (
            "multi_worker",
            WORKERS,
            ("training.batch_size=255",),
            "training.batch_size: must be a",
        ),
        ("multi_worker", WORKERS, ("retrieval.training.batch_size=31",), "retrieval.training.batch_size: "),
        ("multi_worker", WORKERS, ("tuning.trials=3",), "tuning.trials: "),
        ("multi_worker", WORKERS, ("distribution.workers=3",), "distribution.workers: must be the 2"),
        ("parameter_server", WORKERS, NOT_AVERAGED, "TF_CONFIG: cluster.chief is missing"),
        ("parameter_server", SERVERS, NOT_AVERAGED[:1], "retrieval.training.averaging: must be 0"),
        ("parameter_server", SERVERS, NOT_AVERAGED[1:], "training.averaging: must be 0"),
        ("parameter_server", SERVERS, (*NOT_AVERAGED, "ranking.head=foldin"), "ranking.head: foldin"),
        (
            "parameter_server",
            SERVERS,
            (*NOT_AVERAGED, "distribution.mixed_precision=float16"),
            "distribution.mixed_precision: ",
        ),
        ("parameter_server", SERVERS, NOT_AVERAGED, "retrieval.history_encoder: gru"),
    ],
)
def test_what_cannot_is_told_in_one_line(
    strategy: str, jobs: dict, overrides: tuple[str, ...], says: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        check(strategy, jobs, *overrides)
    assert str(caught.value).startswith(says)
    assert "\n" not in str(caught.value)


def test_all_members_have_the_settings_of_the_one_that_leads() -> None:
    leads, other = (load_settings(overrides=[f"seed={seed}"], environ={}) for seed in (1, 2))
    elsewhere = [
        "seed=1",
        "data.home=/b",
        "workflow.runs=/b",
        "distribution={device: cpu, peer_timeout: 9.0}",
    ]
    number = float(fingerprint(leads))
    assert number == fingerprint(leads)
    check_all_have(leads, lambda mine: number)
    check_all_have(load_settings(overrides=elsewhere, environ={}), lambda mine: number)
    with pytest.raises(ConfigError, match=r"^settings differ from those of the member that leads$"):
        check_all_have(other, lambda mine: number)
