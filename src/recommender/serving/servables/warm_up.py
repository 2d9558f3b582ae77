"""Running a version's warm-up requests before it takes traffic."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow.core.framework import tensor_pb2

from recommender.serving.servables.graph import from_tensorflow
from recommender.serving.servables.prediction_log import PLACE, PREDICTION_LOG
from recommender.serving.servables.servable import Servable
from recommender.serving.servables.signatures import DEFAULT
from recommender.serving.status import Code, ServingError, invalid

log = logging.getLogger(__name__)

MOST_RECORDS = 1000  # WarmupConsts::kMaxNumRecords


def warm_up(
    servable: Servable, folder: Path, timeout_ms: int = 0, signatures: frozenset[str] | None = None
) -> int:
    """Run the requests in `assets.extra/tf_serving_warmup_requests`; returns how many are there, if any.

    `timeout_ms` is the limit that requests will have: TensorFlow prepares what it runs for each limit anew.
    Preparing a signature takes a second or more: who will ask only some names them in `signatures`, and
    predictions of others are not run.
    Raises `ServingError` where the file cannot be read or a request fails, in the words of
    servables/tensorflow/saved_model_warmup_util.cc: such a version does not become available.
    """
    path = folder / PLACE
    if not path.is_file():
        return 0
    count = 0
    try:
        for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
            _run(servable, record, path, timeout_ms, signatures)
            count += 1
            if count > MOST_RECORDS:
                raise invalid(f"Number of warmup records exceeds the maximum ({MOST_RECORDS}) at {path}")
    except tf.errors.DataLossError as error:
        message = f"{error.message}. Please verify your warmup data is in TFRecord format."
        raise ServingError(Code.DATA_LOSS, message) from None
    except tf.errors.OpError as error:
        raise from_tensorflow(error) from None
    return count


def _run(
    servable: Servable, record: bytes, path: Path, timeout_ms: int, signatures: frozenset[str] | None
) -> None:
    try:
        logged = PREDICTION_LOG.FromString(record)
    except DecodeError:
        raise invalid(f"Failed to parse warmup record: {record!r} from {path}") from None
    match logged.WhichOneof("log_type"):
        case "predict_log":
            request = logged.predict_log.request
            if signatures is not None and (request.model_spec.signature_name or DEFAULT) not in signatures:
                return
            inputs = {name: _array(name, value) for name, value in request.inputs.items()}
            servable.prepare(request.model_spec.signature_name, inputs, timeout_ms)
        case "classify_log":
            request = logged.classify_log.request
            servable.classify(request.model_spec.signature_name, _examples(request.input), timeout_ms)
        case "regress_log":
            request = logged.regress_log.request
            servable.regress(request.model_spec.signature_name, _examples(request.input), timeout_ms)
        case _:
            log.warning(
                "%s: a warm-up request that is neither predict, classify nor regress is left out", path
            )


def _array(name: str, serialized: bytes) -> Any:
    try:
        return tf.make_ndarray(tensor_pb2.TensorProto.FromString(serialized))
    except (DecodeError, TypeError, ValueError):
        raise invalid(f"tensor parsing error: {name}") from None


def _examples(given: Any) -> list[bytes]:
    """Serialized Examples; a context before each, as two messages in a row are their union."""
    if given.WhichOneof("kind") == "example_list_with_context":
        listed = given.example_list_with_context
        return [listed.context + example for example in listed.examples]
    return list(given.example_list.examples)
