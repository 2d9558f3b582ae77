"""The bodies of `:classify` and `:regress` to serialized tf.Examples, and their answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from recommender.serving.status import invalid
from recommender.serving.wire.decimals import to_float32
from recommender.serving.wire.exact_request import (
    format_error,
    member_name,
    parse_object,
    signature_name_of,
)
from recommender.serving.wire.exact_tensors import base64_bytes
from recommender.serving.wire.json_strings import write_string
from recommender.serving.wire.json_values import JsonObject, JsonValue, is_base64, type_name
from recommender.serving.wire.predictions import FEW_NUMBERS
from recommender.serving.wire.tensor_text import TensorText

_MAX_INT64 = 2**63 - 1
_KINDS = {bool: "int64", int: "int64", float: "float", bytes: "bytes", JsonObject: "bytes"}


@dataclass(frozen=True, slots=True)
class ExamplesRequest:
    """What is asked: the signature ("" for the default one) and serialized tf.Examples, context merged in."""

    signature_name: str
    examples: list[bytes]


def read_examples_request(body: bytes) -> ExamplesRequest:
    """Read a body as `FillClassifyRegressRequestFromJson` of json_tensor.cc does; raises `ServingError`."""
    document = parse_object(body)
    signature_name = signature_name_of(document)
    context = _serialized(document["context"]) if "context" in document else b""
    if "examples" not in document:
        raise format_error(document, "When method is classify, key 'examples' is expected and was not found")
    examples = document["examples"]
    if not isinstance(examples, list):
        raise format_error(document, "Expecting 'examples' value to be an list/array")
    if not examples:
        raise format_error(document, "'examples' value is an empty array")
    # Messages of protocol buffers merge by concatenation; the features of the example win.
    return ExamplesRequest(signature_name, [context + _serialized(example) for example in examples])


def _serialized(value: JsonValue) -> bytes:
    from tensorflow.core.example import example_pb2, feature_pb2  # TensorFlow takes seconds to import

    if not isinstance(value, JsonObject):
        raise invalid(f"Example must be JSON object but got JSON {type_name(value)}")
    example = example_pb2.Example()
    for key, content in value.members:
        name = member_name(key)
        feature = feature_pb2.Feature()
        for element in content if isinstance(content, list) else [content]:
            _add(feature, name, element)
        example.features.feature[name].CopyFrom(feature)
    return example.SerializeToString()


def _add(feature: Any, name: str, element: JsonValue) -> None:
    """Append to the list of the feature; its first element decides which list that is."""
    kind = _KINDS.get(type(element))
    if kind is None or (isinstance(element, JsonObject) and not is_base64(element)):
        raise invalid(f"Feature: {name} has element with unexpected JSON type: {type_name(element)}")
    filled = feature.WhichOneof("kind")
    if filled not in (None, f"{kind}_list"):
        expected = filled.removesuffix("_list")
        raise invalid(f"Unexpected element type in feature: {name} expecting type: {expected}")
    if isinstance(element, int) and element > _MAX_INT64:
        raise invalid(f"Feature: {name} has uint64_t element. Only int64_t is supported.")
    getattr(feature, f"{kind}_list").value.append(_feature_value(element))


def _feature_value(element: JsonValue) -> int | float | bytes:
    if isinstance(element, JsonObject):
        return base64_bytes(element)
    if isinstance(element, float):
        return to_float32(element)
    return element if isinstance(element, bytes) else int(element)  # type: ignore[arg-type]


def write_classifications(results: Sequence[Sequence[tuple[bytes, float]]]) -> bytes:
    """The answer of `:classify`: for each example its labels and float32 scores."""
    if not results:
        raise invalid("Cannot convert empty ClassificationResults to JSON")
    scores = iter(_float32_texts([score for classes in results for _, score in classes]))
    examples = [
        b", ".join([b"[%b, %b]" % (write_string(label), next(scores)) for label, _ in classes])
        for classes in results
    ]
    return b'{\n    "results": [[' + b"], [".join(examples) + b"]\n    ]\n}"


def write_regressions(values: Sequence[float]) -> bytes:
    """The answer of `:regress`: a float32 an example."""
    if not values:
        raise invalid("Cannot convert empty RegressionResults to JSON")
    return b'{\n    "results": [' + b", ".join(_float32_texts(values)) + b"]\n}"


def _float32_texts(values: Sequence[float]) -> list[bytes]:
    return TensorText("", np.array(values, np.float32), len(values) <= FEW_NUMBERS).rows(2)[0]
