"""The exact JSON parser: accepts, refuses and words as rapidjson 1.1.0, which TensorFlow Serving reads with.

Follows `GenericReader::IterativeParse` of rapidjson's reader.h with `kParseNanAndInfFlag`: nesting needs no
stack, names may repeat, `NaN`, `Inf`, `Infinity` and their negatives are numbers, a byte order mark is
skipped, a zero byte ends the text, strings are not checked for UTF-8. Unlike rapidjson, decimals are rounded
correctly, a number is too big only where its value is, and nesting ends at `MAX_DEPTH`.
"""

from __future__ import annotations

import enum
import re
from typing import Any

from recommender.serving.status import invalid
from recommender.serving.wire.json_numbers import read_number, read_numbers
from recommender.serving.wire.json_strings import PLAIN_STRING, JsonSyntaxError, read_string
from recommender.serving.wire.json_values import JsonObject, JsonValue

MAX_DEPTH = 1 << 19  # json_tensor_test.cc goes to 500,000; a level takes some 250 bytes

_SPACE = re.compile(rb"[ \t\n\r]+")
_SPACES = frozenset(b" \t\n\r")
_BYTE_ORDER_MARK = re.compile(rb"\xef?\xbb?\xbf?")
_WORDS = {ord("t"): (b"true", True), ord("f"): (b"false", False), ord("n"): (b"null", None)}
_OPEN_ARRAY, _CLOSE_ARRAY, _OPEN_OBJECT, _CLOSE_OBJECT = b"[]{}"
_COMMA, _COLON, _QUOTE = b',:"'
_NO_VALUE = frozenset(b"]},:")
_NUMBER_START = frozenset(b"-0123456789NI")


class _State(enum.Enum):
    """What was read last."""

    NOTHING = enum.auto()
    ROOT = enum.auto()
    OPENED_OBJECT = enum.auto()
    MEMBER_COMMA = enum.auto()
    NAME = enum.auto()
    COLON = enum.auto()
    MEMBER = enum.auto()
    OPENED_ARRAY = enum.auto()
    ELEMENT_COMMA = enum.auto()
    ELEMENT = enum.auto()


# What is wrong when nothing follows that fits.
_REASONS = {
    _State.NOTHING: "The document is empty.",
    _State.ROOT: "The document root must not be followed by other values.",
    _State.OPENED_OBJECT: "Missing a name for object member.",
    _State.MEMBER_COMMA: "Missing a name for object member.",
    _State.NAME: "Missing a colon after a name of object member.",
    _State.COLON: "Invalid value.",
    _State.MEMBER: "Missing a comma or '}' after an object member.",
    _State.OPENED_ARRAY: "Invalid value.",
    _State.ELEMENT_COMMA: "Invalid value.",
    _State.ELEMENT: "Missing a comma or ']' after an array element.",
}


def parse_json(body: bytes) -> JsonValue:
    """The value of a request body; raises `ServingError` as Serving words it."""
    if not body:
        raise invalid("JSON Parse error: The document is empty")
    try:
        return _Parser(body).parse()
    except JsonSyntaxError as error:
        raise invalid(f"JSON Parse error: {error}") from None


class _Parser:
    def __init__(self, body: bytes) -> None:
        self.text = body.partition(b"\0")[0]
        self.position = _skip(_BYTE_ORDER_MARK, self.text, 0)
        self.opened: list[tuple[list[Any], bool, bytes]] = []  # what is in it, is it an object, its own name
        self.name = b""  # of the member that is being read
        self.root: JsonValue = None

    def parse(self) -> JsonValue:
        steps = {
            _State.ROOT: self._nothing,
            _State.OPENED_OBJECT: self._name,
            _State.MEMBER_COMMA: self._name,
            _State.NAME: self._colon,
            _State.MEMBER: self._after_member,
            _State.ELEMENT: self._after_element,
        }
        state = _State.NOTHING
        text, end = self.text, len(self.text)
        while self.position < end:
            code = text[self.position]
            if code in _SPACES:
                self.position = _skip(_SPACE, text, self.position)
            else:
                state = steps.get(state, self._value)(state, code)
        if state is not _State.ROOT:
            raise self._error(state)
        return self.root

    def _error(self, state: _State) -> JsonSyntaxError:
        return JsonSyntaxError(_REASONS[state], self.position)

    def _nothing(self, state: _State, code: int) -> _State:
        raise self._error(state)

    def _name(self, state: _State, code: int) -> _State:
        if code == _CLOSE_OBJECT and state is _State.OPENED_OBJECT:
            return self._close()
        if code != _QUOTE:
            raise self._error(state)
        self.name = self._string()
        return _State.NAME

    def _colon(self, state: _State, code: int) -> _State:
        if code != _COLON:
            raise self._error(state)
        self.position += 1
        return _State.COLON

    def _after_member(self, state: _State, code: int) -> _State:
        if code == _CLOSE_OBJECT:
            return self._close()
        return self._comma(state, code, _State.MEMBER_COMMA)

    def _after_element(self, state: _State, code: int) -> _State:
        if code == _CLOSE_ARRAY:
            return self._close()
        return self._comma(state, code, _State.ELEMENT_COMMA)

    def _comma(self, state: _State, code: int, then: _State) -> _State:
        if code != _COMMA:
            raise self._error(state)
        self.position += 1
        return then

    def _value(self, state: _State, code: int) -> _State:
        if code in (_OPEN_ARRAY, _OPEN_OBJECT):
            return self._open(code == _OPEN_OBJECT)
        if code == _CLOSE_ARRAY and state is _State.OPENED_ARRAY:
            return self._close()
        if code in _NO_VALUE:
            raise self._error(state)
        if code in _NUMBER_START and state in (_State.OPENED_ARRAY, _State.ELEMENT_COMMA):
            numbers = read_numbers(self.text, self.position)
            if numbers is not None:
                self.opened[-1][0].extend(numbers[0])
                self.position = numbers[1]
                return _State.ELEMENT
        return self._add(self._scalar(code))

    def _open(self, is_object: bool) -> _State:
        if len(self.opened) == MAX_DEPTH:
            raise JsonSyntaxError("Terminate parsing due to Handler error.", self.position)
        self.position += 1
        self.opened.append(([], is_object, self.name))
        return _State.OPENED_OBJECT if is_object else _State.OPENED_ARRAY

    def _add(self, value: JsonValue) -> _State:
        if not self.opened:
            self.root = value
            return _State.ROOT
        content, is_object, _ = self.opened[-1]
        content.append((self.name, value) if is_object else value)
        return _State.MEMBER if is_object else _State.ELEMENT

    def _close(self) -> _State:
        self.position += 1
        content, is_object, self.name = self.opened.pop()
        return self._add(JsonObject(content) if is_object else content)

    def _scalar(self, code: int) -> JsonValue:
        if code == _QUOTE:
            return self._string()
        if code in _WORDS:
            return self._word(*_WORDS[code])
        value, self.position = read_number(self.text, self.position)
        return value

    def _string(self) -> bytes:
        plain = PLAIN_STRING.match(self.text, self.position)
        if plain is not None:
            self.position = plain.end()
            return plain.group(1)
        value, self.position = read_string(self.text, self.position)
        return value

    def _word(self, word: bytes, value: JsonValue) -> JsonValue:
        for code in word:
            if self.text[self.position : self.position + 1] != bytes((code,)):
                raise JsonSyntaxError("Invalid value.", self.position)
            self.position += 1
        return value


def _skip(pattern: re.Pattern[bytes], text: bytes, position: int) -> int:
    match = pattern.match(text, position)
    return position if match is None else match.end()
