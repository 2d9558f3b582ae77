from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from recommender.models.ridge_fold_in import RidgeFoldIn, solve_positive_definite

BATCH, LENGTH, SIZE = 4, 7, 3
SCALES = [0.5, 1.0, 2.0]


@pytest.fixture
def inputs() -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)
    precision = random.uniform(0.5, 2.0, (BATCH, LENGTH))
    precision[1, 4:] = 0.0  # padding
    precision[2] = 0.0  # a user without ratings
    columns = {
        "columns": random.normal(size=(BATCH, LENGTH, SIZE)),
        "target": random.normal(size=(BATCH, LENGTH)),
        "precision": precision,
        "candidate": random.normal(size=(BATCH, SIZE)),
        "prior_mean": random.normal(size=(BATCH, SIZE)),
    }
    return {name: values.astype(np.float32) for name, values in columns.items()}


def test_it_is_the_posterior_of_a_linear_regression(inputs) -> None:
    folded = RidgeFoldIn(SCALES)(**inputs)
    for row in range(BATCH):
        columns, target, precision, candidate, prior = (
            values[row].astype(float) for values in inputs.values()
        )
        matrix = np.diag(1 / np.square(SCALES))
        shift = matrix @ (prior * SCALES)
        for rated in range(LENGTH):
            matrix += precision[rated] * np.outer(columns[rated], columns[rated])
            shift += precision[rated] * target[rated] * columns[rated]
        coefficients = np.linalg.solve(matrix, shift)
        assert folded.prediction[row].numpy() == pytest.approx(candidate @ coefficients, abs=1e-5)
        assert folded.variance[row].numpy() == pytest.approx(
            candidate @ np.linalg.inv(matrix) @ candidate, rel=1e-4
        )
        np.testing.assert_allclose(folded.residuals[row], target - columns @ coefficients, atol=1e-5)


def test_one_users_columns_serve_all_candidates(inputs) -> None:
    shared = {name: values[:1] for name, values in inputs.items() if name in ("columns", "target")}
    repeated = {name: values.repeat(BATCH, axis=0) for name, values in shared.items()}
    found = RidgeFoldIn(SCALES)(**(inputs | shared))
    for ours, expected in zip(found, RidgeFoldIn(SCALES)(**(inputs | repeated)), strict=True):
        np.testing.assert_allclose(ours, expected, rtol=1e-4, atol=1e-5)


def test_without_ratings_the_prior_speaks(inputs) -> None:
    folded = RidgeFoldIn(SCALES)(**inputs)
    scaled = inputs["candidate"][2] * SCALES
    assert folded.prediction[2].numpy() == pytest.approx(scaled @ inputs["prior_mean"][2], abs=1e-6)
    assert folded.variance[2].numpy() == pytest.approx(scaled @ scaled, rel=1e-5)


def test_what_is_padded_does_not_count(inputs) -> None:
    before = RidgeFoldIn(SCALES)(**inputs)
    inputs["columns"][1, 4:] = 100.0
    inputs["target"][1, 4:] = 100.0
    after = RidgeFoldIn(SCALES)(**inputs)
    np.testing.assert_allclose(after.prediction, before.prediction, atol=1e-6)


def test_the_gradient_of_the_solution_is_that_of_finite_differences() -> None:
    random = np.random.default_rng(0)
    root, right = random.normal(size=(2, 4, 4)), random.normal(size=(2, 4, 2))

    def solve(root: tf.Tensor, right: tf.Tensor) -> tf.Tensor:
        matrix = tf.matmul(root, root, transpose_b=True) + 2.0 * tf.eye(4, dtype=tf.float64)
        return solve_positive_definite(matrix, right)

    theory, numeric = tf.test.compute_gradient(solve, [tf.constant(root), tf.constant(right)])
    for expected, found in zip(numeric, theory, strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-6)


def test_scales_learn_what_users_differ_in() -> None:
    random = np.random.default_rng(0)
    columns = random.normal(size=(512, 9, 2)).astype(np.float32)
    liking = random.normal(size=(512, 2)) * [1.0, 0.05]
    rated = np.einsum("bln,bn->bl", columns, liking) + random.normal(0, 0.5, (512, 9))
    rated = rated.astype(np.float32)
    layer, optimizer = RidgeFoldIn([0.3, 0.3]), tf.keras.optimizers.Adam(0.05)
    ones, nothing = tf.fill([512, 8], 4.0), tf.zeros([512, 2])
    for _ in range(60):
        with tf.GradientTape() as tape:
            folded = layer(columns[:, :8], rated[:, :8], ones, columns[:, 8], nothing)
            loss = tf.reduce_mean(tf.square(folded.prediction - rated[:, 8]))
        gradients = tape.gradient(loss, layer.trainable_variables)
        optimizer.apply_gradients(zip(gradients, layer.trainable_variables, strict=True))
    scales = np.exp(layer.log_scale)
    assert scales[0] > 0.5
    assert scales[1] < 0.15
