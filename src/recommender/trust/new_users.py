"""How well ratings of people are predicted whom training has not seen and who have rated little."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommender.config import Settings
from recommender.data.encode import Arrays
from recommender.data.features import FEATURES
from recommender.data.prepared import Prepared
from recommender.evaluation.clustered import clustered_mean
from recommender.evaluation.cold_start import rated_movies, with_last_ratings, without_demographics
from recommender.models.ranking import RankingModel
from recommender.scoreboard import DEEP_RANKING
from recommender.training.ranking import predict
from recommender.trust.predictions import RIVAL, model_columns, running_bias, running_statistics

NUMBERS = (0, 1, 3, 5)  # ratings that are known of a new user
ALL = "all"
ANONYMOUS = f"{DEEP_RANKING}_without_demographics"


def measure_new_users(settings: Settings, prepared: Prepared, model: RankingModel) -> dict[str, Any]:
    """RMSE on test ratings of unseen users with 0, 1, 3, 5 known ratings, with and without demographics.

    The rows are the same for every number: those of users whom training has not seen and who had given at
    least 5 ratings before; `all` is what is known in truth. Only `ratings` and `users` where there are none.
    """
    test, schema = prepared.interactions.part("test"), prepared.schema
    arrays = prepared.examples("test", FEATURES)
    rows = (test.user >= schema.known_users) & (arrays["user_count"] >= max(NUMBERS))
    user, rating = test.user[rows], test.rating[rows]
    report: dict[str, Any] = {"ratings": len(user), "users": len(np.unique(user))}
    if not len(user):
        return report
    movies = rated_movies(prepared.genre_matrix(), prepared.movies)
    arrays = {name: array[rows] for name, array in arrays.items()}
    known = {str(number): with_last_ratings(arrays, number, movies, schema) for number in NUMBERS}
    rival = running_bias(prepared)

    def errors(predicted: NDArray[np.floating]) -> dict[str, Any]:
        error = predicted.astype(np.float64) - rating
        rmse = clustered_mean(error**2, user, test.num_users).root()
        return {"rmse": rmse.value, "rmse_interval": rmse.interval()}

    def by_model(shown: Arrays) -> dict[str, Any]:
        columns = model_columns(settings, shown)
        return {
            DEEP_RANKING: errors(predict(model, columns)),
            ANONYMOUS: errors(predict(model, without_demographics(columns))),
            RIVAL: errors(rival.predict(running_statistics(shown))),
        }

    return report | {"known": {name: by_model(shown) for name, shown in (known | {ALL: arrays}).items()}}
