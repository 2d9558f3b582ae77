"""The exact JSON parser against what rapidjson 1.1.0 answered, recorded from a program built with it.

`IterativeParse` with `kParseNanAndInfFlag` over `EncodedInputStream<UTF8<>, MemoryStream>`, as `ParseJson` of
tensorflow_serving/util/json_tensor.cc calls it; the texts are those of rapidjson/error/en.h.
"""

from __future__ import annotations

import math

import pytest

from recommender.serving.status import ServingError
from recommender.serving.wire import json_parser
from recommender.serving.wire.json_parser import parse_json
from recommender.serving.wire.json_text import MAX_CHARACTERS, value_text
from recommender.serving.wire.json_values import JsonObject

REFUSED = [
    (b" ", "The document is empty. at offset: 1"),
    (b"\n\t ", "The document is empty. at offset: 3"),
    (b"]", "The document is empty. at offset: 0"),
    (b"}", "The document is empty. at offset: 0"),
    (b",", "The document is empty. at offset: 0"),
    (b":", "The document is empty. at offset: 0"),
    (b"{} x", "The document root must not be followed by other values. at offset: 3"),
    (b"[1] [2]", "The document root must not be followed by other values. at offset: 4"),
    (b"{", "Missing a name for object member. at offset: 1"),
    (b"{,", "Missing a name for object member. at offset: 1"),
    (b"{1:2}", "Missing a name for object member. at offset: 1"),
    (b'{"a"', "Missing a colon after a name of object member. at offset: 4"),
    (b'{"a" 1}', "Missing a colon after a name of object member. at offset: 5"),
    (b'{"a":', "Invalid value. at offset: 5"),
    (b'{"a":}', "Invalid value. at offset: 5"),
    (b'{"a":1', "Missing a comma or '}' after an object member. at offset: 6"),
    (b'{"a":1 "b":2}', "Missing a comma or '}' after an object member. at offset: 7"),
    (b'{"a":1,}', "Missing a name for object member. at offset: 7"),
    (b'{"a":1,,}', "Missing a name for object member. at offset: 7"),
    (b"[", "Invalid value. at offset: 1"),
    (b"[,", "Invalid value. at offset: 1"),
    (b"[1", "Missing a comma or ']' after an array element. at offset: 2"),
    (b"[1 2]", "Missing a comma or ']' after an array element. at offset: 3"),
    (b"[1,]", "Invalid value. at offset: 3"),
    (b"[1,,2]", "Invalid value. at offset: 3"),
    (b"[}", "Invalid value. at offset: 1"),
    (b'{"a":[1}', "Missing a comma or ']' after an array element. at offset: 7"),
    (b"instances = [1, 2]", "Invalid value. at offset: 0"),
    (b"nul", "Invalid value. at offset: 3"),
    (b"nulL", "Invalid value. at offset: 3"),
    (b"tru", "Invalid value. at offset: 3"),
    (b"trUe", "Invalid value. at offset: 2"),
    (b"False", "Invalid value. at offset: 0"),
    (b"fals", "Invalid value. at offset: 4"),
    (b"[NaN, Nan]", "Invalid value. at offset: 8"),
    (b"[Infinit]", "Invalid value. at offset: 8"),
    (b"[INF]", "Invalid value. at offset: 2"),
    (b"[-]", "Invalid value. at offset: 2"),
    (b"[+1]", "Invalid value. at offset: 1"),
    (b"[.5]", "Invalid value. at offset: 1"),
    (b"[1.]", "Miss fraction part in number. at offset: 3"),
    (b"[1.e5]", "Miss fraction part in number. at offset: 3"),
    (b"[1e]", "Miss exponent in number. at offset: 3"),
    (b"[1e+]", "Miss exponent in number. at offset: 4"),
    (b"[01]", "Missing a comma or ']' after an array element. at offset: 2"),
    (b"[-01]", "Missing a comma or ']' after an array element. at offset: 3"),
    (b"[1e309]", "Number too big to be stored in double. at offset: 1"),
    (b"[-1e309]", "Number too big to be stored in double. at offset: 1"),
    (b"[" + b"9" * 310 + b"]", "Number too big to be stored in double. at offset: 1"),
    (b'"abc', "Missing a closing quotation mark in string. at offset: 4"),
    (b'"abc\\', "Invalid escape character in string. at offset: 4"),
    (b'"\\x"', "Invalid escape character in string. at offset: 1"),
    (b'"\\u12"', "Incorrect hex digit after \\u escape in string. at offset: 1"),
    (b'"\\u12g4"', "Incorrect hex digit after \\u escape in string. at offset: 1"),
    (b'"\\ud800"', "The surrogate pair in string is invalid. at offset: 1"),
    (b'"\\ud800\\n"', "The surrogate pair in string is invalid. at offset: 1"),
    (b'"\\ud800\\u0041"', "The surrogate pair in string is invalid. at offset: 1"),
    (b'"\\ud83d\\u12"', "Incorrect hex digit after \\u escape in string. at offset: 1"),
    (b'"a\nb"', "Invalid escape character in string. at offset: 2"),
    (b'"a\tb"', "Invalid escape character in string. at offset: 2"),
    (b'"a\x01b"', "Invalid escape character in string. at offset: 2"),
    (b'"a\x00b"', "Missing a closing quotation mark in string. at offset: 2"),
    (b"{'a':1}", "Missing a name for object member. at offset: 1"),
    (b"[1]//c", "The document root must not be followed by other values. at offset: 3"),
    (b"\xef\xbb\xbf", "The document is empty. at offset: 3"),
    (b"\xef\xbb\xbf[1,]", "Invalid value. at offset: 6"),
    (b"\xff", "Invalid value. at offset: 0"),
    (b"\x00", "The document is empty. at offset: 0"),
]


