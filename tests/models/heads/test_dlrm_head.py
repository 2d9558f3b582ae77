from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import tensorflow as tf
from head_conformance import HeadConformance
from tiny_embedded import BATCH, SIZE, SPEC, dense, relu_layers, taste, tiny_embedded

from recommender.models.embedding import Embedded, EmbeddedSpec
from recommender.models.heads.dlrm import DLRMHead


class TestDLRMHead(HeadConformance):
    head = "dlrm"
    options: ClassVar[dict[str, Any]] = {"bottom": [16, 8], "top": [16, 8]}


def test_the_score_is_the_top_network_over_numbers_and_every_dot_product() -> None:
    inputs, head = tiny_embedded(), DLRMHead([6], [5], spec=SPEC)
    found = head(inputs).numpy()
    tastes = taste(inputs)
    for row in range(BATCH):
        numeric = relu_layers(head.bottom.hidden, inputs.numeric.numpy()[row : row + 1])[0]
        vectors = [numeric, *(value[row].numpy() for value in inputs.embeddings.values()), tastes[row]]
        dots = [vectors[i] @ vectors[j] for i in range(len(vectors)) for j in range(i)]
        top = relu_layers(head.top.hidden, np.concatenate([numeric, dots])[None])
        np.testing.assert_allclose(found[row], dense(head.score, top)[0, 0], rtol=1e-4, atol=1e-6)


def test_one_number_and_one_movie_come_to_what_they_do_on_paper() -> None:
    head = DLRMHead([], [1], spec=EmbeddedSpec((), {}, 2))
    inputs = Embedded({"movie_id": tf.constant([[3.0, 4.0]])}, tf.constant([[2.0]]), None, {}, {})
    head(inputs)
    head.bottom.set_weights([np.array([[1.0, 0.5]]), np.zeros(2)])  # 2 -> (2, 1)
    head.top.set_weights(
        [np.array([[1.0], [1.0], [0.1]]), np.array([0.5])]
    )  # 2 + 1 + (2 * 3 + 1 * 4) / 10 + 1 / 2
    head.score.set_weights([np.array([[2.0]]), np.array([-1.0])])
    np.testing.assert_allclose(head(inputs), [8.0], rtol=1e-6)


def test_the_sizes_of_the_paper_are_the_defaults() -> None:
    head = DLRMHead(spec=SPEC)
    head(tiny_embedded())
    assert [layer.units for layer in head.bottom.hidden] == [512, 256, SIZE]
    assert [layer.units for layer in [*head.top.hidden, head.score]] == [512, 512, 256, 1]
