from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from recommender.models.factor_table import FactorTable, content_columns
from recommender.models.item_factors import MovieFactors
from recommender.models.movie_embedding import MovieContent

CONTENT = MovieContent(np.eye(4, 2, dtype=np.float32), np.float32([[0.0], [0.5], [-1.5], [1.0]]))


def fit(seed: int) -> MovieFactors:
    random = np.random.default_rng(seed)
    covariance = np.tile(np.diag([0.1, 0.2]), (4, 1, 1))
    return MovieFactors(
        random.normal(size=4), random.normal(size=(4, 2)), random.random(4), covariance, np.arange(4), 0.5
    )


@pytest.fixture
def table() -> FactorTable:
    layer = FactorTable(CONTENT, 2, folds=2)
    layer.assign([fit(0), fit(1), fit(2)])
    return layer


def test_a_row_looks_into_the_table_of_its_fold(table) -> None:
    index = tf.constant([[1, 3], [3, 0], [2, 2]])
    found = table(index, tf.constant([2, 0, 1]))
    for row, fold in enumerate([2, 0, 1]):
        np.testing.assert_allclose(found.bias[row], fit(fold).bias[index[row]], rtol=1e-6)
        np.testing.assert_allclose(found.factors[row], fit(fold).factors[index[row]], rtol=1e-6)
        np.testing.assert_allclose(found.bias_variance[row], fit(fold).bias_variance[index[row]], rtol=1e-6)
    np.testing.assert_allclose(found.factor_variance, np.full((3, 2), 0.3), rtol=1e-6)
    np.testing.assert_allclose(found.log_count, np.log1p(index) / 5, rtol=1e-6)


def test_without_a_fold_it_is_the_full_fit(table) -> None:
    index = tf.constant([3, 1])
    np.testing.assert_array_equal(table(index).columns(), table(index, tf.constant([0, 0])).columns())
    assert not np.allclose(table(index).bias, table(index, tf.constant([1, 1])).bias)


def test_columns_are_all_that_is_known_with_a_one(table) -> None:
    columns = table(tf.constant([2])).columns().numpy()[0]
    of_fit = [1.0, np.log1p(2) / 5, fit(0).bias[2], *fit(0).factors[2]]
    np.testing.assert_allclose(columns, [*of_fit, *content_columns(CONTENT)[2]], rtol=1e-6)


def test_the_year_counts_twice_for_old_movies_only() -> None:
    np.testing.assert_array_equal(content_columns(CONTENT)[:, 2:], [[0, 0], [0.5, 0], [-1.5, -1.5], [1, 0]])


def test_tables_are_weights_that_nobody_trains(table) -> None:
    assert not table.trainable_variables
    assert len(table.variables) == 1
    with pytest.raises(ValueError, match="shape"):
        table.assign([replace(fit(0), bias=np.zeros(3))])
