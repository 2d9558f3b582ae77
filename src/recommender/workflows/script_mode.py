"""Script mode: the training file run by a SageMaker TensorFlow container, in one process without Metaflow.

The container passes hyper-parameters as `--name value` and the rest in the environment (SM_MODEL_DIR,
SM_CHANNEL_TRAINING, SM_OUTPUT_DATA_DIR, SM_NUM_CPUS, SM_HOSTS: ENVIRONMENT_VARIABLES.md of
aws/sagemaker-training-toolkit).
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from pathlib import Path

from recommender.config import Settings, read_yaml, resolve
from recommender.data.movielens import CATALOGUE
from recommender.errors import ConfigError, DataError, RecommenderError
from recommender.tensorflow_threads import leave_threads
from recommender.versions import Version, publish
from recommender.workflows.hyper_parameters import assignments
from recommender.workflows.validation import GENERATED, OWN, validate

MODEL_DIR = "SM_MODEL_DIR"
# Any of them says that Metaflow was meant, also within such a container.
METAFLOW_COMMANDS = {
    *("run", "resume", "step", "spin", "spin-step", "init", "check", "show", "dump", "logs", "help"),
    *("version", "output-dot", "output-raw", "card", "tag", "code", "package", "environment", "datastore"),
    *("metadata", "argo-workflows", "step-functions", "airflow", "kubernetes", "batch", "spot-metadata"),
}
PRINTED = ("rmse", "ndcg@10")  # of all that metrics.json holds


def is_script_mode(arguments: Sequence[str], environ: Mapping[str, str]) -> bool:
    """Whether a SageMaker container runs the training file, and not somebody a Metaflow command."""
    return MODEL_DIR in environ and METAFLOW_COMMANDS.isdisjoint(arguments)


def main(arguments: Sequence[str], environ: MutableMapping[str, str], settings_file: Path) -> int:
    """Train as the arguments and the environment say; returns the exit status, with one line for an error."""
    try:
        settings = script_settings(arguments, environ, settings_file)
        _use_cpus(environ)
        version = _train(settings, environ)
    except RecommenderError as error:
        for line in str(error).splitlines():
            print(f"error: {line}", file=sys.stderr)
        return error.exit_status
    print(f"version {version.number} for deployment in {version.folder}")
    return 0


def script_settings(arguments: Sequence[str], environ: Mapping[str, str], settings_file: Path) -> Settings:
    """The settings file and the hyper-parameters; data come from the channel, the run goes to the output.

    Raises `ConfigError` for a hyper-parameter that is no setting, `DataError` for a channel without the data.
    """
    given = assignments(arguments)
    if "SM_OUTPUT_DATA_DIR" in environ:
        output = f"workflow.runs={json.dumps(environ['SM_OUTPUT_DATA_DIR'])}"
        given.insert(0, output)  # before the hyper-parameters, so that one of them wins
    tree = read_yaml(settings_file)
    settings = resolve(tree, given, environ)
    if "SM_CHANNEL_TRAINING" in environ:
        settings = resolve(tree, [*given, *_data(settings, Path(environ["SM_CHANNEL_TRAINING"]))], environ)
    validate(settings)
    hosts = json.loads(environ.get("SM_HOSTS", "[]"))
    if len(hosts) > 1:
        raise ConfigError(f"training runs on one machine, received {len(hosts)} (instance_count)")
    return settings


def _data(settings: Settings, channel: Path) -> list[str]:
    """The settings by which the channel's files are read; absolute paths and `data.archive` stay."""
    data = settings.data
    if data.dataset == OWN:
        tables = {name: getattr(data.custom, name) for name in ("ratings", "movies", "users")}
        return [f"data.custom.{name}={_quoted(channel / path)}" for name, path in tables.items() if path]
    if data.dataset == GENERATED or data.dataset not in CATALOGUE or data.archive is not None:
        return []
    release = CATALOGUE[data.dataset]
    names = [release.archive, release.name, release.folder]
    places = [channel / name for name in names if (channel / name).exists()]
    ratings = release.layout.ratings.file
    if not places and not (channel / ratings).is_file():
        raise DataError(
            f"SM_CHANNEL_TRAINING: {channel} must hold {data.dataset} as {release.archive}, "
            f"as a folder {release.folder} or as its files such as {ratings}, and holds {_listing(channel)}"
        )
    return [f"data.archive={_quoted(places[0] if places else channel)}"]


def _listing(folder: Path) -> str:
    if not folder.is_dir():
        return "nothing: there is no such folder"
    return ", ".join(sorted(path.name for path in folder.iterdir())[:5]) or "nothing"


def _quoted(path: Path) -> str:
    return json.dumps(str(path))


def _use_cpus(environ: MutableMapping[str, str]) -> None:
    """TensorFlow counts the machine's CPUs, not those that the container may use."""
    if "SM_NUM_CPUS" in environ:
        leave_threads(environ, environ["SM_NUM_CPUS"])


def _train(settings: Settings, environ: Mapping[str, str]) -> Version:
    """All stages; a job that SageMaker starts again goes on where its run folder was kept."""
    from recommender.tensorflow_start import start_tensorflow

    start_tensorflow()
    from recommender import tracking
    from recommender.data.prepare import prepare
    from recommender.workflows import runs, stages

    folder = runs.open_run(settings, environ.get("TRAINING_JOB_NAME"))
    prepared = prepare(settings)
    print(prepared.summary(), flush=True)
    if settings.tuning.trials:
        stages.tune(settings, prepared, folder)
        settings = stages.choose(settings, folder)
    trained = stages.train(settings, prepared, folder)
    metrics = stages.evaluate(settings, prepared, trained, folder)
    for line in _measured(metrics["models"]):
        print(line)
    tracking.save_figures(folder)
    version = stages.export(settings, prepared, trained, folder)
    return _for_deployment(version, Path(environ[MODEL_DIR]))


def _measured(models: Mapping[str, Mapping[str, Mapping[str, object]]]) -> Iterator[str]:
    """`deep_ranking test rmse = 0.93`: what a job's metric definitions can look for."""
    for model, splits in models.items():
        for split, metrics in splits.items():
            yield from (f"{model} {split} {name} = {metrics[name]}" for name in PRINTED if name in metrics)


def _for_deployment(version: Version, model_dir: Path) -> Version:
    """Copy the version to `<model_dir>/<number>`, where SageMaker's `model.tar.gz` serves it from."""
    model_dir.mkdir(parents=True, exist_ok=True)
    copy = model_dir / f".{version.number}-{os.getpid()}"
    shutil.copytree(version.folder, copy)
    number = publish(copy, model_dir)
    return Version(number, model_dir / str(number))
