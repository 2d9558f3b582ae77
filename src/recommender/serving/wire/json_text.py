"""Parsed values as Serving's messages quote them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from recommender.serving.wire.decimals import (
    FLOAT32_DIGITS,
    FLOAT64_DIGITS,
    decimal_text,
    double_text,
    to_float32,
)
from recommender.serving.wire.json_strings import write_string
from recommender.serving.wire.json_values import JsonObject, JsonValue

MAX_CHARACTERS = 1 << 16
_INDENT = "    "
_WORDS = {None: "null", True: "true", False: "false"}
_LARGEST_FLOAT = 3.4028234e38  # rapidjson's IsFloat


def value_text(value: JsonValue) -> str:
    """`JsonValueToString` of json_tensor.cc: rapidjson's PrettyWriter with four spaces.

    Serving quotes any size; ours ends in `...` after `MAX_CHARACTERS`, since indentation makes deep nesting
    quadratic. As in Serving, NaN or an infinity inside an array or object ends the text.
    """
    if type(value) is float:
        if abs(value) <= _LARGEST_FLOAT:
            return decimal_text(to_float32(value), FLOAT32_DIGITS)
        return decimal_text(value, FLOAT64_DIGITS)
    pieces: list[str] = []
    size = 0
    for piece in _pieces(value):
        size += len(piece)
        if size > MAX_CHARACTERS:
            return "".join(pieces) + "..."
        pieces.append(piece)
    return "".join(pieces)


def _pieces(root: JsonValue) -> Iterator[str]:
    if not isinstance(root, list | JsonObject):
        yield _scalar_text(root)
        return
    opened = [(_members(root), _brackets(root)[1])]
    yield _brackets(root)[0]
    first = True
    while opened:
        members, closing = opened[-1]
        name, value = next(members, (None, None))
        if name is None:
            opened.pop()
            yield closing if first else "\n" + _INDENT * len(opened) + closing
            first = False
            continue
        yield ("\n" if first else ",\n") + _INDENT * len(opened) + name
        first = isinstance(value, list | JsonObject)
        if first:
            opened.append((_members(value), _brackets(value)[1]))
            yield _brackets(value)[0]
        elif type(value) is float and not math.isfinite(value):
            return
        else:
            yield _scalar_text(value)


def _members(value: Any) -> Iterator[tuple[str | None, Any]]:
    """What precedes each value, and the value."""
    if isinstance(value, list):
        return (("", element) for element in value)
    return ((write_string(name).decode() + ": ", member) for name, member in value.members)


def _brackets(value: Any) -> str:
    return "[]" if isinstance(value, list) else "{}"


def _scalar_text(value: Any) -> str:
    if type(value) is bytes:
        return write_string(value).decode()
    if type(value) is float:
        return double_text(value)
    return str(value) if type(value) is int else _WORDS[value]
