"""Fitting both models of the recommender and the final order."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from recommender.config import Settings
from recommender.data.prepared import Prepared
from recommender.errors import ConfigError
from recommender.models.ranking import RankingModel
from recommender.models.retrieval import RetrievalModel
from recommender.training.devices import computing_on
from recommender.training.final_order import FittedOrder, train_order
from recommender.training.fit import Progress, is_finished
from recommender.training.placement.one_process import HERE, Placement
from recommender.training.ranking import fit_ranking
from recommender.training.retrieval import fit_retrieval


@dataclass(frozen=True)
class Networks:
    """Both fitted models, with the weights that validated best, and how their fits went.

    `validated_retrieval` and `validated_ranking` have not seen the validation split; `retrieval` and
    `ranking` have where they were fitted anew on it.
    """

    retrieval: RetrievalModel
    ranking: RankingModel
    validated_retrieval: RetrievalModel
    validated_ranking: RankingModel
    retrieval_progress: Progress
    ranking_progress: Progress


@dataclass(frozen=True)
class Trained(Networks):
    """Both models, and the order of what the first retrieves and the second ranks."""

    order: FittedOrder


def train(settings: Settings, prepared: Prepared, run_folder: Path) -> Trained:
    """Fit retrieval, ranking, then the order; the same call on the same folder goes on from there, or only
    loads.

    With `retrieval.refit` and `ranking.refit` these models are at last fitted anew on training and validation
    split; the order is that of the models which have not seen the validation split. Leaves checkpoints and
    TensorBoard curves in `<run_folder>/retrieval` and `<run_folder>/ranking`, the weights of the order in
    `<run_folder>/order`. Raises `ConfigError` for what a cluster has to fit and has not.
    """
    if settings.distribution.strategy != "single":
        _check_fitted(settings, run_folder)
    with computing_on(settings.distribution.device):
        networks = fit_networks(settings, prepared, run_folder)
    order = train_order(
        settings, prepared, networks.validated_retrieval, networks.validated_ranking, run_folder / "order"
    )
    return Trained(**vars(networks), order=order)


def fit_networks(
    settings: Settings, prepared: Prepared, run_folder: Path, placement: Placement = HERE
) -> Networks:
    """Fit both models where `placement` says, by default in this process; see `train`."""
    retrieval = fit_retrieval(settings, prepared, run_folder / "retrieval", placement)
    ranking = fit_ranking(settings, prepared, run_folder / "ranking", placement)
    return Networks(
        retrieval.model,
        ranking.model,
        retrieval.validated,
        ranking.validated,
        retrieval.progress,
        ranking.progress,
    )


def _check_fitted(settings: Settings, run_folder: Path) -> None:
    """Raise `ConfigError` unless this process has only to load what a cluster has fitted."""
    folders = [run_folder / "retrieval", run_folder / "ranking"]
    folders += [folder / "refit" for folder in folders if getattr(settings, folder.name).refit]
    if not all(is_finished(folder) for folder in folders):
        gang = " or by `recommender run`" if settings.distribution.strategy == "multi_worker" else ""
        raise ConfigError(
            f"distribution.strategy: {settings.distribution.strategy} is trained by `recommender worker` on "
            f"every machine of a cluster{gang}, {run_folder} is not trained yet"
        )
