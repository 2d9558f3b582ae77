from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from recommender.config import Settings, read_preset, resolve
from recommender.data.prepared import Prepared
from recommender.models.shrunk_deviations import ShrunkDeviations
from recommender.training.ranking import build_ranking

COLUMNS = {
    "user_count": [0.0, 5.0, 0.0, 45.0],
    "user_deviation": [np.nan, 1.0, np.nan, -2.0],
    "movie_count": [0.0, 0.0, 15.0, 95.0],
    "movie_deviation": [np.nan, np.nan, 0.5, 1.0],
}


def columns() -> dict[str, tf.Tensor]:
    return {name: tf.constant(values, tf.float32) for name, values in COLUMNS.items()}


def test_begins_as_the_shrunken_means_and_knows_nothing_without_ratings(prepared: Prepared) -> None:
    user, movie = (prepared.schema.numeric[f"{side}_deviation"][0] for side in ("user", "movie"))
    expected = [
        0.0,
        5 / 10 * (1.0 - user),
        15 / 20 * (0.5 - movie),
        45 / 50 * (-2.0 - user) + 95 / 100 * (1.0 - movie),
    ]
    np.testing.assert_allclose(ShrunkDeviations(prepared.schema)(columns()), expected, rtol=1e-5, atol=1e-6)


def test_a_count_without_a_deviation_says_nothing(prepared: Prepared) -> None:
    layer, given = ShrunkDeviations(prepared.schema), columns()
    given["user_count"] = tf.constant([3.0, 5.0, 0.0, 45.0])
    np.testing.assert_array_equal(layer(given), layer(columns()))


def test_missing_deviations_do_not_break_the_gradient(prepared: Prepared) -> None:
    layer = ShrunkDeviations(prepared.schema)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(columns()) ** 2)
    gradients = tape.gradient(loss, layer.trainable_variables)
    assert len(gradients) == 4
    assert all(np.isfinite(gradient) and gradient != 0 for gradient in gradients)


@pytest.mark.parametrize(("dropped", "has"), [(set(), True), ({"movie_count"}, False)])
def test_the_ranking_model_uses_it_where_its_columns_are_features(
    dropped: set[str], has: bool, settings: Settings, prepared: Prepared
) -> None:
    features = [name for name in read_preset("mlp")["ranking"]["features"] if name not in dropped]
    options = ["ranking.head=mlp", f"ranking.features={features}"]
    model = build_ranking(resolve(settings.model_dump(mode="json"), options, {}), prepared)
    assert (model.deviations is not None) == has


def test_a_head_with_a_closed_form_of_its_own_does_without(settings: Settings, prepared: Prepared) -> None:
    options = [f"ranking.features={read_preset('mlp')['ranking']['features']}"]
    model = build_ranking(resolve(settings.model_dump(mode="json"), options, {}), prepared)
    assert model.head.has_closed_form
    assert model.deviations is None
