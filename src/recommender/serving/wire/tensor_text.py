"""Arrays as JSON text.

Short answers are written byte for byte as TensorFlow Serving does, with the layouts of rapidjson's
PrettyWriter and its own digits (`9e+06`, `0.333333343`). That costs about a microsecond a number, so orjson
writes the numbers of long ones: without spaces, and with the shortest digits that give the same float32 or
float64 again.
"""

from __future__ import annotations

import binascii
import math
from itertools import chain, zip_longest
from typing import Any

import numpy as np
import orjson

from recommender.serving.status import invalid
from recommender.serving.tensors import NUMPY_TYPES
from recommender.serving.wire.decimals import FLOAT32_DIGITS, FLOAT64_DIGITS, decimal_text
from recommender.serving.wire.json_strings import write_string

INDENT = b"    "
_DIGITS = {np.dtype(np.float32): FLOAT32_DIGITS, np.dtype(np.float64): FLOAT64_DIGITS}
_WRITTEN_TYPES = frozenset(NUMPY_TYPES.values())


class TensorText:
    """Writes one tensor of an answer; `depth` below is how many arrays and objects are open around it.

    Raises `ServingError` for types that Serving does not write.
    """

    def __init__(self, name: str, array: np.ndarray, is_short: bool) -> None:
        dtype = array.dtype
        if dtype not in _WRITTEN_TYPES and array.size:
            type_name = "half" if dtype == np.float16 else dtype.name
            raise invalid(f"Failed to write JSON value for tensor type: {type_name}")
        self._array = array
        self._is_bytes = name.endswith("_bytes")
        self._is_short = is_short
        self._by_value = is_short or dtype.hasobject or array.size == 0

    def line(self, depth: int) -> bytes:
        """The tensor on one line."""
        return _line(self._nested(depth)) if self._by_value else self._numbers()

    def rows(self, depth: int) -> tuple[list[bytes], bytes]:
        """Each row on one line, and what must follow each to end it."""
        if self._by_value:
            return [_line(row) for row in self._nested(depth - 1)], b""
        text, rank = self._numbers(), self._array.ndim
        if len(self._array) == 1:
            return [text[1:-1]], b""
        if rank == 1:
            return text[1:-1].split(b","), b""
        ending = b"]" * (rank - 1)
        rows = text.split(ending, len(self._array))
        rows.pop()
        return [
            row[1:] for row in rows
        ], ending  # without the bracket of the tensor, or the comma before a row

    def block(self, depth: int) -> bytes:
        """The tensor with a line for each value and each bracket; of long answers on one line."""
        return _block(self._nested(depth), depth) if self._is_short else self.line(depth)

    def _numbers(self) -> bytes:
        """The tensor without spaces."""
        array = self._array if self._array.flags.c_contiguous else np.ascontiguousarray(self._array)
        text = orjson.dumps(array, option=orjson.OPT_SERIALIZE_NUMPY)
        if b"n" not in text:
            return text
        tokens = [_token(value) for value in array[~np.isfinite(array)].tolist()]
        return b"".join(chain.from_iterable(zip_longest(text.split(b"null"), tokens, fillvalue=b"")))

    def _nested(self, depth: int) -> Any:
        """Lists of the texts of the values, nested as the array is."""
        array = self._array
        if array.ndim == 1:
            return self._texts(array.tolist(), depth + 1)
        texts = np.empty(array.size, object)
        texts[:] = self._texts(array.ravel().tolist(), depth + array.ndim)
        return texts.reshape(array.shape).tolist()

    def _texts(self, values: list[Any], depth: int) -> list[bytes]:
        digits = _DIGITS.get(self._array.dtype)
        if digits is not None:
            return [decimal_text(value, digits).encode() for value in values]
        if not self._array.dtype.hasobject:
            return [orjson.dumps(value) for value in values]
        if self._is_bytes:
            return [_base64_object(value, depth) for value in values]
        return [write_string(value) for value in values]


def _token(value: float) -> bytes:
    if math.isnan(value):
        return b"NaN"
    return b"Infinity" if value > 0 else b"-Infinity"


def _base64_object(value: bytes, depth: int) -> bytes:
    encoded = binascii.b2a_base64(value, newline=False)
    return b'{\n%b"b64": "%b"\n%b}' % (INDENT * (depth + 1), encoded, INDENT * depth)


def _line(nested: Any) -> bytes:
    if isinstance(nested, bytes):
        return nested
    return b"[" + b", ".join(map(_line, nested)) + b"]"


def _block(nested: Any, depth: int) -> bytes:
    if isinstance(nested, bytes):
        return nested
    if not nested:
        return b"[]"
    indent = b"\n" + INDENT * (depth + 1)
    texts = [_block(element, depth + 1) for element in nested]
    return b"[" + indent + (b"," + indent).join(texts) + indent[: -len(INDENT)] + b"]"
