"""Training from shards on disk, against training from memory."""

from __future__ import annotations

import gc
import json
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

import numpy as np
import pytest

from recommender.config import Settings, check, resolve
from recommender.data import feature_tables
from recommender.data.encode import Arrays
from recommender.data.features import FEATURES, Feature, select
from recommender.data.prepare import prepare
from recommender.data.prepared import Prepared
from recommender.errors import ConfigError, DataError, RecommenderError
from recommender.models.cross_fitting import fold_of_user
from recommender.models.heads.foldin import FOLD
from recommender.training import streaming
from recommender.training.fit import Progress
from recommender.training.item_factors import prepare_head
from recommender.training.placement.one_process import OneProcess
from recommender.training.ranking import (
    build_ranking,
    predict,
    ranking_rows,
    refit_ranking,
    train_ranking,
)
from recommender.training.streaming import StreamedEpochs, StreamedExamples, read_ahead

FEW = select(["user_id", "movie_id", "age"], "features")
KNOWN = ("train", "validation")
ENOUGH = 10**9  # bytes
PROGRAM = Path(__file__).with_name("streamed_fit.py")


@pytest.fixture(scope="module")
def sharded(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """The same ratings as `prepared`, in 12 shards of 250."""
    data = settings.data.model_copy(update={"home": tmp_path_factory.mktemp("sharded")})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(feature_tables, "SHARD_ROWS", 250)
        return prepare(settings.model_copy(update={"data": data}))


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "BLOCK_ROWS", 500)


def with_settings(settings: Settings, *overrides: str) -> Settings:
    return resolve(settings.model_dump(mode="json"), overrides, {})


def tutorial(settings: Settings, *more: str) -> Settings:
    """Without dropout, so that a resumed fit can be equal."""
    few = ["preset=tutorial", "training.epochs=3", "training.batch_size=64", "training.learning_rate=0.5"]
    return with_settings(settings, *few, "training.averaging=0.9", *more)


def numbered(
    prepared: Prepared, splits: tuple[str, ...], memory: int = ENOUGH, features: Sequence[Feature] = FEW
) -> StreamedExamples:
    examples = StreamedExamples(prepared, features, splits, memory)
    examples.columns["place"] = np.arange(len(examples))
    return examples


def epoch(epochs: StreamedEpochs, number: int) -> list[list[Arrays]]:
    """The batches of each part."""
    return [
        [{name: values.numpy() for name, values in batch.items()} for batch in epochs.part(number, part)]
        for part in range(len(epochs.steps(number)))
    ]


def together(parts: list[list[Arrays]]) -> Arrays:
    whole = [batch for part in parts for batch in part]
    return {name: np.concatenate([batch[name] for batch in whole]) for name in whole[0]}


@pytest.mark.parametrize("splits", [("train",), ("validation",), KNOWN])
def test_an_epoch_holds_what_is_read_into_memory_each_row_once(
    splits: tuple[str, ...], sharded: Prepared, small_blocks: None
) -> None:
    streamed = together(epoch(StreamedEpochs(numbered(sharded, splits, features=FEATURES), 64, seed=1), 0))
    order = np.argsort(streamed["place"])
    parts = [sharded.examples(split, FEATURES) for split in splits]
    for name in parts[0]:
        expected = np.concatenate([part[name] for part in parts])
        np.testing.assert_array_equal(streamed[name][order], expected, err_msg=name)
    expected = np.concatenate([sharded.interactions.part(split).rating for split in splits])
    np.testing.assert_array_equal(streamed["rating"][order], expected)
    assert streamed.keys() == parts[0].keys() | {"rating", "place"}


def test_the_order_follows_from_seed_and_epoch_and_mixes_the_shards_of_a_block(
    sharded: Prepared, small_blocks: None
) -> None:
    examples = numbered(sharded, ("train",))

    def order(seed: int, number: int) -> list[int]:
        return together(epoch(StreamedEpochs(examples, 64, seed), number))["place"].tolist()

    assert order(1, 0) == order(1, 0)
    assert len({tuple(order(seed, number)) for seed, number in ((1, 0), (1, 1), (2, 0))}) == 3
    epochs = StreamedEpochs(examples, 64, seed=1)
    assert epochs.blocks(0) != epochs.blocks(1)
    assert sorted(chain.from_iterable(epochs.blocks(0))) == np.flatnonzero(examples.rows).tolist()
    shard_ends = np.cumsum(examples.rows)
    first_batch = epoch(epochs, 0)[0][0]["place"]
    assert set(np.searchsorted(shard_ends, first_batch, side="right")) == set(epochs.blocks(0)[0])
    assert len(epochs.blocks(0)[0]) > 1


