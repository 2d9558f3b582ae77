from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_recommenders as tfrs
from head_conformance import HeadConformance
from tiny_embedded import SPEC, dense, normal, relu_layers, side_by_side, tiny_embedded

from recommender.models.heads.dcn import CrossLayer, DCNHead


class TestDCNHead(HeadConformance):
    head = "dcn"
    options: ClassVar[dict[str, Any]] = {"hidden": [16, 8], "dropout": 0.0}


class TestParallelLowRankDCNHead(HeadConformance):
    head = "dcn"
    options: ClassVar[dict[str, Any]] = {
        "hidden": [16, 8],
        "dropout": 0.0,
        "rank": 3,
        "structure": "parallel",
    }


X0, X = normal(6, 4), normal(6, 4)


def test_a_cross_layer_is_the_input_times_a_linear_map_plus_what_came_before() -> None:
    layer = CrossLayer()
    layer(X0, X)
    weight, bias = normal(4, 4), normal(4)
    layer.dense.set_weights([weight, bias])
    for row in range(6):
        expected = X0[row] * (weight.T @ X[row] + bias) + X[row]
        np.testing.assert_allclose(layer(X0, X)[row], expected, rtol=1e-4, atol=1e-6)


def test_a_narrow_cross_layer_is_a_full_one_of_the_product_of_its_matrices() -> None:
    full, narrow = CrossLayer(), CrossLayer(rank=2)
    full(X0, X), narrow(X0, X)
    v, u, bias = normal(4, 2), normal(2, 4), normal(4)
    narrow.narrow.set_weights([v])
    narrow.dense.set_weights([u, bias])
    full.dense.set_weights([v @ u, bias])
    np.testing.assert_allclose(narrow(X0, X), full(X0, X), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("rank", [None, 2])
def test_a_cross_layer_agrees_with_that_of_tensorflow_recommenders(rank: int | None) -> None:
    ours, theirs = CrossLayer(rank), tfrs.layers.dcn.Cross(projection_dim=rank)
    ours(X0, X), theirs(tf.constant(X0), tf.constant(X))
    ours.set_weights(theirs.get_weights())
    np.testing.assert_allclose(ours(X0, X), theirs(tf.constant(X0), tf.constant(X)), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("structure", ["stacked", "parallel"])
def test_the_network_follows_the_crosses_or_stands_beside_them(structure: str) -> None:
    inputs = tiny_embedded()
    head = DCNHead(cross_layers=2, hidden=[6], structure=structure, dropout=0.0, spec=SPEC)
    found = head(inputs)
    x0 = crossed = side_by_side(inputs)
    for layer in head.crosses:
        crossed = x0 * dense(layer.dense, crossed) + crossed
    if structure == "stacked":
        last = relu_layers(head.deep.hidden, crossed)
    else:
        last = np.concatenate([crossed, relu_layers(head.deep.hidden, x0)], axis=1)
    np.testing.assert_allclose(found, dense(head.score, last)[:, 0], rtol=1e-3, atol=1e-5)
