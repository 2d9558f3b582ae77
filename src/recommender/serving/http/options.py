"""What `recommender serve` was asked to do, in a form that goes from the supervisor to its workers."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from recommender.errors import ConfigError
from recommender.serving.http.access_log import open_log
from recommender.serving.http.limits import MEBIBYTE, Limits
from recommender.serving.servables.config_file import (
    Monitoring,
    read_model_config_file,
    read_monitoring_config_file,
)
from recommender.serving.servables.load_options import LoadOptions
from recommender.serving.servables.model_config import ModelConfig

NO_ACCESS_LOG = "none"


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """The flags of the command line, named as there."""

    host: str = "127.0.0.1"
    rest_api_port: int = 8501
    model_name: str = "default"
    model_base_path: str = ""
    model_config_file: str = ""
    model_config_file_poll_wait_seconds: float = 0
    file_system_poll_wait_seconds: float = 1
    rest_api_timeout_in_ms: int = 30_000
    rest_api_num_threads: int = 8
    monitoring_config_file: str = ""
    workers: int = 1
    access_log: str = ""
    max_body_bytes: int = 16 * MEBIBYTE
    enable_signature_method_name_check: bool = False

    def to_json(self) -> str:
        """The options as text."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> ServeOptions:
        """The options that `to_json` wrote."""
        return cls(**json.loads(text))

    def models(self) -> list[ModelConfig]:
        """The models to serve; raises `ConfigError` where the configuration file cannot be used."""
        if self.model_config_file:
            return read_model_config_file(Path(self.model_config_file))
        if not self.model_base_path:
            raise ConfigError("serve: neither model_base_path nor model_config_file is given")
        return [ModelConfig(self.model_name, Path(self.model_base_path))]

    def monitoring(self) -> Monitoring:
        """Whether and where metrics are shown.

        TensorFlow Serving shows them only where a file says so; here they are on unless a file says no.
        """
        if not self.monitoring_config_file:
            return Monitoring(enabled=True)
        return read_monitoring_config_file(Path(self.monitoring_config_file))

    def access_log_file(self) -> Path | None:
        """The file that requests are logged to; None for standard error."""
        return Path(self.access_log) if self.access_log else None

    def check(self) -> None:
        """Raise `ConfigError` for a mistake in a file, before any process is started."""
        self.models()
        self.monitoring()
        if self.access_log not in ("", NO_ACCESS_LOG):
            os.close(open_log(self.access_log_file()))

    def loading(self) -> LoadOptions:
        """How versions are loaded."""
        return LoadOptions(self.enable_signature_method_name_check, self.rest_api_timeout_in_ms)

    def limits(self) -> Limits:
        """What clients may cost."""
        return Limits(max_body_bytes=self.max_body_bytes)
