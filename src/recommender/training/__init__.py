"""Fitting both models of the recommender and the final order."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from recommender.config import Settings
from recommender.data.prepared import Prepared
from recommender.models.ranking import RankingModel
from recommender.models.retrieval import RetrievalModel
from recommender.training.final_order import FittedOrder, train_order
from recommender.training.fit import Progress
from recommender.training.ranking import refit_ranking, train_ranking
from recommender.training.retrieval import refit_retrieval, train_retrieval


@dataclass(frozen=True)
class Trained:
    """Both fitted models, with the weights that validated best, how their fits went, and the order of what
    the first retrieves and the second ranks.

    `validated_retrieval` and `validated_ranking` have not seen the validation split; `retrieval` and
    `ranking` have where they were fitted anew on it.
    """

    retrieval: RetrievalModel
    ranking: RankingModel
    validated_retrieval: RetrievalModel
    validated_ranking: RankingModel
    retrieval_progress: Progress
    ranking_progress: Progress
    order: FittedOrder


def train(settings: Settings, prepared: Prepared, run_folder: Path) -> Trained:
    """Fit retrieval, ranking, then the order; the same call on the same folder goes on from there, or only
    loads.

    With `retrieval.refit` and `ranking.refit` these models are at last fitted anew on training and validation
    split; the order is that of the models which have not seen the validation split. Leaves checkpoints and
    TensorBoard curves in `<run_folder>/retrieval` and `<run_folder>/ranking`, the weights of the order in
    `<run_folder>/order`.
    """
    validated_retrieval, retrieval_progress = train_retrieval(settings, prepared, run_folder / "retrieval")
    validated_ranking, ranking_progress = train_ranking(settings, prepared, run_folder / "ranking")
    order = train_order(settings, prepared, validated_retrieval, validated_ranking, run_folder / "order")
    retrieval, ranking = validated_retrieval, validated_ranking
    if settings.retrieval.refit:
        epochs = retrieval_progress.best_epoch + 1
        folder = run_folder / "retrieval" / "refit"
        retrieval = refit_retrieval(settings, prepared, folder, validated_retrieval, epochs)
    if settings.ranking.refit:
        epochs = ranking_progress.best_epoch + 1
        ranking = refit_ranking(settings, prepared, run_folder / "ranking" / "refit", epochs)
    return Trained(
        retrieval,
        ranking,
        validated_retrieval,
        validated_ranking,
        retrieval_progress,
        ranking_progress,
        order,
    )
