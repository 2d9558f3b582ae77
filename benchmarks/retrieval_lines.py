"""Lines on rankings of the whole catalogue: retrieval alone, both stages as one system, and the peers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from markov_linear import choose_weight, fit_markov_linear

from recommender.config import Settings
from recommender.data.prepared import Prepared
from recommender.evaluation.ranking import Scorer, evaluate_ranking
from recommender.models.baselines import fit_top_k_baselines
from recommender.models.baselines.ease import fit_ease
from recommender.training import train
from recommender.training.final_order import two_stages
from recommender.training.retrieval import RetrievalScorer, fit_retrieval

Scores = dict[str, float]
WITH_HISTORY = "users with history"


def retrieval_model_scores(settings: Settings, prepared: Prepared, folder: Path) -> Scores:
    """All metrics of the retrieval model on the test split."""
    model = fit_retrieval(settings, prepared, folder / "retrieval").model
    return ranking_scores(settings, prepared, RetrievalScorer(model, prepared.snapshot("test")))


def final_list_scores(settings: Settings, prepared: Prepared, folder: Path) -> Scores:
    """The same of what retrieval finds and the final order orders."""
    trained = train(settings, prepared, folder)
    models = trained.retrieval, trained.ranking, trained.order
    return ranking_scores(settings, prepared, two_stages(settings, prepared, *models, "test"))


def retrieval_peer_scores(settings: Settings, prepared: Prepared, names: list[str]) -> dict[str, Scores]:
    """The same of the baselines and of Markov + EASE, by name; none if no names are asked for."""
    if not names:
        return {}
    known = prepared.interactions.before("test")
    half_life = settings.evaluation.half_life_days
    peers: dict[str, Scorer] = dict(fit_top_k_baselines(known, seed=settings.seed, half_life_days=half_life))
    peers["Markov + EASE"] = markov_and_ease(prepared, settings.evaluation.k[0])
    return {name: ranking_scores(settings, prepared, peer) for name, peer in peers.items()}


def markov_and_ease(prepared: Prepared, k: int) -> Scorer:
    """What was rated after what, and EASE; how they are weighed is chosen on validation."""
    earlier, known = (prepared.interactions.before(split) for split in ("validation", "test"))
    weight = choose_weight(earlier, prepared.interactions.part("validation"), fit_ease(earlier), k)
    return fit_markov_linear(known, fit_ease(known), weight)


def ranking_scores(settings: Settings, prepared: Prepared, scorer: Scorer) -> Scores:
    """Every metric of one scorer on the test split, movies known by then excluded.

    Of those that are means over users, `<metric>/users with history` leaves out those without known ratings.
    """
    known, test = prepared.interactions.before("test"), prepared.interactions.part("test")
    ks, rated = settings.evaluation.k, prepared.interactions
    report = evaluate_ranking(scorer, known, test, ks, rated=rated, seed=settings.seed)
    has_history = np.bincount(known.user, minlength=known.num_users)[report.users] > 0
    of_those = {
        f"{name}/{WITH_HISTORY}": float(np.nanmean(values[has_history]))
        for name, values in report.per_user.items()
    }
    return report.metrics | of_those
