"""JSON numbers, with the tokens for what is no number, as rapidjson reads them."""

from __future__ import annotations

import math
import re

from recommender.serving.wire.json_strings import JsonSyntaxError

_INTEGER = re.compile(rb"-?(?:0|[1-9][0-9]*)")
_FRACTION = re.compile(rb"\.[0-9]+")
_EXPONENT = re.compile(rb"[eE][+-]?[0-9]+")
_BAD_EXPONENT = re.compile(rb"[eE][+-]?")
# Long integers and large exponents are left out: `read_number` knows what is too big.
_SHORT = rb"-?(?:(?:0|[1-9][0-9]{0,17})(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,2})?|NaN|Infinity)"
# Each is known to be followed by what may follow, so that a run ends before what is wrong and nothing is read
# twice. Not too many at once: a match and a split keep all other threads waiting.
_MOST_IN_RUN = 10_000
_FOLLOWED = _SHORT + rb"(?=[ \t\n\r]*[],])"
_RUN = re.compile(_FOLLOWED + rb"(?:[ \t\n\r]*,[ \t\n\r]*" + _FOLLOWED + rb"){0,%d}+" % (_MOST_IN_RUN - 1))
_MIN_INT64, _MAX_UINT64, _DIGITS_OF_UINT64 = -(2**63), 2**64 - 1, 20


def read_numbers(text: bytes, start: int) -> tuple[list[int | float], int] | None:
    """As many numbers between commas as start there and where they end; None where that is not so simple."""
    run = _RUN.match(text, start)
    if run is None:
        return None
    tokens = run.group().split(b",")
    return [int(token) if _is_integer(token) else float(token) for token in tokens], run.end()


def _is_integer(token: bytes) -> bool:
    return token.strip().lstrip(b"-").isdigit()


def read_number(text: bytes, start: int) -> tuple[int | float, int]:
    """The number at `start` and where it ends.

    Whole numbers beyond 64 bits are decimals. The tokens are NaN, Inf and Infinity, with or without a minus.
    """
    integer = _INTEGER.match(text, start)
    if integer is None:
        special, end = _read_special(text, start)
        digits = b"-0" if special < 0 else b"0"
    else:
        digits, end = integer.group(), integer.end()
    number_end = _end_of_number(text, end)
    if number_end > end:  # rapidjson reads `NaN.5` as 0.5
        value: int | float = float(digits + text[end:number_end])
    else:
        value = special if integer is None else _whole(digits)
    if math.isinf(value) and integer is not None:
        raise JsonSyntaxError("Number too big to be stored in double.", start)
    return value, number_end


def _whole(digits: bytes) -> int | float:
    if len(digits) > _DIGITS_OF_UINT64:
        return float(digits)
    value = int(digits)
    return value if _MIN_INT64 <= value <= _MAX_UINT64 else float(value)


def _end_of_number(text: bytes, position: int) -> int:
    """Where fraction and exponent end; `position` where there is neither."""
    fraction = _FRACTION.match(text, position)
    if fraction is not None:
        position = fraction.end()
    elif text[position : position + 1] == b".":
        raise JsonSyntaxError("Miss fraction part in number.", position + 1)
    exponent = _EXPONENT.match(text, position)
    if exponent is not None:
        return exponent.end()
    bad_exponent = _BAD_EXPONENT.match(text, position)
    if bad_exponent is not None:
        raise JsonSyntaxError("Miss exponent in number.", bad_exponent.end())
    return position


def _read_special(text: bytes, start: int) -> tuple[float, int]:
    minus = text[start : start + 1] == b"-"
    begin = start + minus
    end = _common_end(text, begin, b"NaN")
    if end == begin + 3:
        return math.nan, end
    begin, end = end, _common_end(text, end, b"Inf")
    complete = end == begin + 3
    if complete and text[end : end + 1] == b"i":
        begin, end = end, _common_end(text, end, b"inity")
        complete = end == begin + 5
    if not complete:
        raise JsonSyntaxError("Invalid value.", end)
    return -math.inf if minus else math.inf, end


def _common_end(text: bytes, start: int, word: bytes) -> int:
    """Where `text` stops to agree with `word`."""
    for index, code in enumerate(word):
        if text[start + index : start + index + 1] != bytes((code,)):
            return start + index
    return start + len(word)
