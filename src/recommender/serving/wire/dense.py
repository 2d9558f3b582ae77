"""Nested lists to arrays, level by level instead of value by value.

Takes only what it is certain of and returns None for the rest, which the exact path reads or refuses.
"""

from __future__ import annotations

from itertools import chain
from typing import Any

import numpy as np

from recommender.serving.tensors import NUMPY_TYPES
from recommender.serving.wire.base64_text import decode_base64
from recommender.serving.wire.exact_tensors import MAX_RANK, to_array

_NUMBERS = frozenset((int, float))


class DenseReader:
    """Reads the tensors of one request as orjson parsed it.

    Remembers the strings and counts the base64 objects, for the check that the parser has lost no member.
    """

    def __init__(self) -> None:
        self.strings: list[list[str]] = []
        self.base64_objects = 0

    def array(self, values: list[Any], dtype: str) -> np.ndarray | None:
        """The array of a list, its first dimension included."""
        shape = [len(values)]
        kinds = set(map(type, values))
        while list in kinds:
            lengths = set(map(len, values)) if len(kinds) == 1 else set()
            if len(lengths) != 1 or len(shape) == MAX_RANK:
                return None
            shape += lengths
            values = list(chain.from_iterable(values))
            kinds = set(map(type, values))
        flat = self._flat(values, kinds, dtype)
        return flat if flat is None or len(shape) == 1 else flat.reshape(shape)

    def scalar(self, value: Any, dtype: str) -> np.ndarray | None:
        """The array without dimensions of one value."""
        array = self.array([value], dtype)
        return None if array is None else array.reshape(())

    def _flat(self, values: list[Any], kinds: set[type], dtype: str) -> np.ndarray | None:
        if dtype == "string":
            return self._string_array(values, kinds)
        if dtype in ("float", "double"):
            return to_array(values, dtype) if kinds <= _NUMBERS else None
        expected = bool if dtype == "bool" else int
        if dtype not in NUMPY_TYPES or kinds - {expected}:
            return None
        try:
            return to_array(values, dtype)
        except OverflowError:
            return None

    def _string_array(self, values: list[Any], kinds: set[type]) -> np.ndarray | None:
        if kinds - {str, dict}:
            return None
        if dict not in kinds:
            self.strings.append(values)
            return to_array(list(map(str.encode, values)), "string")
        self.strings.append([value for value in values if type(value) is str])
        self.base64_objects += len(values) - len(self.strings[-1])
        decoded = [value.encode() if type(value) is str else _base64_bytes(value) for value in values]
        return None if None in decoded else to_array(decoded, "string")


def _base64_bytes(value: dict[str, Any]) -> bytes | None:
    text = value.get("b64")
    return decode_base64(text.encode()) if type(text) is str and len(value) == 1 else None
