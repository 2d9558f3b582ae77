from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from recommender.config import Settings, read_preset, resolve
from recommender.data.encode import Arrays
from recommender.data.prepared import Prepared
from recommender.metrics.like import log_loss
from recommender.scoreboard import DEEP_RANKING, rating_metrics
from recommender.training import Trained
from recommender.training import ranking as training
from recommender.training.implicit import SampledNegatives
from recommender.training.ranking import predict, ranking_examples, ranking_rows, train_ranking

USER_SIDE = ("gender", "age", "user_count", "top_genres", "history_movies", "history_ages")


def with_negatives(settings: Settings, sampling: str) -> Settings:
    features = read_preset("mlp")["ranking"]["features"]  # nearly all that there are
    options = [
        "ranking.negatives=3", f"ranking.negative_sampling={sampling}", f"ranking.features={features}",
    ]  # fmt: skip
    return resolve(settings.model_dump(mode="json"), ["ranking.objective=implicit", *options], {})


@pytest.fixture(params=["uniform", "popularity"])
def implicit(request: pytest.FixtureRequest, settings: Settings) -> Settings:
    return with_negatives(settings, request.param)


def expanded(settings: Settings, prepared: Prepared, split: str) -> tuple[Arrays, Arrays]:
    """All rows of a split before and after its negatives were added."""
    rows = ranking_rows(settings, prepared, split)
    whole = rows.negatives.expand({name: tf.constant(values) for name, values in rows.arrays.items()})
    found = {name: values.numpy().reshape(-1, 4, *values.shape[1:]) for name, values in whole.items()}
    np.testing.assert_array_equal(found["interacted"].ravel(), rows.target)
    return rows.arrays, found


def test_each_rating_is_followed_by_movies_that_its_user_has_not_rated_so_far(
    implicit: Settings, prepared: Prepared
) -> None:
    interactions = prepared.interactions
    for split, so_far in (("train", ["train"]), ("validation", ["train", "validation"])):
        before, after = expanded(implicit, prepared, split)
        np.testing.assert_array_equal(after["interacted"], np.eye(4)[:1].repeat(len(before["row"]), axis=0))
        user = interactions.part(split).user
        rated = interactions.part(*so_far).matrix().toarray()
        assert not rated[user[:, np.newaxis], after["movie_id"][:, 1:] - 1].any()
        for name, values in before.items():
            if name not in ("row", "rating"):
                np.testing.assert_array_equal(after[name][:, 0], values)


def test_a_drawn_movie_is_seen_by_the_same_user_at_the_same_second(
    implicit: Settings, prepared: Prepared
) -> None:
    before, after = expanded(implicit, prepared, "validation")
    for name in USER_SIDE:
        for negative in (1, 2, 3):
            np.testing.assert_array_equal(after[name][:, negative], before[name])


def test_a_drawn_movie_has_the_count_and_mean_that_it_had_then(
    implicit: Settings, prepared: Prepared
) -> None:
    interactions, rng = prepared.interactions, np.random.default_rng(0)
    _, after = expanded(implicit, prepared, "validation")
    timestamps = interactions.part("validation").timestamp
    for row in rng.integers(0, len(timestamps), 100):
        for negative in (1, 2, 3):
            movie = after["movie_id"][row, negative] - 1
            earlier = interactions.rating[
                (interactions.movie == movie) & (interactions.timestamp < timestamps[row])
            ]
            assert after["movie_count"][row, negative] == len(earlier)
            mean = after["movie_mean"][row, negative]
            assert mean == pytest.approx(earlier.mean()) if len(earlier) else np.isnan(mean)


def test_every_epoch_draws_anew_and_one_seed_the_same(implicit: Settings, prepared: Prepared) -> None:
    rows = ranking_rows(implicit, prepared, "train")

    def drawn(*seed: int) -> np.ndarray:
        rows.negatives.draw(*seed)
        columns = {name: tf.constant(values[:200]) for name, values in rows.arrays.items()}
        return rows.negatives.expand(columns)["movie_id"].numpy()

    np.testing.assert_array_equal(drawn(1, 0), drawn(1, 0))
    assert not np.array_equal(drawn(1, 0), drawn(1, 1))
    assert not np.array_equal(drawn(1, 0), drawn(2, 0))


@pytest.mark.slow
def test_a_fit_learns_to_tell_ratings_from_drawn_movies(
    settings: Settings, prepared: Prepared, tmp_path: Path
) -> None:
    implicit = with_negatives(settings, "uniform")
    model, progress = train_ranking(implicit, prepared, tmp_path)
    rows = ranking_rows(implicit, prepared, "validation")
    probability = predict(model, rows.arrays, rows.negatives)
    assert ((probability > 0) & (probability < 1)).all()
    assert log_loss(probability, rows.target) == pytest.approx(min(progress.validation))
    know_nothing = log_loss(np.full(len(rows.target), 0.25), rows.target)
    assert min(progress.validation) < know_nothing

    again, _ = train_ranking(implicit, prepared, tmp_path)  # only loads
    examples = ranking_examples(implicit, prepared, "test")
    np.testing.assert_array_equal(predict(again, examples), predict(model, examples))

    report = rating_metrics(implicit, prepared, Trained(None, model, None, model, None, progress, None))[
        DEEP_RANKING
    ]
    assert report["validation"]["log_loss"] == pytest.approx(min(progress.validation))
    assert set(report["test"]) == {"ratings", "auc", "log_loss"}


def test_a_batch_of_ratings_and_their_negatives_has_the_batch_size_and_epochs_have_seeds(
    settings: Settings, prepared: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = with_negatives(settings, "uniform")
    called: dict[str, Any] = {}
    monkeypatch.setattr(training, "fit", lambda *given, **named: called.update(named, settings=given[3]))
    monkeypatch.setattr(SampledNegatives, "draw", lambda self, *seed: called.update(seed=seed))
    train_ranking(settings, prepared, tmp_path)
    assert called["settings"].batch_size == 256 // 4
    called["before_epoch"](7)
    assert called["seed"] == (settings.seed, 7)
