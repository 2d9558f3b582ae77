"""JSON strings to bytes and back, in rapidjson's words."""

from __future__ import annotations

import re

import orjson

PLAIN_STRING = re.compile(rb'"([^"\\\x00-\x1f]*)"')
_PLAIN = re.compile(rb'[^"\\\x00-\x1f]*')
_HEX4 = re.compile(rb"[0-9a-fA-F]{4}")
_ESCAPES = {34: b'"', 47: b"/", 92: b"\\", 98: b"\b", 102: b"\f", 110: b"\n", 114: b"\r", 116: b"\t"}
_BACKSLASH, _QUOTE, _U = 92, 34, 117

_WRITTEN = {code: f"\\u{code:04X}" for code in range(0x20)} | {
    ord('"'): '\\"', ord("\\"): "\\\\", 8: "\\b", 12: "\\f", 10: "\\n", 13: "\\r", 9: "\\t"
}  # fmt: skip


class JsonSyntaxError(Exception):
    """The text is not JSON: `reason` is rapidjson's `GetParseError_En`, `offset` the byte it stopped at."""

    def __init__(self, reason: str, offset: int) -> None:
        super().__init__(f"{reason} at offset: {offset}")


def read_string(text: bytes, start: int) -> tuple[bytes, int]:
    """The string whose opening quote is at `start`, and where it ends.

    As rapidjson without validation: bytes that are not UTF-8 pass, a lone low surrogate passes as its three
    bytes, a lone high one does not.
    """
    pieces, position = [], start + 1
    while True:
        end = _PLAIN.match(text, position).end()  # type: ignore[union-attr]
        pieces.append(text[position:end])
        code = text[end] if end < len(text) else 0
        if code == _QUOTE:
            return b"".join(pieces), end + 1
        if code == 0:
            raise JsonSyntaxError("Missing a closing quotation mark in string.", end)
        if code != _BACKSLASH:
            raise JsonSyntaxError("Invalid escape character in string.", end)
        piece, position = _read_escape(text, end)
        pieces.append(piece)


def _read_escape(text: bytes, start: int) -> tuple[bytes, int]:
    code = text[start + 1] if start + 1 < len(text) else 0
    if code in _ESCAPES:
        return _ESCAPES[code], start + 2
    if code != _U:
        raise JsonSyntaxError("Invalid escape character in string.", start)
    point, position = _read_hex4(text, start + 2, start)
    if 0xD800 <= point <= 0xDBFF:
        if text[position : position + 2] != b"\\u":
            raise JsonSyntaxError("The surrogate pair in string is invalid.", start)
        low, position = _read_hex4(text, position + 2, start)
        if not 0xDC00 <= low <= 0xDFFF:
            raise JsonSyntaxError("The surrogate pair in string is invalid.", start)
        point = ((point - 0xD800) << 10 | (low - 0xDC00)) + 0x10000
    return chr(point).encode("utf-8", "surrogatepass"), position


def _read_hex4(text: bytes, start: int, escape: int) -> tuple[int, int]:
    digits = _HEX4.match(text, start)
    if digits is None:
        raise JsonSyntaxError("Incorrect hex digit after \\u escape in string.", escape)
    return int(digits.group(), 16), digits.end()


def write_string(value: bytes) -> bytes:
    """The JSON string, quotes included, with rapidjson's escapes.

    What is not UTF-8 becomes U+FFFD. Serving writes such bytes as they are, which no JSON reader takes.
    """
    text = value.decode("utf-8", "replace")
    written = orjson.dumps(text)
    if b"\\u" not in written:
        return written
    return b'"' + text.translate(_WRITTEN).encode() + b'"'
