"""What settings name must exist: checked before any work, and without importing anything heavy."""

from __future__ import annotations

from pathlib import Path

from recommender.config import Settings, WorkflowResources, WorkflowSettings
from recommender.data.features import select
from recommender.data.movielens import CATALOGUE
from recommender.errors import ConfigError
from recommender.models.heads import check_features, head_names
from recommender.search_space import check_search_space

GENERATED, OWN = "synthetic", "custom"
INPUTS = "inputs"  # within data.home: where a cluster's steps find the user's own files


def validate(settings: Settings) -> None:
    """Raise `ConfigError` where `settings` name a data set, file, head or feature that does not exist,
    or a head without the features that it needs."""
    _must_be_one_of("data.dataset", settings.data.dataset, [*CATALOGUE, GENERATED, OWN])
    _must_be_one_of("ranking.head", settings.ranking.head, head_names())
    select(settings.ranking.features, "ranking.features")
    check_features(settings.ranking.head, settings.ranking.features)
    select(settings.retrieval.user_features, "retrieval.user_features", ("user", "user_history"))
    select(settings.retrieval.movie_features, "retrieval.movie_features", ("movie",))
    if settings.data.dataset == OWN and settings.data.custom.ratings is None:
        raise ConfigError("data.custom.ratings: must name a CSV or Parquet file when data.dataset is custom")
    for key, path in own_files(settings).items():
        sent = path.is_relative_to(settings.data.home / INPUTS)  # to a cluster's storage: not here but there
        if not path.exists() and not (sent and settings.workflow.target != "local"):
            raise ConfigError(f"{key}: there is no such file, received {str(path)!r}")
    _check_target(settings)
    check_search_space(settings)


def check_one_process(settings: Settings) -> None:
    """Raise `ConfigError` where `settings` want a cluster that trains together: a search's workers do not."""
    if settings.distribution.strategy != "single":
        raise ConfigError(
            "distribution.strategy: must be single in a search, where one process trains a model, received "
            f"{settings.distribution.strategy!r}: a cluster trains with one setting, see recommender worker"
        )


def own_files(settings: Settings) -> dict[str, Path]:
    """The files and folders of the user's own that settings name, by their keys."""
    named = {"data.archive": settings.data.archive}
    if settings.data.dataset == OWN:
        own = settings.data.custom
        named |= {f"data.custom.{name}": getattr(own, name) for name in ("ratings", "movies", "users")}
    return {key: path for key, path in named.items() if path is not None}


def _check_target(settings: Settings) -> None:
    """Steps on different machines need an image, a storage, a study that all reach, relative places."""
    workflow = settings.workflow
    if workflow.target == "local":
        return
    needed = ("image", "storage", "queue", "role") if workflow.target == "aws-batch" else ("image", "storage")
    for key in needed:
        if getattr(workflow, key) is None:
            raise ConfigError(
                f"workflow.{key}: must be set when workflow.target is {workflow.target}, received None"
            )
    if workflow.target == "aws-batch":
        _check_disks(workflow)
    _check_study(settings)
    places = {"data.home": settings.data.home, "workflow.runs": workflow.runs}
    for key, path in (places | {"export.models": settings.export.models}).items():
        if path.is_absolute():
            raise ConfigError(
                f"{key}: must be relative when workflow.target is {workflow.target}, received {str(path)!r}"
            )


def _check_study(settings: Settings) -> None:
    target, tuning = settings.workflow.target, settings.tuning
    if not tuning.trials:
        return
    if tuning.workers > 1 and tuning.storage is None:
        raise ConfigError(
            f"tuning.storage: must be a database URL when workflow.target is {target} and "
            f"tuning.workers is {tuning.workers}, received None: workers share no disk there"
        )
    if tuning.storage is not None and tuning.storage.startswith("sqlite"):
        raise ConfigError(
            f"tuning.storage: must be a database that all machines reach when workflow.target is {target}, "
            f"received {tuning.storage!r}: an SQLite file is on the disk of one"
        )


def _check_disks(workflow: WorkflowSettings) -> None:
    """AWS Batch has no disk to ask for: jobs get that of their machine."""
    untouched = WorkflowResources()
    for step in WorkflowResources.model_fields:
        disk, default = (getattr(each, step)["disk"] for each in (workflow.resources, untouched))
        if disk != default:
            raise ConfigError(
                f"workflow.resources.{step}.disk: is for kubernetes and argo, must stay {default} when "
                f"workflow.target is aws-batch, received {disk}"
            )


def _must_be_one_of(key: str, value: str, names: list[str]) -> None:
    if value not in names:
        raise ConfigError(f"{key}: must be one of {', '.join(names)}, received {value!r}")
