"""Configuration files are read as tensorflow_model_server reads them, and refused in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from recommender.errors import ConfigError
from recommender.serving.servables.config_file import (
    Monitoring,
    read_model_config_file,
    read_monitoring_config_file,
)
from recommender.serving.servables.model_config import ModelConfig, VersionPolicy


def written(folder: Path, text: str) -> Path:
    path = folder / "models.config"
    path.write_text(text)
    return path


def test_every_field_of_a_model_is_read(tmp_path: Path) -> None:
    text = """
    # comments and both ways to write a message are allowed
    model_config_list: {
      config { name: "a" base_path: "/models/a" model_platform: "tensorflow" }
      config: {
        name: 'b', base_path: '/models/b', model_platform: 'tensorflow',
        model_version_policy { specific { versions: 3 versions: [7, 9] } }
        version_labels { key: "stable" value: 3 }
        version_labels { key: "canary" value: 7 }
        logging_config { sampling_config { sampling_rate: 0.5 } }
      }
      config { name: "c" base_path: "/c" model_platform: "tensorflow" model_version_policy { all {} } }
      config { name: "d" base_path: "/d" model_platform: "tensorflow"
               model_version_policy { latest { num_versions: 2 } } }
      config { name: "e" base_path: "/e" model_platform: "tensorflow" model_version_policy { latest {} } }
    }
    """
    a, b, c, d, e = read_model_config_file(written(tmp_path, text))
    assert a == ModelConfig("a", Path("/models/a"), VersionPolicy("latest", 1), {})
    assert b.policy == VersionPolicy("specific", specific=frozenset({3, 7, 9}))
    assert b.labels == {"stable": 3, "canary": 7}
    assert [model.policy for model in (c, d, e)] == [
        VersionPolicy("all"),
        VersionPolicy("latest", 2),
        VersionPolicy("latest", 1),
    ]


def test_a_file_without_models_is_a_server_without_models(tmp_path: Path) -> None:
    assert read_model_config_file(written(tmp_path, "")) == []


MODEL = 'name: "m" base_path: "/m" model_platform: "tensorflow"'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "model_config_list {\n  config {\n    nam: 'x'\n  }\n}",
            '3:5 : Message type "tensorflow.serving.Mod',
        ),
        (
            "model_config_list { config { name: 3 } }",
            "1:36 : 'model_config_list { config { name: 3 } }': Expected string but found: '3'",
        ),
        ("model_config_list {", "1:19"),
        (f"model_config_list {{ config {{ {MODEL} }} config {{ {MODEL} }} }}", "model 'm' is listed 2 times"),
        ("model_config_list { config { base_path: '/m' } }", "a model has no name"),
        ("model_config_list { config { name: 'm' } }", "model 'm' has no base_path"),
        (
            "model_config_list { config { name: 'm' base_path: '/m' model_platform: 'pytorch' } }",
            "model 'm': model_platform must be 'tensorflow', found 'pytorch'",
        ),
        ("model_config_list { config { name: 'm' base_path: '/m' } }", "model_platform must be 'tensorflow'"),
        (
            f"model_config_list {{ config {{ {MODEL.replace('/m', 's3://m')} }} }}",
            "base_path must be a local folder, found 's3://m'",
        ),
        (
            f"model_config_list {{ config {{ {MODEL} model_version_policy {{ all {{}} latest {{}} }} }} }}",
            'Field "latest" is specified along with field "all"',
        ),
    ],
)
def test_what_cannot_be_used_is_one_line_with_the_place(tmp_path: Path, text: str, said: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        read_model_config_file(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert said in message
    assert "\n" not in message


def test_a_file_that_is_not_there_or_not_text_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nothing\.config: cannot be read: No such file"):
        read_model_config_file(tmp_path / "nothing.config")
    path = tmp_path / "binary"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="not UTF-8 text: invalid start byte at byte 0"):
        read_model_config_file(path)


@pytest.mark.parametrize(
    ("text", "monitoring"),
    [
        ("prometheus_config { enable: true }", Monitoring(True, "/monitoring/prometheus/metrics")),
        ('prometheus_config { enable: true path: "/metrics" }', Monitoring(True, "/metrics")),
        ("prometheus_config { }", Monitoring(False, "/monitoring/prometheus/metrics")),
        ("", Monitoring(False, "/monitoring/prometheus/metrics")),
    ],
)
def test_monitoring_says_whether_and_where(tmp_path: Path, text: str, monitoring: Monitoring) -> None:
    assert read_monitoring_config_file(written(tmp_path, text)) == monitoring


def test_a_metrics_path_begins_with_a_slash(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"prometheus_config\.path must begin with '/', found 'metrics'"):
        read_monitoring_config_file(written(tmp_path, "prometheus_config { path: 'metrics' }"))
