from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from recommender.config import Settings
from recommender.data.prepared import Prepared
from recommender.training.ranking import build_ranking, predict, ranking_examples, validation_loss


def with_objective(settings: Settings, objective: str, like_threshold: str | None = None) -> Settings:
    threshold = None if like_threshold is None else float(like_threshold)
    ranking = settings.ranking.model_copy(update={"objective": objective, "like_threshold": threshold})
    return settings.model_copy(update={"ranking": ranking})


@pytest.mark.parametrize("objective", ["rating", "like", "like from 3.0", "implicit"])
def test_the_loss_is_the_sum_over_rows_by_the_batch(
    objective: str, settings: Settings, prepared: Prepared
) -> None:
    settings = with_objective(settings, *objective.split(" from "))
    model = build_ranking(settings, prepared)
    rows = {
        name: tf.constant(values[:50])
        for name, values in ranking_examples(settings, prepared, "test").items()
    }
    interacted = np.arange(50) % 6 == 0
    scores, rating = model(rows).numpy().astype(np.float64), rows["rating"].numpy()
    if objective == "rating":
        expected = np.mean((scores - rating) ** 2)
    else:
        probability = 1 / (1 + np.exp(-scores))
        threshold = 3 if objective == "like from 3.0" else 4
        label = interacted if objective == "implicit" else rating >= threshold
        expected = -np.mean(np.where(label, np.log(probability), np.log(1 - probability)))
        rows |= {"interacted": tf.constant(interacted, tf.float32)}
    assert model.compute_loss(rows).numpy() == pytest.approx(expected, rel=1e-5)


def test_two_replicas_add_up_to_the_loss_of_their_batch(
    settings: Settings, prepared: Prepared, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = build_ranking(settings, prepared)
    rows = {name: values[:8] for name, values in ranking_examples(settings, prepared, "test").items()}
    whole = model.compute_loss({name: tf.constant(values) for name, values in rows.items()}).numpy()
    monkeypatch.setattr(tf.distribute, "get_strategy", lambda: SimpleNamespace(num_replicas_in_sync=2))
    halves = (
        {name: tf.constant(values[half]) for name, values in rows.items()} for half in (slice(4), slice(4, 8))
    )
    assert sum(model.compute_loss(half).numpy() for half in halves) == pytest.approx(whole)


def test_predictions_stay_within_the_scale_and_likes_are_probabilities(
    settings: Settings, prepared: Prepared
) -> None:
    examples = ranking_examples(settings, prepared, "test")
    model = build_ranking(settings, prepared)
    model.schema = model.schema.model_copy(update={"rating_mean": 40.0})
    assert set(predict(model, examples)) == {5.0}
    liked = predict(build_ranking(with_objective(settings, "like"), prepared), examples)
    assert ((liked > 0) & (liked < 1)).all()


def test_validation_is_rmse_of_ratings_and_log_loss_of_the_rest(
    settings: Settings, prepared: Prepared
) -> None:
    rating = np.array([1.0, 4.0], np.float32)
    model = build_ranking(settings, prepared)
    assert validation_loss(np.array([2.0, 4.0], np.float32), rating, model) == pytest.approx(np.sqrt(0.5))
    model = build_ranking(with_objective(settings, "like"), prepared)
    expected = -(np.log(0.75) + np.log(0.5)) / 2
    assert validation_loss(np.array([0.25, 0.5], np.float32), rating, model) == pytest.approx(expected)
    model = build_ranking(with_objective(settings, "like", "4.5"), prepared)
    unliked = validation_loss(np.array([0.25, 0.25], np.float32), rating, model)
    assert unliked == pytest.approx(-np.log(0.75))
    model = build_ranking(with_objective(settings, "implicit"), prepared)
    interacted = np.array([True, False])
    assert validation_loss(np.array([0.75, 0.5], np.float32), interacted, model) == pytest.approx(expected)
