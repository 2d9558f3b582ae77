from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from head_conformance import HeadConformance
from tiny_embedded import SPEC, dense, relu_layers, side_by_side, tiny_embedded

from recommender.models.heads.neumf import NeuMFHead


class TestNeuMFHead(HeadConformance):
    head = "neumf"
    options: ClassVar[dict[str, Any]] = {"gmf_size": 8, "hidden": [16, 8], "dropout": 0.0}
    more_features: ClassVar[list[str]] = ["user_id"]


def test_matrix_factorisation_is_the_elementwise_product_of_its_own_embeddings() -> None:
    inputs, head = tiny_embedded(), NeuMFHead(gmf_size=3, spec=SPEC)
    found = head.gmf(inputs).numpy()
    users, movies = head.users.embeddings.numpy(), head.movies.embeddings.numpy()
    assert (users.shape, movies.shape) == ((6, 3), (8, 3))
    expected = [users[1] * movies[1], users[5] * movies[7], users[0] * movies[3]]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_one_layer_scores_the_product_and_the_network() -> None:
    inputs, head = tiny_embedded(), NeuMFHead(gmf_size=3, hidden=[6, 2], spec=SPEC)
    found = head(inputs)
    network = relu_layers(head.mlp.hidden, side_by_side(inputs))
    expected = dense(head.score, np.concatenate([head.gmf(inputs), network], axis=1))[:, 0]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


def test_the_sizes_of_the_paper_are_the_defaults() -> None:
    head = NeuMFHead(spec=SPEC)
    head(tiny_embedded())
    assert [layer.units for layer in head.mlp.hidden] == [64, 32, 16, 8]
    assert head.users.output_dim == head.movies.output_dim == 32
    assert head.mlp.dropout.rate == 0.25
