from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from recommender.config import Settings, resolve
from recommender.data.prepared import Prepared
from recommender.errors import ConfigError
from recommender.training.devices import computing_on
from recommender.training.mixed_precision import LossScaledRanking
from recommender.training.ranking import build_ranking, predict, ranking_examples, train_ranking

MLP = (
    "ranking.head=mlp",
    "ranking.head_options={hidden: [16, 8], dropout: 0.0, l2: 0.001}",
    "ranking.features=[movie_id, genres, user_deviation, movie_deviation, user_count, movie_count]",
    "training={epochs: 3, batch_size: 256, learning_rate: 0.01}",
)


def with_precision(settings: Settings, precision: str) -> Settings:
    overrides = [*MLP, f"distribution.mixed_precision={precision}"]
    return resolve(settings.model_dump(mode="json"), overrides, {})


@pytest.fixture(scope="module")
def float32_loss(settings: Settings, prepared: Prepared, tmp_path_factory: pytest.TempPathFactory) -> float:
    folder = tmp_path_factory.mktemp("float32")
    return train_ranking(with_precision(settings, "none"), prepared, folder)[1].loss[-1]


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_only_the_dense_layers_multiply_in_16_bits_and_it_learns_as_well(
    precision: str, settings: Settings, prepared: Prepared, float32_loss: float, tmp_path: Path
) -> None:
    mixed = with_precision(settings, precision)
    model, progress = train_ranking(mixed, prepared, tmp_path)
    assert {layer.compute_dtype for layer in model.head.deep.hidden} == {precision}
    assert model.head.score.compute_dtype == "float32"
    assert {weight.dtype for weight in model.weights} == {tf.float32}
    assert predict(model, ranking_examples(mixed, prepared, "test")).dtype == np.float32
    assert progress.loss[-1] == pytest.approx(float32_loss, rel=0.02)


def test_a_mixed_fit_is_loaded_as_it_was(settings: Settings, prepared: Prepared, tmp_path: Path) -> None:
    mixed = with_precision(settings, "float16")
    rows = ranking_examples(mixed, prepared, "test")
    first, again = (predict(train_ranking(mixed, prepared, tmp_path)[0], rows) for _ in range(2))
    np.testing.assert_allclose(first, again, rtol=1e-5)


def test_the_loss_is_scaled_for_the_gradients_only(settings: Settings, prepared: Prepared) -> None:
    mixed = with_precision(settings, "float16")
    model = build_ranking(mixed, prepared)
    assert isinstance(model, LossScaledRanking)
    model.compile(tf.keras.optimizers.SGD(0.0))
    rows = {
        name: tf.constant(values[:64]) for name, values in ranking_examples(mixed, prepared, "train").items()
    }
    assert model.optimizer.loss_scale >= 1024
    assert float(model.train_step(rows)["loss"]) == pytest.approx(float(model.compute_loss(rows)), rel=1e-3)


def test_a_gpu_that_is_not_there_is_told_in_one_line() -> None:
    if tf.config.list_logical_devices("GPU"):
        pytest.skip("there is one")
    with pytest.raises(ConfigError, match=r"distribution\.device: gpu"):
        computing_on("gpu")


def test_the_cpu_computes_where_it_is_asked_to() -> None:
    with computing_on("cpu"):
        assert tf.constant([1.0]).device.endswith("CPU:0")
    with computing_on("auto"):
        assert tf.constant([1.0]).device
