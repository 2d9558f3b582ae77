"""The model server's configuration file, by which it is told which version to serve.

A text protobuf `tensorflow.serving.ModelServerConfig` (config/model_server_config.proto of TensorFlow
Serving), which `recommender serve` and `tensorflow_model_server` read again at every poll.
"""

from __future__ import annotations

import json

MODELS_CONFIG = "models.config"


def models_config(model: str, base: str, version: int) -> str:
    """Serve this version alone; `base` is the versions' folder as the server sees it.

    Without version labels: TensorFlow Serving moves labels before it loads versions (`ReloadConfig` in
    server_core.cc) and refuses a configuration whose label names a version that is not there yet.
    """
    return f"""\
model_config_list {{
  config {{
    name: {_quoted(model)}
    base_path: {_quoted(base)}
    model_platform: "tensorflow"
    model_version_policy {{ specific {{ versions: {version} }} }}
  }}
}}
"""


def _quoted(text: str) -> str:
    """A text-protobuf string; UTF-8 is taken as it is."""
    return json.dumps(text, ensure_ascii=False)
