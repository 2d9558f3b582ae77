"""The models that the contract is tested with, and a server of them: ours, or any at RECOMMENDER_TFS_URL.

    python tests/serving/contract/served_models.py FOLDER

writes them and their `models.config` there, for tensorflow_model_server --model_config_file.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

SOLE = (
    *("int32", "int64", "uint8", "bool", "string", "half", "scalar", "multi_output", "bytes"),
    *("without_inputs", "failing", "odd_classes", "vocabulary", "counter"),
)
SPECIAL = {
    "half_plus_two": "model_version_policy { all {} } "
    'version_labels { key: "stable" value: 123 } version_labels { key: "canary" value: 124 }',
    "broken": "",
    "partly": "model_version_policy { all {} }",
}


def place_models(models, folder: Path) -> Path:
    """Write all models into a folder; returns the `models.config` that names them."""
    models.place("half_plus_two", folder / "half_plus_two" / "00000123")
    models.place("half_plus_three", folder / "half_plus_two" / "00000124")
    models.place("half_plus_two", folder / "partly" / "1")
    models.place("half_plus_two", folder / "partly" / "2", broken="garbage")
    models.place("half_plus_two", folder / "broken" / "1", broken="garbage")
    for kind in SOLE:
        models.place(kind, folder / kind / "1")
    configs = [
        f'config {{ name: "{name}" base_path: "{folder / name}" model_platform: "tensorflow" {more} }}'
        for name, more in {**SPECIAL, **dict.fromkeys(SOLE, "")}.items()
    ]
    path = folder / "models.config"
    path.write_text("model_config_list {\n  " + "\n  ".join(configs) + "\n}\n")
    return path


@contextmanager
def running_server(config: Path, *flags: str) -> Iterator[str]:
    """The URL of `recommender serve` with a configuration file, until the block ends."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    command = [sys.executable, "-m", "recommender", "serve", f"--rest_api_port={port}", "--access_log=none"]
    url = f"http://127.0.0.1:{port}"
    with subprocess.Popen([*command, f"--model_config_file={config}", *flags]) as process:
        try:
            _wait(url, process)
            yield url
        finally:
            process.terminate()


def _wait(url: str, process: subprocess.Popen) -> None:
    for _ in range(900):
        assert process.poll() is None, f"the server ended with status {process.returncode}"
        try:
            requests.get(url, timeout=5)
        except requests.ConnectionError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("the server did not answer within 90 seconds")


if __name__ == "__main__":
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from saved_models import SavedModels

    with tempfile.TemporaryDirectory() as building:
        print(place_models(SavedModels(Path(building)), Path(sys.argv[1]).absolute()))
