"""`recommender run` for a deployment, `deployments`, `rollback`, `stop` and `query`, as a user types them."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import recommender.cli
from recommender.cli.deployment import DEFAULT_HOME
from recommender.deployment.record import RECORD_FILE
from recommender.deployment.settings import DeploySettings

Publish = Callable[..., Path]
Run = Callable[..., tuple[int, str, str]]
SETTINGS_FILE = Path(__file__).parents[2] / "workflow-deploy-model.yaml"


@pytest.fixture
def run(workplace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command in an empty folder: exit status, standard output and standard error."""

    def command(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["recommender", *arguments])
        with pytest.raises(SystemExit) as ended:
            recommender.cli.main()
        output = capsys.readouterr()
        return int(ended.value.code or 0), output.out, output.err

    return command


@pytest.fixture
def deploy(run: Run, stand_in: None, port: int, workplace: Path) -> Run:
    """`recommender run workflow-deploy-model.yaml KEY=VALUE ...` at a free port."""
    shutil.copy(SETTINGS_FILE, workplace)

    def deploy(*overrides: str) -> tuple[int, str, str]:
        return run("run", SETTINGS_FILE.name, f"local.port={port}", *overrides)

    return deploy


def test_a_deployment_from_the_command_line_to_its_end(
    publish: Publish, deploy: Run, run: Run, port: int, workplace: Path
) -> None:
    publish(1)
    publish(2, answered=4.0, expected=4.0)
    status, output, errors = deploy("model.version=1")
    assert (status, errors) == (0, "")
    assert "kind: deploy" in output
    assert output.splitlines()[-2:] == [
        "next: recommender query recommend --user 42",
        "next: recommender stop recommender",
    ]
    assert deploy()[0] == 0
    status, output, _ = run("deployments")
    header, _, row, logs = output.splitlines()
    assert header.split() == ["name", "target", "version", "state", "url", "since", "pid"]
    assert row.split()[:5] == ["recommender", "local", "2", "serving", f"http://127.0.0.1:{port}"]
    assert logs == f"logs of recommender: {workplace / DEFAULT_HOME}/recommender/server.log"
    (found,) = json.loads(run("deployments", "--json")[1])
    assert (found["version"], found["state"], str(found["pid"])) == (2, "serving", row.split()[-1])
    status, output, _ = run("rollback")
    assert status == 0
    assert output.splitlines()[-1].startswith("recommender: version 1 serves at ")
    assert run("rollback", "recommender", "--to", "2")[0] == 0
    status, output, _ = run("stop")
    assert (status, output.startswith("recommender is stopped; logs: ")) == (0, True)
    assert json.loads(run("deployments", "--json")[1])[0]["state"] == "stopped"
    assert run("stop")[0] == 1


def test_a_version_that_fails_is_an_error_with_all_that_happened(
    publish: Publish, deploy: Run, workplace: Path
) -> None:
    publish(1)
    deploy()
    publish(2, answered=4.0, expected=4.5)
    status, _, errors = deploy()
    assert status == 1
    first, second = errors.splitlines()
    assert first.startswith("error: recommender: version 2 is not deployed: the smoke request's predictions")
    assert second.startswith("error: went back to version 1, which serves at http://127.0.0.1:")


def test_nothing_is_deployed_where_nothing_is_published(deploy: Run) -> None:
    status, _, errors = deploy()
    assert (status, errors.count("\n")) == (1, 1)
    assert "no exported version there; make one with `recommender run workflow-train-model.yaml`" in errors


def test_a_dry_run_shows_what_would_run(publish: Publish, deploy: Run, run: Run, workplace: Path) -> None:
    publish(1)
    status, output, _ = deploy("--dry-run")
    assert status == 0
    version, rendered, would, command = output.splitlines()
    assert version == f"version 1: {workplace}/data/models/recommender/1"
    assert rendered == f"rendered and checked: {workplace / DEFAULT_HOME}/recommender/dry-run/models.config"
    assert would == "would run:"
    assert "--model_config_file=" in command
    assert run("deployments")[1].splitlines() == [
        "no deployment in data/deployments yet",
        "next: recommender run workflow-deploy-model.yaml",
    ]


