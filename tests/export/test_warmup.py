from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from tensorflow.core.framework import resource_handle_pb2, tensor_pb2, tensor_shape_pb2, types_pb2

from recommender.export.warmup import write_warmup_requests

FIELD = descriptor_pb2.FieldDescriptorProto


def prediction_log_class() -> Any:
    """The messages as TensorFlow Serving declares them, as far as warm-up needs them."""
    file = descriptor_pb2.FileDescriptorProto(
        name="warmup.proto",
        package="tensorflow.serving",
        syntax="proto3",
        dependency=["tensorflow/core/framework/tensor.proto"],
    )

    def message(name: str, *fields: tuple[str, int, str], parent: Any = file.message_type) -> Any:
        declared = parent.add(name=name)
        for field, number, kind in fields:
            message_type = {} if kind == "string" else {"type_name": f".tensorflow.{kind}"}
            type_ = FIELD.TYPE_STRING if kind == "string" else FIELD.TYPE_MESSAGE
            label = FIELD.LABEL_REPEATED if field == "inputs" else FIELD.LABEL_OPTIONAL
            declared.field.add(name=field, number=number, type=type_, label=label, **message_type)
        return declared

    message("ModelSpec", ("name", 1, "string"), ("signature_name", 3, "string"))
    request = message(
        "PredictRequest",
        ("model_spec", 1, "serving.ModelSpec"),
        ("inputs", 2, "serving.PredictRequest.InputsEntry"),
    )
    entry = message(
        "InputsEntry", ("key", 1, "string"), ("value", 2, "TensorProto"), parent=request.nested_type
    )
    entry.options.map_entry = True
    message("PredictLog", ("request", 1, "serving.PredictRequest"))
    message("PredictionLog", ("predict_log", 6, "serving.PredictLog"))
    pool = descriptor_pool.DescriptorPool()
    for module in (types_pb2, tensor_shape_pb2, resource_handle_pb2, tensor_pb2):
        pool.AddSerializedFile(module.DESCRIPTOR.serialized_pb)
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("tensorflow.serving.PredictionLog"))


def read_requests(folder: Path) -> dict[str, Any]:
    """Signature name -> PredictRequest."""
    prediction_log = prediction_log_class()
    path = folder / "assets.extra" / "tf_serving_warmup_requests"
    logs = [prediction_log.FromString(record.numpy()) for record in tf.data.TFRecordDataset(str(path))]
    return {log.predict_log.request.model_spec.signature_name: log.predict_log.request for log in logs}


def values(tensor: Any) -> Any:
    """A TensorProto of the test's own pool as an array."""
    return tf.make_ndarray(tensor_pb2.TensorProto.FromString(tensor.SerializeToString()))


def test_every_signature_is_warmed_up_with_a_request_that_it_answers(version: Path, ask) -> None:
    requests = read_requests(version)
    assert requests.keys() == {
        "serving_default",
        "predict_by_id",
        "predict_by_id_at",
        "retrieve",
        "retrieve_by_features",
        "rank",
        "rank_by_features",
        "retrieve_to_rank",
        "rank_retrieved",
        "recommend",
        "similar_movies",
    }
    for name, request in requests.items():
        assert request.model_spec.name == "recommender"
        inputs = {key: values(tensor) for key, tensor in request.inputs.items()}
        assert all(output.size for output in ask(name, **inputs).values())


def test_examples_fill_the_inputs_that_they_name(tmp_path: Path) -> None:
    inputs = [
        tf.TensorSpec([None, 2], tf.string, "names"),
        tf.TensorSpec([], tf.int32, "k"),
        tf.TensorSpec([1], tf.float32, "other"),
        tf.TensorSpec([1, None], tf.float32, "many"),
    ]
    long = "é" * 200  # longer than one byte of a length can say
    examples = {"names": long, "k": 7, "many": np.arange(3.0)[np.newaxis]}
    write_warmup_requests({"any": inputs}, examples, "m", tmp_path)
    request = read_requests(tmp_path)["any"]
    found = {key: values(tensor).tolist() for key, tensor in request.inputs.items()}
    assert found == {"names": [[long.encode()] * 2], "k": 7, "other": [0.0], "many": [[0.0, 1.0, 2.0]]}
