import math

import numpy as np
import pytest

from recommender.evaluation.clustered import clustered_mean


def clusters(rng: np.random.Generator, number: int, spread: float) -> tuple[np.ndarray, np.ndarray]:
    """Rows of `number` clusters of 1 to 30, whose means differ by `spread`."""
    sizes = rng.integers(1, 31, number)
    cluster = np.repeat(np.arange(number), sizes)
    return rng.normal(0, spread, number)[cluster] + rng.normal(1, 1, sizes.sum()), cluster


def test_with_one_row_a_cluster_it_is_the_textbook_standard_error_of_a_mean():
    values = np.random.default_rng(0).normal(3, 2, 50)
    estimate = clustered_mean(values, np.arange(50), 50)
    assert estimate.value == pytest.approx(values.mean())
    assert estimate.standard_error == pytest.approx(values.std(ddof=1) / math.sqrt(50))
    low, high = estimate.interval()
    assert (high - low) / 2 == pytest.approx(2.0096 * estimate.standard_error, rel=1e-4)  # t with 49 degrees


def test_repeating_every_row_tells_nothing_new():
    values, cluster = clusters(np.random.default_rng(1), 40, 1.0)
    once = clustered_mean(values, cluster, 40)
    thrice = clustered_mean(np.tile(values, 3), np.tile(cluster, 3), 40)
    assert thrice.standard_error == pytest.approx(once.standard_error)


def test_the_standard_errors_agree_with_a_bootstrap_of_whole_clusters():
    rng = np.random.default_rng(2)
    values, cluster = clusters(rng, 150, 0.7)
    first = cluster < 60

    def both(rows: np.ndarray) -> tuple[float, float]:
        a, b = rows[first[rows]], rows[~first[rows]]
        root = math.sqrt(np.mean(values[a] ** 2))
        return root, root - math.sqrt(np.mean(values[b] ** 2))

    rows_of = [np.flatnonzero(cluster == each) for each in range(150)]
    draws = [both(np.concatenate([rows_of[i] for i in rng.integers(0, 150, 150)])) for _ in range(2000)]
    spread = np.std(draws, axis=0, ddof=1)
    ours = clustered_mean(values[first] ** 2, cluster[first], 150).root()
    gap = ours - clustered_mean(values[~first] ** 2, cluster[~first], 150).root()
    assert (ours.value, gap.value) == pytest.approx(both(np.arange(len(values))))
    assert [ours.standard_error, gap.standard_error] == pytest.approx(spread, rel=0.08)


def test_a_difference_of_the_same_rows_is_certain_and_pairs_what_clusters_share():
    values, cluster = clusters(np.random.default_rng(3), 30, 1.0)
    mean = clustered_mean(values, cluster, 30)
    assert (mean - mean).standard_error == 0
    shifted = clustered_mean(
        values + 0.5 + np.random.default_rng(4).normal(0, 0.01, len(values)), cluster, 30
    )
    assert (shifted - mean).value == pytest.approx(0.5, abs=0.01)
    assert (shifted - mean).standard_error < 0.01 < mean.standard_error


def test_intervals_hold_the_truth_as_often_as_they_say():
    rng = np.random.default_rng(5)
    held = 0
    for _ in range(400):
        sizes = rng.integers(1, 20, 25)
        cluster = np.repeat(np.arange(25), sizes)
        values = rng.normal(0, 1, 25)[cluster] + rng.normal(0, 1, sizes.sum())
        low, high = clustered_mean(values, cluster, 25).interval()
        held += low <= 0 <= high
    assert 0.91 <= held / 400 <= 0.98


def test_it_is_the_jackknife_of_whole_clusters():
    values, cluster = clusters(np.random.default_rng(6), 12, 1.0)
    mean = values.mean()
    without = np.array([values[cluster != each].mean() for each in range(12)])
    expected = math.sqrt(11 / 12 * np.sum((without - mean) ** 2))
    assert clustered_mean(values, cluster, 12).standard_error == pytest.approx(expected)


def test_one_cluster_or_none_has_no_interval():
    alone = clustered_mean(np.array([1.0, 2.0]), np.array([1, 1]), 3)
    assert alone.value == 1.5
    assert np.isnan([alone.standard_error, *alone.interval(), *(alone - alone).interval()]).all()
    nothing = clustered_mean(np.zeros(0), np.zeros(0, int), 3)
    assert np.isnan([nothing.value, *nothing.interval(), *nothing.root().interval()]).all()
