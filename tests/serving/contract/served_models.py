"""The models that the contract is tested with, and a server of them: ours, or any at RECOMMENDER_TFS_URL.

    python tests/serving/contract/served_models.py FOLDER

writes them and their `models.config` there, for tensorflow_model_server --model_config_file.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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
    from serve_process import serving  # found by pytest, and not by the script that this file is as well

    with serving(config.parent, f"--model_config_file={config}", "--access_log=none", *flags) as server:
        yield server.base


if __name__ == "__main__":
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from saved_models import SavedModels

    with tempfile.TemporaryDirectory() as building:
        print(place_models(SavedModels(Path(building)), Path(sys.argv[1]).absolute()))
