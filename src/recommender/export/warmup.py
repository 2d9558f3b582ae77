"""Requests that TensorFlow Serving sends to a version before it takes traffic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from recommender.serving.servables.prediction_log import PLACE, PREDICTION_LOG


def write_warmup_requests(
    signatures: Mapping[str, Sequence[tf.TensorSpec]],
    examples: Mapping[str, Any],
    model_name: str,
    folder: Path,
) -> None:
    """Write one request per signature: a TFRecord file of PredictionLog messages, where a server looks.

    `signatures` names the inputs of each. `examples` holds values by input name, as `user_id: "42"`; other
    inputs are empty strings or 0. They fill every place of an input, and lists of any length have one item;
    an array is the input as it is.
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
    shape = np.shape(value) or [size or 1 for size in spec.shape]
    return tf.make_tensor_proto(value, spec.dtype, shape).SerializeToString(deterministic=True)


def _prediction_log(model_name: str, signature: str, inputs: Mapping[str, bytes]) -> bytes:
    """A serialized `tensorflow.serving.PredictionLog` that holds a PredictRequest."""
    log = PREDICTION_LOG()
    request = log.predict_log.request
    request.model_spec.name = model_name
    request.model_spec.signature_name = signature
    request.inputs.update(inputs)
    content: bytes = log.SerializeToString(deterministic=True)
    return content
