"""Requests that TensorFlow Serving sends to a version before it takes traffic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

PLACE = Path("assets.extra") / "tf_serving_warmup_requests"


def write_warmup_requests(
    signatures: Mapping[str, Sequence[tf.TensorSpec]],
    examples: Mapping[str, Any],
    model_name: str,
    folder: Path,
) -> None:
    """Write one request per signature: a TFRecord file of PredictionLog messages, where a server looks.

    `signatures` names the inputs of each. `examples` holds values by input name, as `user_id: "42"`; other
    inputs are empty strings or 0. They fill every place of an input, and lists of any length have one item.
    """
    path = folder / PLACE
    path.parent.mkdir(parents=True, exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for name, specs in signatures.items():
            inputs = {spec.name: _example(spec, examples) for spec in specs}
            writer.write(_prediction_log(model_name, name, inputs))


def _example(spec: tf.TensorSpec, examples: Mapping[str, Any]) -> bytes:
    """A TensorProto for an input."""
    value = examples.get(spec.name, "" if spec.dtype == tf.string else 0)
    shape = [size or 1 for size in spec.shape]
    return tf.make_tensor_proto(value, spec.dtype, shape).SerializeToString(deterministic=True)


def _prediction_log(model_name: str, signature: str, inputs: Mapping[str, bytes]) -> bytes:
    """A serialized `tensorflow.serving.PredictionLog` that holds a PredictRequest.

    Written field by field, because the messages are few and simple and their package is large. The numbers
    are those of prediction_log.proto, predict.proto and model.proto of TensorFlow Serving.
    """
    request = _field(1, _field(1, model_name.encode()) + _field(3, signature.encode()))  # model_spec
    for name in sorted(inputs):
        request += _field(2, _field(1, name.encode()) + _field(2, inputs[name]))  # inputs: a map entry
    return _field(6, _field(1, request))  # predict_log.request


def _field(number: int, content: bytes) -> bytes:
    """A length-delimited protobuf field: string, bytes or message."""
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)
