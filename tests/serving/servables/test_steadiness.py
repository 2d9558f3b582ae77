"""Which graphs take about as long for any inputs of one size."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from saved_models import SavedModels


@pytest.mark.parametrize(
    ("kind", "steady"),
    [("half_plus_two", True), ("half_plus_two_tf2", True), ("vocabulary", True), ("slow", False)],
)
def test_a_graph_with_a_loop_is_not_steady(
    saved_models: SavedModels, tmp_path: Path, kind: str, steady: bool
) -> None:
    from recommender.serving.servables.servable import Servable

    servable = Servable("m", 1, saved_models.place(kind, tmp_path / "1"))
    assert servable.is_steady("") is steady


def test_a_loop_within_a_function_counts_for_the_signatures_that_call_it(tmp_path: Path) -> None:
    import tensorflow as tf

    from recommender.serving.servables.servable import Servable

    class Model(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, name="x")])
        def loop(self, x: tf.Tensor) -> dict[str, tf.Tensor]:
            return {"y": tf.cond(tf.size(x) > 0, lambda: tf.map_fn(lambda value: value + 1.0, x), lambda: x)}

        @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, name="x")])
        def plain(self, x: tf.Tensor) -> dict[str, tf.Tensor]:
            return {"y": x + 1.0}

    model = Model()
    folder = tmp_path / "1"
    named = {"serving_default": model.plain, "loop": model.loop}
    tf.saved_model.save(model, str(folder), signatures=named)
    servable = Servable("m", 1, folder)
    steady = [servable.is_steady(name) for name in ("", "serving_default", "loop", "unknown")]
    assert steady == [True, True, False, False]


def test_a_steady_graph_answers_the_same_on_the_calling_thread(
    saved_models: SavedModels, tmp_path: Path
) -> None:
    import numpy as np

    from recommender.serving.servables.servable import Servable

    servable = Servable("m", 1, saved_models.place("half_plus_two", tmp_path / "1"))
    x = np.array([1.0, 2.0], np.float32)
    for timeout_ms in (None, 0, 1000):
        np.testing.assert_array_equal(servable.predict("", {"x": x}, timeout_ms)["y"], [2.5, 3.0])
