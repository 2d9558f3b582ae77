"""Whether a trained recommender can be trusted: for whom it errs, what it is sure of, whom it shows.

Everything is measured on the test split and beside baselines, by models as they were trained: nothing here
fits or chooses anything but the calibration, which is fitted on validation.
"""

from __future__ import annotations

from typing import Any

from recommender.config import Settings
from recommender.data.prepared import Prepared
from recommender.errors import ConfigError
from recommender.evaluation.report import to_json
from recommender.training import Trained
from recommender.trust.lists import measure_lists
from recommender.trust.new_movies import measure_new_movies
from recommender.trust.new_users import measure_new_users
from recommender.trust.predictions import predict_test
from recommender.trust.ratings import measure_ratings


def measure(settings: Settings, prepared: Prepared, trained: Trained) -> dict[str, Any]:
    """Everything that docs/trust.md describes, as a tree of values that JSON has; undefined ones are None.

    `ratings`, `new_users` and `new_movies` are about the ranking model, `lists` about the retrieval model.
    Raises `ConfigError` for a ranking model that does not predict ratings.
    """
    objective = settings.ranking.objective
    if objective != "rating":
        raise ConfigError(
            f"ranking.objective: must be rating for errors in stars to be compared, received {objective!r}"
        )
    predictions = predict_test(settings, prepared, trained.ranking)
    return to_json(
        {
            "dataset": prepared.schema.dataset,
            "split": settings.data.split,
            "seed": settings.seed,
            "head": settings.ranking.head,
            "like_threshold": trained.ranking.like_threshold,
            "rating_scale": prepared.schema.rating_scale,
            "ratings": measure_ratings(prepared, predictions, trained.ranking.like_threshold),
            "new_users": measure_new_users(settings, prepared, trained.ranking),
            "new_movies": measure_new_movies(settings, prepared, trained.ranking, predictions),
            "lists": measure_lists(settings, prepared, trained.retrieval),
        }
    )
