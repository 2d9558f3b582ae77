"""A predict request read value by value: what a request means, and every error, in Serving's words.

Follows `FillPredictRequestFromJson` of json_tensor.cc.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NoReturn

import numpy as np

from recommender.serving.status import ServingError, invalid
from recommender.serving.tensors import TensorInfo, Tensors
from recommender.serving.wire.exact_tensors import ExactTensor
from recommender.serving.wire.json_parser import parse_json
from recommender.serving.wire.json_text import value_text
from recommender.serving.wire.json_values import JsonObject, JsonValue, is_base64

Inputs = Mapping[str, TensorInfo]


def parse_object(body: bytes) -> JsonObject:
    """The request body, which must be a JSON object."""
    document = parse_json(body)
    if not isinstance(document, JsonObject):
        raise format_error(document, "Is not object")
    return document


def format_error(value: JsonValue, rule: str) -> ServingError:
    """A request that is JSON, but not laid out as it must be."""
    return invalid(f"JSON Value: {value_text(value)} {rule}")


def signature_name_of(document: JsonObject) -> str:
    """The signature asked for, "" for the default one."""
    if "signature_name" not in document:
        return ""
    name = document["signature_name"]
    if not isinstance(name, bytes):
        raise format_error(document, "not formatted correctly. 'signature_name' key must be a string value.")
    return name.decode("utf-8", "replace")


def read_rows_or_columns(document: JsonObject, signature_name: str, inputs: Inputs) -> tuple[bool, Tensors]:
    """Whether the request is in row form, and its tensors."""
    if not inputs:
        raise invalid(f"Failed to get input map for signature: {signature_name or 'DEFAULT'}")
    if "instances" not in document:
        if "inputs" not in document:
            raise invalid("Missing 'inputs' or 'instances' key")
        return False, _read_columns(document["inputs"], inputs)
    if "inputs" in document:
        raise format_error(
            document,
            "Not formatted correctly expecting only one of 'inputs' or 'instances' keys to exist ",
        )
    rows = document["instances"]
    if not isinstance(rows, list):
        raise format_error(document, "Expecting 'instances' to be an list/array")
    if not rows:
        raise format_error(document, "No values in 'instances' array")
    return True, _read_rows(rows, inputs)


def _read_rows(rows: list[JsonValue], inputs: Inputs) -> Tensors:
    if not isinstance(rows[0], JsonObject) and len(inputs) > 1:
        raise invalid(
            "instances is a plain list, but expecting list of objects as multiple input tensors"
            " required as per tensorinfo_map"
        )
    tensors: dict[str, ExactTensor] = {}
    if _is_row_object(rows[0]):
        for index, row in enumerate(rows):
            _read_row_object(index, row, inputs, tensors)
    else:
        for index, row in enumerate(rows):
            _read_row_value(index, row, inputs, tensors)
    return {name: tensor.array(len(rows)) for name, tensor in tensors.items()}


def _is_row_object(row: JsonValue) -> bool:
    return isinstance(row, JsonObject) and not is_base64(row)


def _read_row_object(index: int, row: JsonValue, inputs: Inputs, tensors: dict[str, ExactTensor]) -> None:
    if not isinstance(row, JsonObject) or is_base64(row):
        raise invalid(f"Expecting object but got list at item {index} of input list")
    names = set()
    for key, value in row.members:
        name = member_name(key)
        names.add(name)
        try:
            _tensor(name, inputs, tensors).fill(value)
        except ServingError as error:
            _fail(f"{index} key: {name}", error)
    if names != inputs.keys():
        raise invalid(
            f"Failed to process element: {index} of 'instances' list. JSON object: {value_text(row)}"
            f" keys must be equal to: {','.join(sorted(inputs))}"
        )


def _read_row_value(index: int, row: JsonValue, inputs: Inputs, tensors: dict[str, ExactTensor]) -> None:
    if _is_row_object(row):
        raise invalid(f"Expecting value/list but got object at item {index} of input list")
    try:
        _tensor(next(iter(inputs)), inputs, tensors).fill(row)
    except ServingError as error:
        _fail(str(index), error)


def _tensor(name: str, inputs: Inputs, tensors: dict[str, ExactTensor]) -> ExactTensor:
    if name not in inputs:
        raise invalid(f"JSON object: does not have named input: {name}")
    if name not in tensors:
        tensors[name] = ExactTensor(inputs[name])
    return tensors[name]


def _fail(element: str, error: ServingError) -> NoReturn:
    raise invalid(
        f"Failed to process element: {element} of 'instances' list. Error: {error.with_code()}"
    ) from None


def _read_columns(value: JsonValue, inputs: Inputs) -> Tensors:
    if not isinstance(value, JsonObject) or is_base64(value):
        if len(inputs) > 1:
            raise invalid(
                "inputs is a plain value/list, but expecting an object as multiple input tensors"
                " required as per tensorinfo_map"
            )
        return {name: _column(value, info) for name, info in inputs.items()}
    tensors = {}
    for name, info in inputs.items():
        if name not in value:
            raise invalid(f"Missing named input: {name} in 'inputs' object.")
        tensors[name] = _column(value[name], info)
    return tensors


def _column(value: JsonValue, info: TensorInfo) -> np.ndarray:
    tensor = ExactTensor(info)
    tensor.fill(value)
    return tensor.array()


def member_name(key: bytes) -> str:
    """The name of a member where Serving reads it as a C string, which ends at the first zero byte."""
    return key.partition(b"\0")[0].decode("utf-8", "replace")
