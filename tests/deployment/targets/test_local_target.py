from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest

from recommender.client import ModelClient, UnexpectedAnswer
from recommender.deployment.settings import DeploySettings, resolve
from recommender.deployment.targets import make_target
from recommender.deployment.targets.local import LocalTarget
from recommender.errors import RecommenderError
from recommender.versions import Version


def target(folder: Path, *overrides: str, **details: Any) -> LocalTarget:
    found = make_target(resolve({}, overrides), folder, details)
    assert isinstance(found, LocalTarget)
    return found


def test_the_configuration_names_one_version_also_by_a_label(tmp_path: Path) -> None:
    version = Version(7, Path('/models/with "quotes" é/recommender/7'))
    files = target(tmp_path, "workflow.name=recommender").files(version)
    assert files == {
        "models.config": """\
model_config_list {
  config {
    name: "recommender"
    base_path: "/models/with \\"quotes\\" é/recommender"
    model_platform: "tensorflow"
    model_version_policy { specific { versions: 7 } }
  }
}
"""
    }


def test_the_model_server_reads_the_configuration(tmp_path: Path) -> None:
    config_file = pytest.importorskip("recommender.serving.servables.config_file")
    version = Version(7, Path('/models/with "quotes" é/recommender/7'))
    (tmp_path / "models.config").write_text(
        target(tmp_path).files(version)["models.config"], encoding="utf-8"
    )
    (model,) = config_file.read_model_config_file(tmp_path / "models.config")
    assert model.name == "recommender"
    assert str(model.base_path) == '/models/with "quotes" é/recommender'
    assert not model.labels


def test_the_server_is_started_with_the_settings(tmp_path: Path) -> None:
    overrides = ["local.host=0.0.0.0", "local.port=9000", "local.workers=3", "local.request_seconds=1.5"]
    (line,) = target(tmp_path, *overrides).commands(Version(1, tmp_path / "1"))
    command, _, redirected = line.partition(" > ")
    assert shlex.split(command)[1:] == [
        "-P",
        "-m",
        "recommender",
        "serve",
        "--host=0.0.0.0",
        "--rest_api_port=9000",
        "--workers=3",
        "--rest_api_timeout_in_ms=1500",
        f"--model_config_file={tmp_path}/models.config",
        "--model_config_file_poll_wait_seconds=1",
    ]
    assert redirected == f"{tmp_path}/server.log 2>&1 &"


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8501"),
        ("0.0.0.0", "http://127.0.0.1:8501"),
        ("'::'", "http://[::1]:8501"),
        ("'::1'", "http://[::1]:8501"),
        ("localhost", "http://localhost:8501"),
    ],
)
def test_the_url_is_one_that_can_be_asked(tmp_path: Path, host: str, url: str) -> None:
    assert target(tmp_path, f"local.host={host}").url == url


def test_a_target_that_started_nothing_does_not_run(tmp_path: Path) -> None:
    found = target(tmp_path)
    assert not found.is_running()
    found.stop()
    assert found.details == {}


@pytest.mark.parametrize(
    ("details", "reason"),
    [
        ({"pid": "abc", "started": 1.0, "command": []}, "pid: Input should be a valid integer"),
        ({"pid": -1, "started": 1.0, "command": []}, "pid: Input should be greater than or equal to 1"),
        ({"pid": 10**20, "started": 1.0, "command": []}, "pid: Input should be less than 2147483648"),
        ({"models": ["of another target"]}, "pid: Field required"),
    ],
)
def test_a_process_that_the_record_does_not_describe_is_told(
    tmp_path: Path, details: dict[str, Any], reason: str
) -> None:
    with pytest.raises(RecommenderError) as error:
        target(tmp_path, **details).is_running()
    assert str(error.value) == f"{tmp_path}/deployment.json: not the record of a deployment: {reason}"


def test_the_last_words_are_those_at_the_end_of_a_long_log(tmp_path: Path) -> None:
    process = {"pid": 2**31 - 1, "started": 1.0, "command": []}
    for text, words in (("", "none"), ("an older line\n" * 10_000 + "error: port\n\n", "error: port")):
        (tmp_path / "server.log").write_text(text, encoding="utf-8")
        with pytest.raises(RecommenderError) as error:
            target(tmp_path, **process).statuses()
        assert str(error.value) == f"the server has ended, its last words: {words}"


def test_an_answer_of_another_form_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ModelClient, "ask", lambda *_: {"outputs": [3.5]})
    with pytest.raises(UnexpectedAnswer, match="the answer has another form: "):
        target(tmp_path).predict(Version(1, tmp_path), {"instances": [{"user_id": "1"}]})


def test_no_connection_is_kept_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[ModelClient] = []
    monkeypatch.setattr(ModelClient, "close", lambda client: closed.append(client))
    monkeypatch.setattr(ModelClient, "ask", lambda *_: {"predictions": [3.5]})
    monkeypatch.setattr(ModelClient, "status", lambda _: [])
    monkeypatch.setattr(LocalTarget, "is_running", lambda _: True)
    target(tmp_path).statuses()
    target(tmp_path).predict(Version(1, tmp_path), {"instances": [{"user_id": "1"}]})
    assert len(closed) == 2


def test_every_target_of_the_settings_is_there(tmp_path: Path) -> None:
    sagemaker = {"bucket": "models", "role_arn": "arn:aws:iam::123456789012:role/recommender"}
    for name in ("local", "docker", "kubernetes", "sagemaker"):
        settings = resolve({"deployment": {"target": name}, "sagemaker": sagemaker})
        assert type(make_target(settings, tmp_path)).__name__ != ""
    assert DeploySettings().deployment.target == "local"