@pytest.mark.parametrize(("body", "error"), REFUSED, ids=[repr(body)[:30] for body, _ in REFUSED])
def test_a_body_that_is_no_json_is_refused_with_the_words_and_the_offset_of_rapidjson(body, error):
    with pytest.raises(ServingError) as raised:
        parse_json(body)
    assert raised.value.message == f"JSON Parse error: {error}"
    assert raised.value.http_status == 400


def test_no_body_at_all_has_words_of_its_own():
    with pytest.raises(ServingError, match=r"^JSON Parse error: The document is empty$"):
        parse_json(b"")


PRINTED = [
    (b"{}\x00garbage", b"{}"),
    (b"\xef\xbb\xbf{}", b"{}"),
    (b"\xef{}", b"{}"),
    (b'"\\udc00"', b'"\xed\xb0\x80"'),
    (b'"\xff\xc3"', b'"\xff\xc3"'),
    (b'"\\u0041\\u00e9\\ud83d\\ude00\\u0000"', b'"A\xc3\xa9\xf0\x9f\x98\x80\\u0000"'),
    (b'"\\"\\\\\\/\\b\\f\\n\\r\\t\x7f"', b'"\\"\\\\/\\b\\f\\n\\r\\t\x7f"'),
    (b"[-0,-0.0,0,0.0]", b"[\n    0,\n    -0.0,\n    0,\n    0.0\n]"),
    (
        b"[18446744073709551615,-9223372036854775808]",
        b"[\n    18446744073709551615,\n    -9223372036854775808\n]",
    ),
    (b"[1e2,1E+2,1e-2,12345678.9]", b"[\n    100.0,\n    100.0,\n    0.01,\n    12345678.9\n]"),
    (b'{"a":1,"a":2}', b'{\n    "a": 1,\n    "a": 2\n}'),
    (
        b"[1e22, 1e21, 123456789012, 0.000001, 0.0000001, 1.5e300]",
        b"[\n    1e22,\n    1e21,\n    123456789012,\n    0.000001,\n    1e-7,\n    1.5e300\n]",
    ),
    (b"[NaN.5, NaNe5]", b"[\n    0.5,\n    0.0\n]"),
    (b"[[],{},[[]]]", b"[\n    [],\n    {},\n    [\n        []\n    ]\n]"),
    (b'{"a":[NaN,1]}', b'{\n    "a": [\n        '),
    (b'["\\u001f\\u0010/"]', b'[\n    "\\u001F\\u0010/"\n]'),
]


