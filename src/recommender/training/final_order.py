"""Fitting the final order on the lists that retrieval gives for the validation split, and using it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from recommender.config import OrderSettings, Settings
from recommender.data.prepared import Prepared
from recommender.evaluation.two_stage import Codes, Scores, TwoStageScorer
from recommender.models.final_order import FinalOrder
from recommender.models.ranking import RankingModel
from recommender.models.retrieval import RetrievalModel
from recommender.training.list_preferences import ListPreferences
from recommender.training.listwise import fit_listwise
from recommender.training.validation_lists import (
    FITTED_ON,
    ValidationLists,
    candidate_lists,
    validation_lists,
)
from recommender.whole_files import write_whole

ORDER_FILE = "order.json"
K = 10  # the length of list by which fitted weights and the order of retrieval are compared


@dataclass(frozen=True)
class FittedOrder:
    """The order fitted on all of `lists` validation lists, and those fitted without each fold of users.

    `ndcg` has NDCG@10 on these lists, empty if none can be fitted: `retrieval`, `preference` (by the ranking
    model alone) and `fitted`, each user's list by the weights of the other folds. Where `fitted` is no better
    than `retrieval`, all orders are that of retrieval.
    """

    order: FinalOrder
    without_fold: tuple[FinalOrder, ...]
    lists: int
    ndcg: dict[str, float]

    def to_json(self) -> str:
        """Weights and figures."""
        return json.dumps(asdict(self), indent=1, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> FittedOrder:
        """What `to_json` gave."""
        content = json.loads(text)
        without_fold = tuple(FinalOrder(**fold) for fold in content.pop("without_fold"))
        return cls(FinalOrder(**content.pop("order")), without_fold, **content)


def train_order(
    settings: Settings, prepared: Prepared, retrieval: RetrievalModel, ranking: RankingModel, folder: Path
) -> FittedOrder:
    """Fit the final order of two fitted models; only loads what `folder` holds already.

    Neither model was fitted on validation ratings, so that there their scores are as good as they will be for
    new ones.
    """
    path = folder / ORDER_FILE
    if path.exists():
        return FittedOrder.from_json(path.read_text(encoding="utf-8"))
    lists = validation_lists(settings, prepared, retrieval, ranking)
    fitted = fit_order(lists, folds_of_users(settings, prepared)[lists.users], settings.order)
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(path, fitted.to_json())
    return fitted


def fit_order(lists: ValidationLists, folds: NDArray[np.integer], settings: OrderSettings) -> FittedOrder:
    """Fit weights on lists of users who are in the folds `(n,)`; see `FittedOrder` for what is chosen."""
    stays = FittedOrder(FinalOrder(), (FinalOrder(),) * settings.folds, len(lists.users), {})
    if not lists.relevant.any():
        return stays
    without_fold = tuple(_fit(lists.where(folds != fold), settings.l2) for fold in range(settings.folds))
    ndcg = {
        "retrieval": lists.ndcg(lists.features[..., 0], K),
        "preference": lists.ndcg(lists.features[..., 1], K),
        "fitted": lists.ndcg(_scores_across(lists, folds, without_fold), K),
    }
    if ndcg["fitted"] <= ndcg["retrieval"]:
        return replace(stays, ndcg=ndcg)
    return FittedOrder(_fit(lists, settings.l2), without_fold, len(lists.users), ndcg)


def two_stages(
    settings: Settings,
    prepared: Prepared,
    retrieval: RetrievalModel,
    ranking: RankingModel,
    fitted: FittedOrder,
    split: str,
) -> TwoStageScorer:
    """The final lists for `split`; on validation each user's by the order that was fitted without them."""
    snapshot = prepared.snapshot(split)
    preferences, counts = ListPreferences(ranking, snapshot), snapshot.users["user_count"]
    folds = folds_of_users(settings, prepared)

    def order(users: Codes, movies: Codes, retrieved: Scores) -> Scores:
        inputs = (retrieved, preferences(users, movies), counts[users, np.newaxis])
        tensors = [tf.constant(values) for values in inputs]
        if split != FITTED_ON:
            return fitted.order.scores(*tensors).numpy()
        by_fold = np.stack([each.scores(*tensors).numpy() for each in fitted.without_fold])
        return by_fold[folds[users], np.arange(len(users))]

    return TwoStageScorer(candidate_lists(settings, prepared, retrieval, split), order)


def folds_of_users(settings: Settings, prepared: Prepared) -> NDArray[np.int64]:
    """The fold of every user, `(num_users,)`, drawn by the seed."""
    users = np.random.default_rng(settings.seed).permutation(prepared.interactions.num_users)
    return users % settings.order.folds


def _fit(lists: ValidationLists, l2: float) -> FinalOrder:
    """The order that is best on these lists; without a relevant candidate that of retrieval."""
    prior = np.array(list(asdict(FinalOrder()).values()))
    features = lists.features.astype(np.float64)
    return FinalOrder(*fit_listwise(features, lists.present, lists.relevant, prior, l2).tolist())


def _scores_across(
    lists: ValidationLists, folds: NDArray[np.integer], without_fold: tuple[FinalOrder, ...]
) -> NDArray[np.float64]:
    """Scores `(n, c)` of each list by the weights that were fitted without its fold."""
    weights = np.array([list(asdict(order).values()) for order in without_fold])[folds]
    return np.einsum("ncf,nf->nc", lists.features, weights)
