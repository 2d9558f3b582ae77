"""Warm-up requests run before a version takes traffic, and keep it out where they fail."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from recommender.export.warmup import write_warmup_requests
from recommender.serving.servables.events import LoadAttempted
from recommender.serving.servables.prediction_log import PLACE, PREDICTION_LOG
from recommender.serving.servables.servable import Servable
from recommender.serving.servables.warm_up import warm_up
from recommender.serving.status import Code, ServingError


class Recorder(Servable):
    """Remembers what it was asked."""

    asked: list[tuple[Any, ...]]

    def predict(self, signature_name: str, inputs: Any, timeout_ms: int) -> Any:
        self.asked.append((signature_name, {name: value.tolist() for name, value in inputs.items()}))
        return super().predict(signature_name, inputs, timeout_ms)


@pytest.fixture
def recorder(saved_models: Any, tmp_path: Path) -> Recorder:
    recorder = Recorder("m", 1, saved_models.place("half_plus_two", tmp_path / "1"))
    recorder.asked = []
    return recorder


def write(folder: Path, *records: bytes) -> None:
    path = folder / PLACE
    path.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for record in records:
            writer.write(record)


def refusal(servable: Servable, folder: Path) -> tuple[Code, str]:
    with pytest.raises(ServingError) as caught:
        warm_up(servable, folder)
    return caught.value.code, caught.value.message


def test_a_version_without_warm_up_requests_needs_none(recorder: Recorder, tmp_path: Path) -> None:
    assert warm_up(recorder, tmp_path / "1") == 0


def test_requests_written_at_export_are_run(recorder: Recorder, tmp_path: Path) -> None:
    specs = {"serving_default": [tf.TensorSpec([None, 1], tf.float32, "x")]}
    write_warmup_requests(specs, {"x": 4.0}, "m", tmp_path / "1")
    assert warm_up(recorder, tmp_path / "1") == 1
    assert recorder.asked == [("serving_default", {"x": [[4.0]]})]


def test_only_signatures_that_will_be_asked_are_run(recorder: Recorder, tmp_path: Path) -> None:
    specs = {"serving_default": [tf.TensorSpec([None, 1], tf.float32, "x")]}
    write_warmup_requests(specs, {"x": 4.0}, "m", tmp_path / "1")
    warm_up(recorder, tmp_path / "1", signatures=frozenset(["other"]))
    assert recorder.asked == []
    warm_up(recorder, tmp_path / "1", signatures=frozenset(["serving_default"]))
    assert len(recorder.asked) == 1


def test_strings_are_objects_of_bytes(saved_models: Any, tmp_path: Path) -> None:
    folder = saved_models.place("vocabulary", tmp_path / "1")
    recorder = Recorder("m", 1, folder)
    recorder.asked = []
    specs = {"serving_default": [tf.TensorSpec([None], tf.string, "word")]}
    write_warmup_requests(specs, {"word": "green"}, "m", folder)
    assert warm_up(recorder, folder) == 1
    assert recorder.asked == [("serving_default", {"word": [b"green"]})]


def example(x: float) -> bytes:
    feature = tf.train.Feature(float_list=tf.train.FloatList(value=[x]))
    return tf.train.Example(features=tf.train.Features(feature={"x": feature})).SerializeToString()


def test_classify_and_regress_are_run_with_their_examples(recorder: Recorder, tmp_path: Path) -> None:
    classify, regress = PREDICTION_LOG(), PREDICTION_LOG()
    request = classify.classify_log.request
    request.model_spec.signature_name = "classify_x_to_y"
    request.input.example_list.examples.extend([example(1.0), example(2.0)])
    request = regress.regress_log.request
    request.model_spec.signature_name = "regress_x_to_y"
    request.input.example_list_with_context.context = example(3.0)
    request.input.example_list_with_context.examples.append(b"")
    write(tmp_path / "1", classify.SerializeToString(), regress.SerializeToString())
    assert warm_up(recorder, tmp_path / "1") == 2
    assert recorder.asked == [
        ("classify_x_to_y", {"inputs": [example(1.0), example(2.0)]}),
        ("regress_x_to_y", {"inputs": [example(3.0)]}),
    ]


def test_other_kinds_of_logs_are_left_out(
    recorder: Recorder, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    multi_inference_log = bytes([4 << 3 | 2, 0])
    write(tmp_path / "1", multi_inference_log)
    assert warm_up(recorder, tmp_path / "1") == 1
    assert recorder.asked == []
    assert "neither predict, classify nor regress" in caplog.text


def test_a_request_that_fails_keeps_the_version_out(
    saved_models: Any, tmp_path: Path, manage: Any, model: Any, states: Any
) -> None:
    folder = saved_models.place("failing", tmp_path / "elsewhere" / "1")
    specs = {"serving_default": [tf.TensorSpec([None], tf.int32, "index")]}
    write_warmup_requests(specs, {"index": 9}, "m", folder)
    history: list[Any] = []
    manager = manage([model(tmp_path / "elsewhere")], on_event=history.append)
    (status,) = manager.statuses("m")
    assert (status.state, status.code) == ("END", Code.INVALID_ARGUMENT)
    assert status.message.startswith("indices[0] = 9 is not in [0, 3)")
    (attempt,) = [event for event in history if isinstance(event, LoadAttempted)]
    assert attempt.code is Code.INVALID_ARGUMENT
    assert attempt.warm_up_seconds is not None


def test_a_file_that_is_no_record_file_is_refused(recorder: Recorder, tmp_path: Path) -> None:
    """saved_model_warmup_util.cc."""
    folder = tmp_path / "1"
    write(folder, b"\xff\xff")
    code, message = refusal(recorder, folder)
    assert code is Code.INVALID_ARGUMENT
    assert message.startswith("Failed to parse warmup record: ")
    (folder / PLACE).write_bytes(b"no TFRecord, and long enough to be read as one")
    code, message = refusal(recorder, folder)
    assert code is Code.DATA_LOSS
    assert message.endswith(". Please verify your warmup data is in TFRecord format.")


def test_a_tensor_that_cannot_be_read_is_refused(recorder: Recorder, tmp_path: Path) -> None:
    logged = PREDICTION_LOG()
    logged.predict_log.request.inputs["x"] = b"\xff\xff"
    write(tmp_path / "1", logged.SerializeToString())
    assert refusal(recorder, tmp_path / "1") == (Code.INVALID_ARGUMENT, "tensor parsing error: x")


def test_too_many_requests_are_refused(recorder: Recorder, tmp_path: Path) -> None:
    logged = PREDICTION_LOG()
    value = tf.make_tensor_proto(np.array([[1.0]], np.float32))
    logged.predict_log.request.inputs["x"] = value.SerializeToString()
    write(tmp_path / "1", *[logged.SerializeToString()] * 1001)
    code, message = refusal(recorder, tmp_path / "1")
    assert code is Code.INVALID_ARGUMENT
    assert message.startswith("Number of warmup records exceeds the maximum (1000) at ")