def test_batches_of_a_block_have_one_size_but_for_a_row(sharded: Prepared, small_blocks: None) -> None:
    epochs = StreamedEpochs(numbered(sharded, ("train",)), 64, seed=1)
    parts = epoch(epochs, 0)
    assert epochs.steps(0) == [len(part) for part in parts]
    for part, shards in zip(parts, epochs.blocks(0), strict=True):
        sizes = [len(batch["rating"]) for batch in part]
        rows = epochs._examples.rows[shards].sum()
        assert sum(sizes) == rows <= 500
        assert max(sizes) <= 64
        assert max(sizes) - min(sizes) <= 1
        assert len(sizes) == -(-rows // 64)


def test_memory_says_how_many_rows_a_block_has_and_two_blocks_are_there_at_a_time(
    sharded: Prepared, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = 60_000
    examples = numbered(sharded, ("train",), memory)
    epochs = StreamedEpochs(examples, 16, seed=1)
    wider = StreamedEpochs(numbered(sharded, ("train",), 2 * memory), 16, seed=1)
    assert wider.block_rows > 1.9 * epochs.block_rows
    alive: list[weakref.ref] = []
    most, largest = 0, 0

    def read_block(shards: list[int]) -> Arrays:
        nonlocal most, largest
        block = StreamedExamples.read_block(examples, shards)
        alive.append(weakref.ref(block["rating"]))
        gc.collect()
        most = max(most, sum(each() is not None for each in alive))
        largest = max(largest, sum(values.nbytes for values in block.values()))
        return block

    monkeypatch.setattr(examples, "read_block", read_block)
    assert sum(len(part) for part in epoch(epochs, 0)) == sum(epochs.steps(0))
    assert most <= 2
    assert streaming.BLOCKS * largest < memory
    assert len(epochs.blocks(0)) > 2


def test_nothing_of_it_stays_when_a_fit_is_over(sharded: Prepared, small_blocks: None) -> None:
    epochs = StreamedEpochs(numbered(sharded, ("train",)), 64, seed=1)
    epoch(epochs, 0)
    gone = weakref.ref(epochs)
    del epochs
    gc.collect()
    assert gone() is None


def test_too_little_memory_is_one_line_that_says_how_much_it_takes(sharded: Prepared) -> None:
    with pytest.raises(ConfigError, match=r"^data\.input_memory: must be at least 1MB for batches of 64 row"):
        StreamedEpochs(numbered(sharded, ("train",), 1_000), 64, seed=1)


@pytest.mark.parametrize("strategy", ["multi_worker", "parameter_server"])
def test_a_cluster_does_not_stream(strategy: str) -> None:
    with pytest.raises(ConfigError, match=rf"data\.input_memory must be null with .*{strategy}.*'2GB'$"):
        check({"data": {"input_memory": "2GB"}, "distribution": {"strategy": strategy}})


def test_a_streamed_fit_comes_to_the_error_of_one_from_memory(
    settings: Settings, sharded: Prepared, small_blocks: None, tmp_path: Path
) -> None:
    """On features that say something of people whom training has not seen."""
    statistics = "ranking.features=[movie_id, user_mean, user_count, movie_mean, movie_count]"
    options = ["training.optimizer=adam", "training.learning_rate=0.01", statistics]
    held = tutorial(settings, *options, "ranking.head_options={hidden: [16]}")
    streamed = with_settings(held, "data.input_memory=2MB")
    _, from_memory = train_ranking(held, sharded, tmp_path / "held")
    model, from_disk = train_ranking(streamed, sharded, tmp_path / "streamed")
    spread = sharded.interactions.part("validation").rating.std()
    assert min(from_disk.validation) < spread - 0.05
    assert min(from_disk.validation) == pytest.approx(min(from_memory.validation), abs=0.02)
    epochs = StreamedEpochs(numbered(sharded, ("train",)), 64, settings.seed)
    assert int(model.optimizer.iterations) == sum(
        sum(epochs.steps(number)) for number in range(from_disk.best_epoch + 1)
    )
    rows = [ranking_rows(each, sharded, "validation") for each in (streamed, held)]
    np.testing.assert_allclose(*(predict(model, each.arrays) for each in rows), rtol=1e-5)
    np.testing.assert_array_equal(rows[0].target, rows[1].target)


def test_predictions_are_those_from_memory_negatives_included(settings: Settings, sharded: Prepared) -> None:
    held = with_settings(settings, "preset=mlp", "ranking.objective=implicit")
    model = build_ranking(held, sharded)
    for split in ("train", "validation"):
        rows = [
            ranking_rows(with_settings(held, f"data.input_memory={memory}"), sharded, split)
            for memory in ("1MB", "null")
        ]
        np.testing.assert_array_equal(rows[0].target, rows[1].target)
        predicted = [predict(model, each.arrays, each.negatives) for each in rows]
        np.testing.assert_allclose(predicted[0], predicted[1], atol=1e-5)


class Stopping(OneProcess):
    """Is interrupted within a part."""

    def __init__(self, parts: int) -> None:
        self.parts = parts

    def runner(self, model, transform, after_step, told):
        whole = super().runner(model, transform, after_step, told)

        def run(batches, steps: int) -> float:
            self.parts -= 1
            if self.parts < 0:
                whole(batches.take(2), 2)
                raise KeyboardInterrupt
            return whole(batches, steps)

        return run


def weights(model) -> list[np.ndarray]:
    return [weight.numpy() for weight in model.weights]


def test_a_fit_that_stopped_within_an_epoch_ends_as_if_it_had_not(
    settings: Settings, sharded: Prepared, small_blocks: None, tmp_path: Path
) -> None:
    streamed = tutorial(settings, "data.input_memory=2MB")
    whole, expected = train_ranking(streamed, sharded, tmp_path / "whole")
    for stop_after in (2, 5):  # parts: within the first epoch, and again within the second
        with pytest.raises(KeyboardInterrupt):
            train_ranking(streamed, sharded, tmp_path / "parts", placement=Stopping(stop_after))
    left = Progress(**json.loads((tmp_path / "parts" / "progress.json").read_text()))
    assert (len(left.validation), len(left.parts)) == (1, 3)
    other = with_settings(streamed, "training.batch_size=60")
    with pytest.raises(RecommenderError, match=r"parts: an epoch was begun in 4 parts, .* as they were$"):
        train_ranking(other, sharded, tmp_path / "parts")
    resumed, progress = train_ranking(streamed, sharded, tmp_path / "parts")
    assert progress == expected
    for ours, theirs in zip(weights(resumed), weights(whole), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    names = {path.name.split(".")[0] for path in (tmp_path / "parts").glob("epoch-*")}
    assert names == {"epoch-2", f"epoch-{progress.best_epoch}"}


def test_the_default_head_is_told_the_fold_of_each_streamed_user(
    settings: Settings, sharded: Prepared, small_blocks: None, tmp_path: Path
) -> None:
    head, examples = build_ranking(settings, sharded).head, numbered(sharded, KNOWN)
    (tmp_path / "progress.json").touch()  # so that no factors are fitted
    prepare_head(head, examples.columns, settings, sharded, tmp_path, KNOWN)
    rows = together(epoch(StreamedEpochs(examples, 64, seed=1), 0))
    folds = fold_of_user(sharded.schema.num_users, head.folds, settings.seed)
    np.testing.assert_array_equal(rows[FOLD], folds[rows["user_id"] - 1])


@pytest.mark.slow
def test_the_default_head_is_fitted_anew_from_shards(
    settings: Settings, sharded: Prepared, small_blocks: None, tmp_path: Path
) -> None:
    losses = []
    for memory in ("null", "5MB"):
        refit_ranking(with_settings(settings, f"data.input_memory={memory}"), sharded, tmp_path / memory, 1)
        losses += json.loads((tmp_path / memory / "progress.json").read_text())["loss"]
    assert losses[1] == pytest.approx(losses[0], rel=0.05)


def test_a_shard_that_is_gone_is_one_line(
    settings: Settings, sharded: Prepared, small_blocks: None, tmp_path: Path
) -> None:
    epochs = StreamedEpochs(numbered(sharded, ("train",)), 64, seed=1)
    shard = sharded.feature_shards()[epochs.blocks(0)[-1][-1]]
    list(epochs.part(0, 0))
    away = shard.rename(tmp_path / shard.name)
    try:
        message = rf"^{shard}: these features cannot be read, prepare them again: it is gone$"
        parts = (list(epochs.part(0, part)) for part in range(1, len(epochs.blocks(0))))
        with pytest.raises(DataError, match=message):
            list(parts)
        with pytest.raises(DataError, match=r"must hold features of 3,000 ratings, .*: found 2,750$"):
            numbered(sharded, ("train",))
    finally:
        away.rename(shard)


def test_the_next_is_read_while_one_is_used_and_what_fails_comes_in_its_turn() -> None:
    began = [threading.Event() for _ in range(3)]

    def reads() -> Iterator:
        for number, event in enumerate(began):
            yield lambda number=number, event=event: event.set() or 1 // (2 - number)

    found = read_ahead(reads())
    assert next(found) == 0
    assert began[1].wait(10)
    assert next(found) == 1
    with pytest.raises(ZeroDivisionError):
        next(found)


@pytest.mark.large
def test_a_fit_that_was_killed_within_an_epoch_ends_as_if_it_had_not(
    settings: Settings, sharded: Prepared, tmp_path: Path
) -> None:
    (tmp_path / "settings.yaml").write_text(tutorial(settings, "data.input_memory=2MB").to_yaml())
    command = [sys.executable, str(PROGRAM), str(tmp_path / "settings.yaml"), str(sharded.folder)]
    subprocess.run([*command, str(tmp_path / "whole")], check=True)
    killed = subprocess.Popen([*command, str(tmp_path / "parts")])
    progress = tmp_path / "parts" / "progress.json"
    while not (progress.exists() and json.loads(progress.read_text())["parts"]):
        assert killed.poll() is None
        time.sleep(0.001)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert not json.loads(progress.read_text())["finished"]
    subprocess.run([*command, str(tmp_path / "parts")], check=True)
    ours, theirs = (
        json.loads((tmp_path / name / "progress.json").read_text()) for name in ("parts", "whole")
    )
    assert ours == theirs


def test_the_features_of_a_model_alone_are_read(sharded: Prepared) -> None:
    assert set(numbered(sharded, ("train",)).read(0)) == {"user_id", "movie_id", "age", "rating", "place"}
