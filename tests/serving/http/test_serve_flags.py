"""The flags of `recommender serve`: those of tensorflow_model_server, and what they mean when left out."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from recommender.cli.serve import serve
from recommender.config import load_settings
from recommender.errors import ConfigError
from recommender.serving.http import supervisor
from recommender.serving.http.options import ServeOptions


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[ServeOptions]:
    """What the supervisor is asked to serve."""
    options: list[ServeOptions] = []
    monkeypatch.setattr(supervisor, "supervise", lambda given: options.append(given) or 0)
    return options


def run(*flags: str) -> Result:
    return CliRunner().invoke(serve, flags)


def test_flags_are_written_with_an_equals_sign_or_a_space(asked: list[ServeOptions]) -> None:
    assert run("--rest_api_port=8000", "--model_name=m", "--model_base_path=/models/m").exit_code == 0
    assert (
        run("--rest_api_port", "8000", "--model_name", "m", "--model_base_path", "/models/m").exit_code == 0
    )
    assert asked[0] == asked[1]
    assert (asked[0].rest_api_port, asked[0].model_name, asked[0].model_base_path) == (8000, "m", "/models/m")


def test_every_flag_reaches_the_server(asked: list[ServeOptions]) -> None:
    given = {
        "host": "0.0.0.0",
        "rest_api_port": 1,
        "model_name": "m",
        "model_base_path": "/m",
        "model_config_file": "/c",
        "model_config_file_poll_wait_seconds": 2.5,
        "file_system_poll_wait_seconds": 0.5,
        "rest_api_timeout_in_ms": 3,
        "rest_api_num_threads": 4,
        "monitoring_config_file": "/p",
        "workers": 5,
        "access_log": "/l",
        "max_body_bytes": 6,
    }
    flags = [f"--{name}={value}" for name, value in given.items()]
    assert run(*flags, "--enable_signature_method_name_check=true").exit_code == 0
    given["enable_signature_method_name_check"] = True
    assert asked == [ServeOptions(**given)]  # type: ignore[arg-type]
    assert ServeOptions.from_json(asked[0].to_json()) == asked[0]
    assert set(given) == set(ServeOptions.__slots__)


def test_what_is_left_out_is_as_with_tensorflow_model_server(asked: list[ServeOptions]) -> None:
    # model_servers/main.cc
    run("--model_base_path=/models/m")
    (options,) = asked
    assert (options.rest_api_port, options.model_name) == (8501, "default")
    assert (options.rest_api_timeout_in_ms, options.file_system_poll_wait_seconds) == (30_000, 1)
    assert options.model_config_file_poll_wait_seconds == 0
    assert options.rest_api_num_threads % 4 == 0
    assert (options.host, options.workers) == ("127.0.0.1", 1)


def test_without_a_model_the_workflow_s_versions_are_served(
    asked: list[ServeOptions], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = load_settings(environ={})
    run()
    run("--model_name=other")
    folder = (settings.export.models / settings.workflow.name).absolute()
    assert [options.model_name for options in asked] == [settings.workflow.name, "other"]
    assert [Path(options.model_base_path) for options in asked] == [folder, folder]


@pytest.mark.parametrize(
    "flag", ["--rest_api_port=70000", "--workers=0", "--max_body_bytes=0", "--no_such_flag=1"]
)
def test_impossible_values_are_refused(asked: list[ServeOptions], flag: str) -> None:
    assert run(flag, "--model_base_path=/m").exit_code == 2
    assert asked == []


def test_options_say_which_models(tmp_path: Path) -> None:
    (model,) = ServeOptions(model_name="m", model_base_path="/models/m").models()
    assert (model.name, model.base_path) == ("m", Path("/models/m"))
    file = tmp_path / "models.config"
    file.write_text(
        'model_config_list { config { name: "a" base_path: "/a" model_platform: "tensorflow" } '
        'config { name: "b" base_path: "/b" model_platform: "tensorflow" } }'
    )
    options = ServeOptions(model_name="m", model_base_path="/models/m", model_config_file=str(file))
    assert [model.name for model in options.models()] == ["a", "b"]
    with pytest.raises(ConfigError, match="neither model_base_path nor model_config_file"):
        ServeOptions().models()


def test_metrics_are_shown_unless_a_file_says_no(tmp_path: Path) -> None:
    file = tmp_path / "monitoring.config"
    file.write_text("prometheus_config { enable: false }")
    assert ServeOptions().monitoring().enabled
    assert not ServeOptions(monitoring_config_file=str(file)).monitoring().enabled


@pytest.mark.parametrize("module", ["recommender.cli.serve", "recommender.serving.http.supervisor"])
def test_neither_the_command_nor_the_supervisor_imports_tensorflow(module: str) -> None:
    code = f"import sys, {module}; sys.exit('tensorflow' in sys.modules or 'pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0
