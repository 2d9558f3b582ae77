"""The body of `:predict` to numpy arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from recommender.serving.status import ServingError
from recommender.serving.tensors import TensorInfo, Tensors
from recommender.serving.wire.dense import DenseReader
from recommender.serving.wire.exact_request import parse_object, read_rows_or_columns, signature_name_of

InputsOf = Callable[[str], Mapping[str, TensorInfo]]


@dataclass(frozen=True, slots=True)
class PredictRequest:
    """What is asked: the signature ("" for the default one), in row or column form, and tensors by name."""

    signature_name: str
    row_form: bool
    inputs: Tensors


def read_predict_request(body: bytes, inputs_of: InputsOf) -> PredictRequest:
    """Read a request body.

    `inputs_of` gives the inputs of a signature and may raise `ServingError`; it may be asked twice. Raises
    `ServingError` with Serving's words. Does not compare shapes with the signature's: the model does.
    """
    request = _read_whole_columns(body, inputs_of)
    return _read_exactly(body, inputs_of) if request is None else request


def _read_exactly(body: bytes, inputs_of: InputsOf) -> PredictRequest:
    document = parse_object(body)
    signature_name = signature_name_of(document)
    row_form, tensors = read_rows_or_columns(document, signature_name, inputs_of(signature_name))
    return PredictRequest(signature_name, row_form, tensors)


def _read_whole_columns(body: bytes, inputs_of: InputsOf) -> PredictRequest | None:
    """The request where all of it is regular, else None: no error is worded here, not even a signature's."""
    try:
        document = orjson.loads(body)
        signature_name = document.get("signature_name", "") if type(document) is dict else None
        if type(signature_name) is not str or len(document) != 1 + ("signature_name" in document):
            return None
        inputs = inputs_of(signature_name)
    except (orjson.JSONDecodeError, ServingError):
        return None
    if not inputs:  # refused, whatever is sent
        return None
    reader = DenseReader()
    rows, columns = document.get("instances"), document.get("inputs")
    if rows and type(rows) is list:
        tensors, members = _read_rows(reader, rows, inputs)
    else:
        tensors, members = _read_columns(reader, columns, inputs)
    if tensors is None or _may_have_lost_members(body, signature_name, len(document) + members, reader):
        return None
    return PredictRequest(signature_name, columns is None, tensors)


def _read_rows(
    reader: DenseReader, rows: list[Any], inputs: Mapping[str, TensorInfo]
) -> tuple[Tensors | None, int]:
    """The tensors of rows and how many members their objects have."""
    first = rows[0]
    if type(first) is not dict or (first.keys() == {"b64"} and "b64" not in inputs):
        return (_tensors(reader, inputs, [rows]) if len(inputs) == 1 else None), 0
    try:
        columns = [[row[name] for row in rows] for name in inputs]
    except (KeyError, TypeError):
        return None, 0
    members = len(inputs) * len(rows)
    if sum(map(len, rows)) != members or "b64" in inputs:
        return None, 0
    return _tensors(reader, inputs, columns), members


def _read_columns(
    reader: DenseReader, columns: Any, inputs: Mapping[str, TensorInfo]
) -> tuple[Tensors | None, int]:
    """The tensors of columns and how many members their object has."""
    if type(columns) is dict and columns.keys() == inputs.keys() and "b64" not in inputs:
        return _tensors(reader, inputs, list(map(columns.__getitem__, inputs))), len(inputs)
    if type(columns) is list and len(inputs) == 1:
        return _tensors(reader, inputs, [columns]), 0
    return None, 0


def _tensors(reader: DenseReader, inputs: Mapping[str, TensorInfo], columns: list[Any]) -> Tensors | None:
    tensors = {}
    for (name, info), column in zip(inputs.items(), columns, strict=True):
        read = reader.array if type(column) is list else reader.scalar
        array = read(column, info.dtype)
        if array is None:
            return None
        tensors[name] = array
    return tensors


def _may_have_lost_members(body: bytes, signature_name: str, members: int, reader: DenseReader) -> bool:
    """Whether a name might have come twice in an object: orjson keeps the last, Serving the first.

    Every member has its colon, so the colons of the body less those in strings are the members that came.
    """
    colons = body.count(b":")
    if colons == members:
        return False
    inside = signature_name.count(":") + sum(["".join(strings).count(":") for strings in reader.strings])
    return colons != members + reader.base64_objects + inside or b"\\u003" in body
