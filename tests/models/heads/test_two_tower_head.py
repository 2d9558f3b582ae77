from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import tensorflow as tf
from head_conformance import HeadConformance
from tiny_embedded import SPEC, dense, relu_layers, taste, tiny_embedded

from recommender.models.heads.two_tower import TwoTowerHead


class TestTwoTowerHead(HeadConformance):
    head = "two_tower"
    options: ClassVar[dict[str, Any]] = {"hidden": [16], "size": 8, "dropout": 0.0}


def test_the_score_is_the_dot_product_of_what_each_tower_makes_of_its_side() -> None:
    inputs, head = tiny_embedded(), TwoTowerHead([6], size=3, dropout=0.0, spec=SPEC)
    found = head(inputs)
    of = {name: value.numpy() for name, value in inputs.embeddings.items()}
    age, movie_count = inputs.numeric.numpy()[:, :1], inputs.numeric.numpy()[:, 1:]
    user = np.concatenate([of["user_id"], of["gender"], of["liked_movies"], age, taste(inputs)], axis=1)
    movie = np.concatenate([of["movie_id"], of["genres"], movie_count], axis=1)
    user = dense(head.user_vector, relu_layers(head.user_layers.hidden, user))
    movie = dense(head.movie_vector, relu_layers(head.movie_layers.hidden, movie))
    np.testing.assert_allclose(found, (user * movie).sum(axis=1), rtol=1e-4, atol=1e-6)


def test_nothing_of_the_user_reaches_the_movies_vector() -> None:
    inputs, other, head = tiny_embedded(), tiny_embedded(), TwoTowerHead(spec=SPEC)
    movies = {name: inputs.embeddings[name] for name in ("movie_id", "genres")}
    numeric = tf.concat([other.numeric[:, :1], inputs.numeric[:, 1:]], axis=1)
    other = other._replace(embeddings=other.embeddings | movies, numeric=numeric)
    np.testing.assert_array_equal(head.movie_inputs(inputs), head.movie_inputs(other))
    assert not np.allclose(head.user_inputs(inputs), head.user_inputs(other))


def test_a_side_without_numbers_is_its_embeddings_alone() -> None:
    spec = SPEC._replace(features=tuple(feature for feature in SPEC.features if feature.kind != "numeric"))
    inputs = tiny_embedded()._replace(numeric=tf.zeros([3, 0]))
    assert np.isfinite(TwoTowerHead(spec=spec)(inputs)).all()
