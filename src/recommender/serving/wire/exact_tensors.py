"""One named input, filled value by value as `FillTensorProto` of json_tensor.cc does it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from recommender.serving.status import Code, ServingError, invalid
from recommender.serving.tensors import NUMPY_TYPES, TensorInfo
from recommender.serving.wire.base64_text import decode_base64
from recommender.serving.wire.json_text import value_text
from recommender.serving.wire.json_values import JsonObject, JsonValue, is_base64, type_name

# numpy knows arrays of 64 dimensions and a row adds one.
MAX_RANK = 63

Shape = tuple[int, ...]


class ExactTensor:
    """Collects the values of one input from one JSON value (a column) or from several (its rows)."""

    def __init__(self, info: TensorInfo) -> None:
        self._dtype = info.dtype
        self._values: list[Any] = []
        self._shape: Shape | None = None
        self._size = 0

    def fill(self, value: JsonValue) -> None:
        """Add a value; every further one must have the shape of the first."""
        shape = dense_shape(value)
        size = self._fill(value, 0, shape)
        if self._shape is None:
            self._shape, self._size = shape, size
        elif size != self._size:
            raise invalid(f"Expecting tensor size: {self._size} but got: {size}")
        elif shape != self._shape:
            raise invalid(f"Expecting shape {_shape_text(self._shape)} but got: {_shape_text(shape)}")

    def array(self, rows: int | None = None) -> np.ndarray:
        """What was filled, `rows` being the first dimension. A value given twice in a row shifts the rest."""
        shape = (self._shape or ()) if rows is None else (rows, *(self._shape or ()))
        values = self._values[: int(np.prod(shape, dtype=np.int64))]
        if self._dtype not in NUMPY_TYPES:  # nothing was there to be refused
            raise ServingError(Code.UNIMPLEMENTED, f"Conversion of JSON Value: [] to type: {self._dtype}")
        return to_array(values, self._dtype).reshape(shape)

    def _fill(self, value: JsonValue, level: int, shape: Shape) -> int:
        rank = len(shape)
        if not isinstance(value, list):
            if level != rank:
                raise invalid(
                    f"JSON Value: {value_text(value)} found at incorrect level: {level + 1}"
                    f" in the JSON DOM. Expected at level: {rank}"
                )
            self._values.append(_element(value, self._dtype))
            return 1
        if level >= rank:
            raise invalid(f"Encountered list at unexpected level: {level} expected < {rank}")
        if len(value) != shape[level]:
            raise invalid(
                f"Encountered list at unexpected size: {len(value)} at level: {level}"
                f" expected size: {shape[level]}"
            )
        return sum([self._fill(element, level + 1, shape) for element in value])


def dense_shape(value: JsonValue) -> Shape:
    """The sizes along the first elements; deeper nesting than `MAX_RANK` is refused."""
    shape: list[int] = []
    while isinstance(value, list):
        shape.append(len(value))
        if len(shape) > MAX_RANK:
            raise invalid(f"Encountered list at unexpected level: {MAX_RANK} expected < {MAX_RANK}")
        if not value:
            break
        value = value[0]
    return tuple(shape)


def to_array(values: list[Any], dtype: str) -> np.ndarray:
    """A one-dimensional array; int16, int8 and uint8 keep the low bits, as tensors made from `int_val` do."""
    if dtype == "float":
        with np.errstate(over="ignore"):  # beyond float32 is infinite, as in C++
            return np.array(values, np.float32)
    if dtype in ("int16", "int8", "uint8"):
        return np.array(values, np.int32).astype(NUMPY_TYPES[dtype])
    return np.array(values, NUMPY_TYPES[dtype])


def _element(value: JsonValue, dtype: str) -> Any:
    """The value as the tensor holds it: `AddValueToTensor`, or bytes of base64."""
    if isinstance(value, JsonObject):
        if dtype != "string":
            raise _type_error(value, dtype)
        return base64_bytes(value)
    if dtype not in NUMPY_TYPES:
        raise ServingError(
            Code.UNIMPLEMENTED, f"Conversion of JSON Value: {value_text(value)} to type: {dtype}"
        )
    if not _TAKES[dtype](value):
        raise _type_error(value, dtype)
    return value


def base64_bytes(value: JsonObject) -> bytes:
    """The bytes of `{"b64": "..."}`."""
    if not is_base64(value):
        raise invalid(f"JSON Value: {value_text(value)} not formatted correctly for base64 data")
    decoded = decode_base64(value.members[0][1])  # type: ignore[arg-type]
    if decoded is None:
        raise invalid("Unable to base64 decode")
    return decoded


def _type_error(value: JsonValue, dtype: str) -> ServingError:
    return invalid(
        f"JSON Value: {value_text(value)} Type: {type_name(value)} is not of expected type: {dtype}"
    )


def _is_number(value: JsonValue) -> bool:
    return type(value) in (int, float)


def _integer(least: int, most: int) -> Callable[[JsonValue], bool]:
    return lambda value: type(value) is int and least <= value <= most


_IS_INT = _integer(-(2**31), 2**31 - 1)
_TAKES: dict[str, Callable[[JsonValue], bool]] = {
    "float": _is_number,
    "double": _is_number,
    **dict.fromkeys(("int32", "int16", "int8", "uint8"), _IS_INT),
    "int64": _integer(-(2**63), 2**63 - 1),
    "uint32": _integer(0, 2**32 - 1),
    "uint64": _integer(0, 2**64 - 1),
    "bool": lambda value: type(value) is bool,
    "string": lambda value: type(value) is bytes,
}


def _shape_text(shape: Shape) -> str:
    return f"[{','.join(map(str, shape))}]"
