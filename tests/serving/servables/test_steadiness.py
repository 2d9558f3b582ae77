"""Which graphs take about as long for any inputs of one size."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from recommender.serving.tensors import TensorInfo

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


def test_what_changes_the_model_is_run_once_to_get_ready(saved_models: SavedModels, tmp_path: Path) -> None:
    import numpy as np

    from recommender.serving.servables.servable import Servable

    servable = Servable("m", 1, saved_models.place("counter", tmp_path / "1"))
    servable.prepare("incr_counter_by", {"delta": np.array(1.0, np.float32)}, 0)
    for quick in (False, True, False, True):
        servable.predict("incr_counter_by", {"delta": np.array(1.0, np.float32)}, 0, quick)
    assert servable.predict("get_counter", {}, 0)["output"] == 5.0


def test_a_variable_of_tensorflow_2_that_is_assigned_to_is_state_too(tmp_path: Path) -> None:
    import tensorflow as tf

    from recommender.serving.servables.servable import Servable

    class Counter(tf.Module):
        def __init__(self) -> None:
            self.total = tf.Variable(0.0)

        @tf.function(input_signature=[tf.TensorSpec([], tf.float32, name="delta")])
        def add(self, delta: tf.Tensor) -> dict[str, tf.Tensor]:
            return {"output": self.total.assign_add(delta)}

        @tf.function(input_signature=[tf.TensorSpec([], tf.float32, name="x")])
        def read(self, x: tf.Tensor) -> dict[str, tf.Tensor]:
            return {"output": self.total + x}

    model = Counter()
    folder = tmp_path / "1"
    tf.saved_model.save(model, str(folder), signatures={"add": model.add, "read": model.read})
    servable = Servable("m", 1, folder)
    assert [servable.is_steady(name) for name in ("add", "read")] == [False, True]


def test_a_steady_graph_answers_the_same_on_the_calling_thread(
    saved_models: SavedModels, tmp_path: Path
) -> None:
    import numpy as np

    from recommender.serving.servables.servable import Servable

    servable = Servable("m", 1, saved_models.place("half_plus_two", tmp_path / "1"))
    x = np.array([1.0, 2.0], np.float32)
    servable.prepare("", {"x": x}, 1000)
    for timeout_ms, must_be_quick in [(1000, True), (1000, False), (0, False)]:
        outputs = servable.predict("", {"x": x}, timeout_ms, must_be_quick)
        np.testing.assert_array_equal(outputs["y"], [2.5, 3.0])


class Ways:
    """A graph whose callables remember which way they ran."""

    def __init__(self) -> None:
        self.ran: list[int | None] = []

    def callable(self, feeds: list[str], fetches: list[str], timeout_ms: int | None) -> Any:
        def run(x: Any) -> list[Any]:
            self.ran.append(timeout_ms)
            return [x]

        return run


def ways_taken(steady: bool, hurried: list[bool]) -> list[int | None]:
    import numpy as np

    from recommender.serving.servables.runner import Runners
    from recommender.serving.servables.signatures import Signature

    info = TensorInfo("x:0", "float", (-1,))
    graph = Ways()
    runners = Runners(graph, Signature("s", "", {"x": info}, {"y": info}, {}, None), steady)
    for must_be_quick in hurried:
        runners.run({"x": np.zeros(1, np.float32)}, 500, must_be_quick)
    return graph.ran


def set_quick(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    monkeypatch.setattr("recommender.serving.servables.runner.QUICK_SECONDS", seconds)


def test_the_calling_threads_way_is_made_ready_by_one_who_may_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    set_quick(monkeypatch, float("inf"))
    assert ways_taken(True, [True, False, True, False]) == [500, None, None, 500]


def test_a_signature_that_is_not_quick_keeps_its_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    set_quick(monkeypatch, 0.0)
    assert ways_taken(True, [False, False, True]) == [500, 500, 500]


def test_a_signature_that_is_not_steady_keeps_its_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    set_quick(monkeypatch, float("inf"))
    assert ways_taken(False, [False, False, True]) == [500, 500, 500]
