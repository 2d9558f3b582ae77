"""How well ratings of movies are predicted that training has not seen, and what genres and year do for it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommender.config import Settings
from recommender.data.prepared import Prepared
from recommender.evaluation.clustered import clustered_mean
from recommender.evaluation.new_movies import with_exchanged_movies
from recommender.metrics.rating import rmse
from recommender.models.ranking import RankingModel
from recommender.scoreboard import DEEP_RANKING
from recommender.training.ranking import predict, ranking_examples
from recommender.trust.predictions import RIVAL, Predictions

EXCHANGES = 20
EXCHANGED = f"{DEEP_RANKING}_with_another_movie"
COMPARED = (DEEP_RANKING, RIVAL, "global_mean")


def measure_new_movies(
    settings: Settings, prepared: Prepared, model: RankingModel, predictions: Predictions
) -> dict[str, Any]:
    """RMSE on test ratings of movies without a training rating: `all` of them, and `first` ones.

    A movie's first rating finds nobody who has rated it before: the model knows its genres and year only.
    Beside it the same model where these are those of another unseen movie, mean of 20 exchanges.
    """
    test = prepared.interactions.part("test")
    unseen = test.movie >= prepared.schema.known_movies
    first = unseen & (prepared.column("movie_count", "test") == 0)
    examples = ranking_examples(settings, prepared, "test")
    report: dict[str, dict[str, Any]] = {}
    for name, rows in (("all", unseen), ("first", first)):
        movies = len(np.unique(test.movie[rows]))
        report[name] = {"ratings": int(np.count_nonzero(rows)), "movies": movies}
        if movies > 1:
            rating, user = test.rating[rows], test.user[rows]
            models = {each: _error(predictions["test"][each][rows], rating, user) for each in COMPARED}
            shown = {column: array[rows] for column, array in examples.items()}
            exchanged = [predict(model, with_exchanged_movies(shown, seed)) for seed in range(EXCHANGES)]
            models[EXCHANGED] = {"rmse": float(np.mean([rmse(each, rating) for each in exchanged]))}
            report[name]["models"] = models
    return report


def _error(
    predicted: NDArray[np.floating], rating: NDArray[np.floating], user: NDArray[np.integer]
) -> dict[str, Any]:
    error = predicted.astype(np.float64) - rating
    found = clustered_mean(error**2, user, int(user.max()) + 1).root()
    return {"rmse": found.value, "rmse_interval": found.interval()}
