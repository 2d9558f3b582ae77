"""`--model_config_file` and `--monitoring_config_file`: text protobuf as tensorflow_model_server reads it."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.protobuf import text_format

from recommender.errors import ConfigError
from recommender.serving.servables.model_config import ModelConfig, VersionPolicy
from recommender.serving.servables.protobuf_messages import message_types

log = logging.getLogger(__name__)

PLATFORM = "tensorflow"
METRICS_PATH = "/monitoring/prometheus/metrics"

# As in config/model_server_config.proto, logging_config.proto, log_collector_config.proto and
# monitoring_config.proto, and file_system_storage_path_source.proto for the policy.
MESSAGES = message_types(
    {
        "ModelServerConfig": ["ModelConfigList model_config_list = 1"],
        "ModelConfigList": ["repeated ModelConfig config = 1"],
        "ModelConfig": [
            "string name = 1",
            "string base_path = 2",
            "string model_platform = 4",
            "LoggingConfig logging_config = 6",
            "ServableVersionPolicy model_version_policy = 7",
            "map<string, int64> version_labels = 8",
        ],
        "ServableVersionPolicy": [
            "oneof policy_choice: Latest latest = 100",
            "oneof policy_choice: All all = 101",
            "oneof policy_choice: Specific specific = 102",
        ],
        "Latest": ["uint32 num_versions = 1"],
        "All": [],
        "Specific": ["repeated int64 versions = 1"],
        "LoggingConfig": [
            "LogCollectorConfig log_collector_config = 1",
            "SamplingConfig sampling_config = 2",
        ],
        "LogCollectorConfig": ["string type = 1", "string filename_prefix = 2"],
        "SamplingConfig": ["double sampling_rate = 1", "int32 attributes = 2"],
        "MonitoringConfig": ["PrometheusConfig prometheus_config = 1"],
        "PrometheusConfig": ["bool enable = 1", "string path = 2"],
    }
)


@dataclass(frozen=True, slots=True)
class Monitoring:
    """Whether Prometheus metrics are served, and at which path."""

    enabled: bool
    path: str = METRICS_PATH


def read_model_config_file(path: Path) -> list[ModelConfig]:
    """The models of a `ModelServerConfig`; raises `ConfigError` naming the file, the place and the rule."""
    listed = _parse(path, "ModelServerConfig").model_config_list.config
    models = [_model(path, message) for message in listed]
    names = [model.name for model in models]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f"{path}: model {name!r} is listed {names.count(name)} times, expected once")
    return models


def read_monitoring_config_file(path: Path) -> Monitoring:
    """What a `MonitoringConfig` says; raises `ConfigError` naming the file, the place and the rule."""
    prometheus = _parse(path, "MonitoringConfig").prometheus_config
    address = prometheus.path or METRICS_PATH
    if not address.startswith("/"):
        raise ConfigError(f"{path}: prometheus_config.path must begin with '/', found {address!r}")
    return Monitoring(prometheus.enable, address)


def _parse(path: Path, message: str) -> Any:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 text: {error.reason} at byte {error.start}") from None
    try:
        return text_format.Parse(text, MESSAGES[message]())
    except text_format.ParseError as error:  # says "line:column : text"
        what = " ".join(str(error).split())
        raise ConfigError(f"{path}: not a {message} in text protobuf: {what}") from None


def _model(path: Path, message: Any) -> ModelConfig:
    if not message.name:
        raise ConfigError(f"{path}: a model has no name, expected `name: ...` in each config")
    where = f"{path}: model {message.name!r}"
    if not message.base_path:
        raise ConfigError(f"{where} has no base_path, expected the folder that holds its versions")
    if "://" in message.base_path:
        raise ConfigError(f"{where}: base_path must be a local folder, found {message.base_path!r}")
    if message.model_platform != PLATFORM:
        raise ConfigError(f"{where}: model_platform must be {PLATFORM!r}, found {message.model_platform!r}")
    if message.HasField("logging_config"):
        log.warning("%s: logging_config is read and not used: requests are not logged there", where)
    return ModelConfig(
        message.name,
        Path(message.base_path),
        _policy(message.model_version_policy),
        dict(message.version_labels),
    )


def _policy(message: Any) -> VersionPolicy:
    match message.WhichOneof("policy_choice"):
        case "all":
            return VersionPolicy("all")
        case "specific":
            return VersionPolicy("specific", specific=frozenset(message.specific.versions))
        case _:  # the default is one version; so is 0, as in AspireLatestVersions
            return VersionPolicy("latest", count=max(message.latest.num_versions, 1))