def test_options_of_the_other_workflow_are_refused(run: Run, workplace: Path) -> None:
    shutil.copy(SETTINGS_FILE, workplace)
    assert (
        "a deployment is not resumed; leave out --resume"
        in run("run", SETTINGS_FILE.name, "--resume", "1")[2]
    )
    Path("train.yaml").write_text("workflow: {kind: train}\n", encoding="utf-8")
    errors = run("run", "train.yaml", "--dry-run")[2]
    assert errors == "error: --dry-run is for deployments; train.yaml describes a training\n"
    Path("other.yaml").write_text("workflow: {kind: nix}\n", encoding="utf-8")
    errors = run("run", "other.yaml")[2]
    assert errors == "error: workflow.kind: must be one of train, deploy, received 'nix'\n"


def test_a_mistake_in_the_settings_is_told_before_any_work(deploy: Run) -> None:
    status, output, errors = deploy("local.prot=1", "model.version=0")
    assert (status, output) == (2, "")
    assert errors.splitlines() == [
        "error: model.version: must be latest, best or a version's number, received 0",
        "error: local.prot: unknown key, received 1",
    ]


def test_what_is_deployed_is_asked_without_saying_where(publish: Publish, deploy: Run, run: Run) -> None:
    publish(1)
    deploy()
    status, output, _ = run("query", "status")
    assert (status, output.split()[-3:]) == (0, ["1", "AVAILABLE", "OK"])
    assert json.loads(run("query", "status", "--json")[1])[0]["state"] == "AVAILABLE"
    answer = json.loads(run("query", "predict", '{"instances": [{"user_id": "1"}]}')[1])
    assert answer["predictions"][0]["rating"] == 3.5


