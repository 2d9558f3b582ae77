"""Decimal numbers as TensorFlow Serving prints them."""

from __future__ import annotations

import math
import struct
from decimal import Decimal

# Digits after which every float32 and every float64 is its own again: C++'s max_digits10.
FLOAT32_DIGITS, FLOAT64_DIGITS = 9, 17
_FLOAT32 = struct.Struct("<f")


def decimal_text(value: float, digits: int) -> str:
    """`WriteDecimal` of json_tensor.cc: six digits if they are enough, else `digits`; `.0` for whole numbers.

    `value` is a float32 where `digits` is `FLOAT32_DIGITS`. What is no number is NaN, Infinity or -Infinity.
    """
    if math.isfinite(value):
        text = f"{value:.6g}"
        if _rounded(float(text), digits) != value:
            text = f"{value:.{digits}g}"
        return text if "." in text or "e" in text else text + ".0"
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def _rounded(value: float, digits: int) -> float:
    return value if digits == FLOAT64_DIGITS else to_float32(value)


def to_float32(value: float) -> float:
    """The nearest float32; beyond its range an infinity, as C++ casts."""
    try:
        return float(_FLOAT32.unpack(_FLOAT32.pack(value))[0])
    except OverflowError:
        return math.copysign(math.inf, value)


def double_text(value: float) -> str:
    """A decimal inside an array or object, as rapidjson's dtoa.h prints it: shortest digits, `1.5e-7`."""
    if value == 0:
        return "-0.0" if math.copysign(1, value) < 0 else "0.0"
    sign, digit_tuple, exponent = Decimal(repr(value)).as_tuple()
    digits = "".join(map(str, digit_tuple)).rstrip("0")
    point = len(digit_tuple) + int(exponent)
    if 0 < point <= 21:
        digits = digits.ljust(point, "0")
        text = f"{digits[:point]}.{digits[point:] or '0'}"
    elif -6 < point <= 0:
        text = f"0.{'0' * -point}{digits}"
    else:
        text = f"{digits[0]}{'.' if len(digits) > 1 else ''}{digits[1:]}e{point - 1}"
    return "-" + text if sign else text