@pytest.mark.parametrize(("body", "text"), PRINTED, ids=[repr(body)[:30] for body, _ in PRINTED])
def test_messages_quote_a_value_as_the_pretty_writer_prints_it(body, text):
    assert value_text(parse_json(body)) == text.decode("utf-8", "replace")


def test_strings_that_are_not_utf_8_pass_as_they_are():
    assert parse_json(b'"\xff\xc3"') == b"\xff\xc3"
    assert parse_json(b'"\\udc00"') == b"\xed\xb0\x80"


@pytest.mark.parametrize("token", [b"NaN", b"-NaN", b"Inf", b"-Inf", b"Infinity", b"-Infinity"])
def test_tokens_that_are_no_json_are_numbers(token):
    (value,) = parse_json(b"[%b]" % token)
    assert math.isnan(value) if b"N" in token else value == math.inf * (-1 if b"-" in token else 1)


def test_whole_numbers_are_integers_until_64_bits_end():
    values = parse_json(b"[-0, -9223372036854775808, 18446744073709551615, 18446744073709551616, 1.0]")
    assert [type(value) for value in values] == [int, int, int, float, float]
    assert values[:3] == [0, -(2**63), 2**64 - 1]


@pytest.mark.parametrize("last", [b"1x", b"1e999", b"{}", b"12345678901234567890", b"1 1", b"-"])
def test_what_follows_many_numbers_does_not_make_them_be_read_again(last):
    """Read anew for each number, these would take hours."""
    many = 300_000
    body = b"[" + b"1," * many + last + b"]"
    if last in (b"{}", b"12345678901234567890"):
        assert len(parse_json(body)) == many + 1
    else:
        with pytest.raises(ServingError):
            parse_json(body)


def test_zero_with_any_exponent_is_zero():
    assert parse_json(b"[0e999, 1e-999]") == [0.0, 0.0]


def test_the_first_of_two_members_of_one_name_counts():
    value = parse_json(b'{"a": 1, "b": 2, "a": 3}')
    assert isinstance(value, JsonObject)
    assert (value["a"], value["b"], "c" in value) == (1, 2, False)


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}"), ('[{"a":', "}]")])
def test_nesting_may_be_deeper_than_any_stack(opening, closing):
    value = parse_json(f"{opening * 50_000}1{closing * 50_000}".encode())
    assert len(value_text(value)) <= MAX_CHARACTERS + 3


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0, "1.0"),
        (0.1, "0.1"),
        (9000000.0, "9e+06"),
        (1e300, "1e+300"),
        (1 / 3, "0.333333343"),  # as a float32
        (math.nan, "NaN"),
        (-math.inf, "-Infinity"),
        (7, "7"),
        (None, "null"),
        (True, "true"),
        (b'a"b', '"a\\"b"'),
    ],
)
def test_a_value_alone_is_quoted_as_an_answer_prints_it(value, text):
    """`JsonValueToString` of json_tensor.cc."""
    assert value_text(value) == text


def test_nesting_ends_somewhere(monkeypatch):
    monkeypatch.setattr(json_parser, "MAX_DEPTH", 3)
    parse_json(b"[[[]]]")
    with pytest.raises(
        ServingError, match=r"^JSON Parse error: Terminate parsing due to Handler error\. at offset: 3$"
    ):
        parse_json(b"[[[[]]]]")


def test_long_values_are_cut_in_messages():
    text = value_text([b"x" * 100] * 10_000)
    assert text.endswith("...")
    assert len(text) <= MAX_CHARACTERS + 3
