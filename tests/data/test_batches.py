from __future__ import annotations

import numpy as np
import tensorflow as tf

from recommender.data.batches import InGraph, InMemory, batches

ARRAYS = {"x": np.arange(10), "y": np.arange(20).reshape(10, 2)}


def passes(**options) -> list[np.ndarray]:
    return [batch["x"].numpy() for batch in batches(ARRAYS, 4, **options)]


def test_rows_come_in_order_and_stay_together() -> None:
    found = list(batches(ARRAYS, 4))
    assert [batch["x"].numpy().tolist() for batch in found] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    np.testing.assert_array_equal(np.concatenate([batch["y"] for batch in found]), ARRAYS["y"])


def test_every_pass_is_a_permutation_of_all_rows() -> None:
    assert sorted(np.concatenate(passes(shuffle_seed=1))) == list(range(10))
    assert np.concatenate(passes(shuffle_seed=1)).tolist() != list(range(10))


def test_the_order_depends_on_seed_and_epoch_alone() -> None:
    epoch = tf.Variable(0, dtype=tf.int64)
    dataset = batches(ARRAYS, 10, shuffle_seed=1, epoch=epoch)
    first, again = (next(iter(dataset))["x"].numpy().tolist() for _ in range(2))
    epoch.assign(1)
    second = next(iter(dataset))["x"].numpy().tolist()
    assert first == again == np.concatenate(passes(shuffle_seed=1)).tolist()
    assert second != first
    assert np.concatenate(passes(shuffle_seed=2)).tolist() != first


def in_graph(epochs: InGraph, epoch: int) -> list[dict[str, np.ndarray]]:
    """The batches of an epoch, each asked for in a graph."""
    rest, ask = iter(epochs.part(epoch, 0)), tf.function(lambda rest: next(rest))
    return [{name: column.numpy() for name, column in ask(rest).items()} for _ in range(*epochs.steps(epoch))]


def test_a_graph_gathers_what_a_data_set_gives_each_row_once_and_the_last_batch_smaller() -> None:
    gathered, read = (kind(ARRAYS, 4, 1, 3) for kind in (InGraph, InMemory))
    for epoch in (0, 1, 5):
        found = in_graph(gathered, epoch)
        assert [len(batch["x"]) for batch in found] == [4, 4, 2]
        assert sorted(np.concatenate([batch["x"] for batch in found])) == list(range(10))
        for batch, expected in zip(found, read.part(epoch, 0), strict=True):
            for name in ARRAYS:
                np.testing.assert_array_equal(batch[name], expected[name])


def test_a_pass_that_was_given_up_is_begun_anew_from_its_first_row() -> None:
    epochs = InGraph(ARRAYS, 4, 1, 3)
    whole = in_graph(epochs, 2)
    next(iter(epochs.part(2, 0)))
    again = in_graph(epochs, 2)
    assert [batch["x"].tolist() for batch in again] == [batch["x"].tolist() for batch in whole]
