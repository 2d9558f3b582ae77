from __future__ import annotations

import numpy as np
import tensorflow as tf

from recommender.models.affinity import RatedNeighbours, taste
from recommender.models.embedding import History

RANDOM = np.random.default_rng(0)
BATCH, LENGTH, SIZE = 3, 5, 4


def history(lengths: list[int]) -> History:
    mask = (np.arange(LENGTH) < np.array(lengths)[:, None]).astype(np.float32)

    def values(*shape: int) -> np.ndarray:
        return RANDOM.normal(size=shape).astype(np.float32)

    deviations, ages = values(BATCH, LENGTH) * mask, np.abs(values(BATCH, LENGTH)) * mask
    movies = values(BATCH, LENGTH, SIZE)  # padding has an embedding too: the mask must keep it out
    return History(*map(tf.constant, (movies, deviations, deviations, ages, mask)))


def test_taste_is_the_deviation_weighted_sum_over_the_root_of_the_count() -> None:
    shown = history([0, 2, 5])
    found = taste(shown).numpy()
    for row, length in enumerate([0, 2, 5]):
        expected = np.zeros(SIZE)
        for position in range(length):
            expected += shown.deviations[row, position].numpy() * shown.movies[row, position].numpy()
        np.testing.assert_allclose(found[row], expected / np.sqrt(1 + length), atol=1e-6)


def test_neighbours_equal_attention_written_as_loops() -> None:
    shown, layer = history([0, 2, 5]), RatedNeighbours(2)
    candidate = tf.constant(RANDOM.normal(size=(BATCH, SIZE)).astype(np.float32))
    found = layer(candidate, shown).numpy()
    query, key, decay = (weight.numpy() for weight in (layer.query, layer.key, layer.decay))
    for row, length in enumerate([0, 2, 5]):
        for head in range(2):
            logits = np.array(
                [
                    (candidate[row].numpy() @ query[:, head])
                    @ (shown.movies[row, position].numpy() @ key[:, head])
                    / np.sqrt(SIZE)
                    - np.log1p(np.exp(decay[head])) * shown.ages[row, position].numpy()
                    for position in range(length)
                ]
            )
            weights = np.exp(logits) / np.exp(logits).sum()
            np.testing.assert_allclose(
                found[row, head], weights @ shown.deviations[row, :length].numpy(), atol=1e-5
            )
            np.testing.assert_allclose(found[row, 2 + head], (weights**2).sum(), atol=1e-5)


def test_nobody_has_neighbours_without_a_history() -> None:
    found = RatedNeighbours(2)(tf.ones([BATCH, SIZE]), history([0, 0, 0])).numpy()
    np.testing.assert_array_equal(found, np.zeros((BATCH, 4)))
