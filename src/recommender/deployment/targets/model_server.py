"""TensorFlow Serving in a container: how it is started, and the files that it is given."""

from __future__ import annotations

from recommender.deployment.models_config import MODELS_CONFIG, models_config
from recommender.deployment.settings import DeploySettings

# The image's own entry point is a shell script that does not pass signals on: the server is started directly.
PROGRAM = "tensorflow_model_server"
CONFIG_FOLDER = "/config"
REST_PORT = 8501  # within the container, whatever is published
POLL_SECONDS = 5
MONITORING_CONFIG = "monitoring.config"
MONITORING = 'prometheus_config { enable: true path: "/monitoring/prometheus/metrics" }\n'


def model_folder(settings: DeploySettings) -> str:
    """Where the model's versions are in the container."""
    return f"/models/{settings.workflow.name}"


def config_files(settings: DeploySettings, version: int) -> dict[str, str]:
    """The files in `CONFIG_FOLDER`: name -> text."""
    config = models_config(settings.workflow.name, model_folder(settings), version)
    return {MODELS_CONFIG: config, MONITORING_CONFIG: MONITORING}


def arguments(cpus: float, request_seconds: float) -> list[str]:
    """The server's command line.

    It counts the machine's CPUs, not those that the container may use, and more threads than those slow each
    other down. A version that does not load is reported at once: by default it is tried again for minutes.
    """
    threads = max(1, int(cpus))
    return [
        f"--rest_api_port={REST_PORT}",
        f"--rest_api_timeout_in_ms={round(1000 * request_seconds)}",
        f"--model_config_file={CONFIG_FOLDER}/{MODELS_CONFIG}",
        f"--model_config_file_poll_wait_seconds={POLL_SECONDS}",
        f"--monitoring_config_file={CONFIG_FOLDER}/{MONITORING_CONFIG}",
        "--max_num_load_retries=0",
        f"--tensorflow_intra_op_parallelism={threads}",
        f"--tensorflow_inter_op_parallelism={threads}",
    ]
