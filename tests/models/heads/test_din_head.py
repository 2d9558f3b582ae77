from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import tensorflow as tf
from head_conformance import HeadConformance
from tiny_embedded import BATCH, LENGTHS, SIZE, SPEC, dense, normal, relu_layers, tiny_embedded, tiny_history

from recommender.models.heads.din import DINHead, Interest


class TestDINHead(HeadConformance):
    head = "din"
    options: ClassVar[dict[str, Any]] = {"unit": [8], "hidden": [16, 8], "dropout": 0.0}


def test_the_interest_in_one_rated_movie_is_that_movie_times_what_the_unit_says() -> None:
    history, candidate, layer = tiny_history(), normal(BATCH, SIZE), Interest([6], "relu")
    row = LENGTHS.index(1)
    found = layer(tf.constant(candidate), history).numpy()[row]
    movie = history.movies[row, 0].numpy()
    numbers = [history.deviations[row, 0], history.ages[row, 0]]
    seen = np.concatenate([movie, candidate[row], movie * candidate[row], numbers])[None]
    weight = dense(layer.weight, relu_layers(layer.unit.hidden, seen))[0, 0]
    np.testing.assert_allclose(found, weight * movie / np.sqrt(2), rtol=1e-4, atol=1e-6)


def test_the_interest_is_the_sum_over_the_history_without_its_padding() -> None:
    history, candidate, layer = tiny_history(), tf.constant(normal(BATCH, SIZE)), Interest([6], "relu")
    weights = layer.weights_of(candidate, history).numpy()
    found = layer(candidate, history).numpy()
    for row, length in enumerate(LENGTHS):
        expected = sum(
            (weights[row, i] * history.movies[row, i].numpy() for i in range(length)), np.zeros(SIZE)
        )
        np.testing.assert_allclose(found[row], expected / np.sqrt(1 + length), rtol=1e-4, atol=1e-6)
    assert not found[LENGTHS.index(0)].any()


def test_the_candidate_decides_which_rated_movies_matter() -> None:
    inputs, head = tiny_embedded(), DINHead(spec=SPEC)
    head(inputs)
    weights = head.attention.weights_of(inputs.embeddings["movie_id"], inputs.history)
    others = head.attention.weights_of(tf.constant(normal(BATCH, SIZE)), inputs.history)
    assert not np.allclose(weights, others)
