"""Fitting both models of the recommender."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from recommender.config import Settings
from recommender.data.prepared import Prepared
from recommender.models.ranking import RankingModel
from recommender.models.retrieval import RetrievalModel
from recommender.training.fit import Progress
from recommender.training.ranking import train_ranking
from recommender.training.retrieval import train_retrieval


@dataclass(frozen=True)
class Trained:
    """Both fitted models, with the weights that validated best, and how their fits went."""

    retrieval: RetrievalModel
    ranking: RankingModel
    retrieval_progress: Progress
    ranking_progress: Progress


def train(settings: Settings, prepared: Prepared, run_folder: Path) -> Trained:
    """Fit retrieval, then ranking; the same call on the same folder goes on from there, or only loads.

    Leaves checkpoints and TensorBoard curves in `<run_folder>/retrieval` and `<run_folder>/ranking`.
    """
    retrieval, retrieval_progress = train_retrieval(settings, prepared, run_folder / "retrieval")
    ranking, ranking_progress = train_ranking(settings, prepared, run_folder / "ranking")
    return Trained(retrieval, ranking, retrieval_progress, ranking_progress)
