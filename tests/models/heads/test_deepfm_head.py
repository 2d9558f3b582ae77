from __future__ import annotations

import itertools
from typing import Any, ClassVar

import numpy as np
from head_conformance import HeadConformance
from tiny_embedded import BATCH, SIZE, SPEC, relu_layers, taste, tiny_embedded

from recommender.models.heads.deepfm import DeepFMHead


class TestDeepFMHead(HeadConformance):
    head = "deepfm"
    options: ClassVar[dict[str, Any]] = {"hidden": [16, 8], "dropout": 0.0}


def test_the_score_is_linear_terms_and_dot_products_of_all_pairs_of_fields_and_a_network() -> None:
    inputs, head = tiny_embedded(), DeepFMHead([6], dropout=0.0, spec=SPEC)
    head(inputs)
    head.linear.table.set_weights([np.arange(len(head.linear.table.get_weights()[0]))[:, None] / 10])
    found = head(inputs).numpy()
    vectors, tastes, numeric = head.numeric_vectors.numpy(), taste(inputs), inputs.numeric.numpy()
    for row in range(BATCH):
        fields = [value[row].numpy() for value in inputs.embeddings.values()] + [tastes[row]]
        fields += [numeric[row, column] * vectors[column] for column in range(numeric.shape[1])]
        pairs = sum(a @ b for a, b in itertools.combinations(fields, 2))
        flat = np.concatenate(fields)[None]
        assert flat.shape == (1, (5 + 1 + 2) * SIZE)
        deep = (relu_layers(head.deep.hidden, flat) @ head.score.kernel.numpy())[0, 0]
        linear = head.linear(inputs.indices)[row] + head.numeric_linear(inputs.numeric)[row, 0]
        np.testing.assert_allclose(found[row], linear + pairs + deep, rtol=1e-4)
