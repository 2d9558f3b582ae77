"""Lines on ratings and likes: the ranking model of the settings, and the peers on the same splits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from biased_factorisation import fit_biased_factorisation
from lightgbm_rating import predict_with_lightgbm
from numpy.typing import NDArray

from recommender.config import Settings
from recommender.data.interactions import Interactions
from recommender.data.prepared import Prepared
from recommender.evaluation.calibration import fit_like_calibration
from recommender.evaluation.rating import evaluate_like
from recommender.metrics.rating import rmse
from recommender.models.baselines import fit_rating_baselines
from recommender.scoreboard import RatingPredictor
from recommender.training.ranking import fit_ranking, predict, ranking_examples

Scores = dict[str, float]
Splits = tuple[str, ...]


def ranking_model_scores(settings: Settings, prepared: Prepared, folder: Path) -> Scores:
    """Test RMSE of a model of ratings; AUC and log loss of one of likes."""
    model = fit_ranking(settings, prepared, folder / "ranking").model
    predicted = predict(model, ranking_examples(settings, prepared, "test"))
    return score(settings, prepared, predicted)


def score(settings: Settings, prepared: Prepared, predicted: NDArray) -> Scores:
    """What a line reads off the predictions of the test rows."""
    rating = prepared.interactions.part("test").rating
    if settings.ranking.objective == "rating":
        return {"rmse": rmse(predicted, rating)}
    report = evaluate_like(predicted, rating, prepared.schema.liked_threshold)
    return {name: report[name] for name in ("auc", "log_loss")}


def rating_peer_scores(settings: Settings, prepared: Prepared, names: list[str]) -> dict[str, Scores]:
    """The peers' test scores by name."""
    return {
        name: score(settings, prepared, predicted)
        for peer in names
        for name, predicted in RATING_PEERS[peer](settings, prepared).items()
    }


def _lightgbm(settings: Settings, prepared: Prepared) -> dict[str, NDArray]:
    return {"LightGBM": predict_with_lightgbm(settings, prepared, settings.ranking.objective)}


def _static(settings: Settings, prepared: Prepared) -> dict[str, NDArray]:
    """Peers that know users and movies by code: means, biases and a factorisation with biases."""
    fits = {"train": _fit(prepared, "train")}
    if settings.ranking.refit:
        fits["test"] = _fit(prepared, "train", "validation")
    return {
        name: _predict(settings, prepared, model, fits.get("test", fits["train"])[name])
        for name, model in fits["train"].items()
    }


def _fit(prepared: Prepared, *splits: str) -> dict[str, RatingPredictor]:
    known: Interactions = prepared.interactions.part(*splits)
    return {**fit_rating_baselines(known), "SVD": fit_biased_factorisation(known)}


def _predict(
    settings: Settings, prepared: Prepared, first: RatingPredictor, last: RatingPredictor
) -> NDArray:
    """Test predictions of `last`; likes by the calibration of `first` on the validation split."""
    test = prepared.interactions.part("test")
    predicted = last.predict(test.user, test.movie)
    if settings.ranking.objective == "rating":
        return predicted
    validation = prepared.interactions.part("validation")
    seen = first.predict(validation.user, validation.movie)
    return fit_like_calibration(seen, validation.rating, prepared.schema.liked_threshold)(predicted)


RATING_PEERS: dict[str, Callable[[Settings, Prepared], dict[str, NDArray]]] = {
    "static": _static,
    "lightgbm": _lightgbm,
}