def test_without_a_deployment_the_usual_port_is_asked(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = ClientDouble.install(monkeypatch)
    run("query", "status")
    assert asked.made == [(("http://127.0.0.1:8501", "recommender", None), {"timeout": (3.0, 30.0)})]


def test_the_address_can_be_given(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = ClientDouble.install(monkeypatch)
    options = ["--url", "http://other:9000", "--model", "m", "--version", "3", "--timeout", "1.5"]
    run("query", "status", *options)
    assert asked.made == [(("http://other:9000", "m", 3), {"timeout": (1.5, 1.5)})]


def test_with_several_deployments_one_is_named(
    run: Run, workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from recommender.deployment.record import Record, write_record
    from recommender.deployment.settings import resolve

    for name, state in (("first", "serving"), ("second", "serving"), ("third", "stopped")):
        settings = resolve({}, [f"deployment.name={name}", f"workflow.name=model-{name}"])
        record = Record(settings=settings, state=state, version=1, url=f"http://{name}", logs="l")
        write_record(record, workplace / DEFAULT_HOME / name)
    asked = ClientDouble.install(monkeypatch)
    assert "several deployments, name one: first, second, third" in run("query", "status")[2]
    run("query", "status", "--deployment", "second")
    assert asked.made[-1][0] == ("http://second", "model-second", None)
    for name in ("first", "third"):
        (workplace / DEFAULT_HOME / name / RECORD_FILE).unlink()
    run("query", "status")
    assert asked.made[-1][0] == ("http://second", "model-second", None)


def test_an_endpoint_of_sagemaker_is_asked_by_other_means(run: Run, workplace: Path) -> None:
    from recommender.deployment.record import Record, write_record
    from recommender.deployment.settings import resolve

    role = "arn:aws:iam::123456789012:role/NAME"
    sagemaker = {"bucket": "models", "role_arn": role}
    settings = resolve({"deployment": {"target": "sagemaker"}, "sagemaker": sagemaker})
    record = Record(settings=settings, state="serving", version=1, url="https://runtime", logs="l")
    write_record(record, workplace / DEFAULT_HOME / "recommender")
    status, _, errors = run("query", "status")
    assert (status, errors.count("\n")) == (1, 1)
    assert errors.startswith(
        "error: recommender is an endpoint of SageMaker, which takes signed requests only"
    )


class ClientDouble:
    """Stands in for `ModelClient`: notes what it is asked and answers the same each time."""

    def __init__(self) -> None:
        self.made: list[Any] = []
        self.asked: list[Any] = []

    @classmethod
    def install(cls, monkeypatch: pytest.MonkeyPatch) -> ClientDouble:
        double = cls()
        monkeypatch.setattr("recommender.client.model_client.ModelClient", double.make)
        return double

    def make(self, *arguments: Any, **options: Any) -> ClientDouble:
        self.made.append((arguments, options))
        return self

    def __enter__(self) -> ClientDouble:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def status(self) -> list[Any]:
        return []

    def __getattr__(self, name: str) -> Callable[..., Any]:
        from recommender.client import Prediction, ScoredMovie

        def method(*arguments: Any) -> Any:
            self.asked.append((name, *arguments))
            if name.startswith("rating"):
                return Prediction("rating", 3.25, [0.5], [1.0])
            return [ScoredMovie("50", "Étoiles (1977)", 4.25)]

        return method


@pytest.mark.parametrize(
    ("command", "asked"),
    [
        (["recommend", "--user", "42", "-n", "3"], ("recommend", "42", 3, ())),
        (
            ["recommend", "--user", "42", "--exclude", "7", "--exclude", "9"],
            ("recommend", "42", 10, ("7", "9")),
        ),
        (["retrieve", "--user", "42"], ("retrieve", "42", 10)),
        (["similar", "--movie", "Alien (1979)"], ("similar", "Alien (1979)", 10)),
    ],
)
def test_lists_have_rank_title_score_and_id(
    run: Run, monkeypatch: pytest.MonkeyPatch, command: list[str], asked: tuple[Any, ...]
) -> None:
    client = ClientDouble.install(monkeypatch)
    _, output, _ = run("query", *command)
    assert output.splitlines()[-1].split() == ["1", "Étoiles", "(1977)", "4.2500", "50"]
    assert client.asked == [asked]
    answer = json.loads(run("query", *command, "--json")[1])
    assert answer == [{"movie_id": "50", "title": "Étoiles (1977)", "score": 4.25}]


@pytest.mark.parametrize(
    ("options", "asked"),
    [
        (["--title", "Alien (1979)", "--timestamp", "9"], ("rating", "587", "Alien (1979)", 9)),
        (["--movie", "50", "--timestamp", "9"], ("rating_by_id", "587", "50", 9)),
        (["--movie", "50"], ("rating_by_id", "587", "50", None)),
    ],
)
def test_a_rating_is_asked_by_title_or_by_id(
    run: Run, monkeypatch: pytest.MonkeyPatch, options: list[str], asked: tuple[Any, ...]
) -> None:
    client = ClientDouble.install(monkeypatch)
    assert run("query", "rating", "--user", "587", *options)[1] == "rating 3.2500\n"
    assert client.asked == [asked]
    answer = json.loads(run("query", "rating", "--user", "587", *options, "--json")[1])
    assert (answer["objective"], answer["value"]) == ("rating", 3.25)


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["rating", "--user", "1"], "give the movie either by --title or by --movie"),
        (["rating", "--user", "1", "--title", "a", "--movie", "1"], "give the movie either by --title or by"),
        (["rating", "--user", "1", "--title", "a"], "--title needs --timestamp"),
        (["predict", "{"], "not JSON: "),
        (["predict", "[]"], "expected a JSON object, as in "),
        (["predict", "[" * 100_000], "not JSON: maximum recursion depth exceeded"),
        (["status", "--timeout", "nan"], "timeout: must be above 0 and at most 86400 seconds, received nan"),
    ],
)
def test_a_question_that_lacks_something_is_told(run: Run, command: list[str], message: str) -> None:
    status, _, errors = run("query", *command)
    assert (status, errors.startswith(f"error: {message}")) == (2, True)


def test_nobody_at_the_address_is_one_line(run: Run, port: int) -> None:
    status, _, errors = run("query", "recommend", "--user", "1", "--url", f"http://127.0.0.1:{port}")
    path = f"http://127.0.0.1:{port}/v1/models/recommender:predict"
    assert (status, errors) == (1, f"error: {path} cannot be reached: Connection refused\n")


def test_asking_needs_no_tensorflow_and_no_pandas() -> None:
    code = (
        "import sys; import recommender.client, recommender.deployment, recommender.cli.served; "
        "print({'tensorflow', 'pandas', 'duckdb', 'pyarrow', 'numpy', 'metaflow'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_the_default_home_is_that_of_the_settings() -> None:
    assert DeploySettings().deployment.home == DEFAULT_HOME
