"""Random predict bodies for hypothesis: regular ones, almost regular ones and bytes."""

from __future__ import annotations

import json
import re

from hypothesis import strategies as st

DTYPES = ["float", "double", "int32", "int16", "int8", "uint8", "int64", "uint32", "uint64", "bool", "string"]
NAMES = ["x", "y", "z", "x", "y", "z", "b64", "a:b"]
_NUMBER_TEXTS = [
    *("-0", "-0.0", "1e5", "1e400", "18446744073709551615", "18446744073709551616", "01", "1.", "NaN"),
    *("-Infinity", "Inf", "2147483648", "-2147483649", "0e999", "1e-400", "0.1"),
]
_STRING_TEXTS = [
    '"\\u003a"',
    '"\\ud83d\\ude00"',
    '"\\ud800"',
    '"\\udc00"',
    '"\\u0000"',
    '"a:b"',
    '"\t"',
    '"\\q"',
]

_strings = st.one_of(st.text(max_size=4), st.sampled_from(["", "a:b", "é", "\U0001f600", '"', "\\"]))
_base64 = st.sampled_from(["", "YQ==", "YQ", "aGVsbG8=", "Y", "?", "Y Q=="]).map(lambda text: {"b64": text})
VALUES_OF = {
    "string": st.one_of(_strings, _base64),
    "bool": st.booleans(),
    **dict.fromkeys(["float", "double"], st.one_of(st.floats(allow_nan=False), st.integers(-(2**65), 2**65))),
    **dict.fromkeys([name for name in DTYPES if "int" in name], st.integers(0, 300)),
}
_anything = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), _strings, _base64),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(NAMES), inner, max_size=3)
    ),
    max_leaves=6,
)


@st.composite
def tensors(draw, dtype, size):
    """A list of values, lists of one length in it or not, now and then something else among them."""
    values = VALUES_OF[dtype] if draw(st.integers(0, 29)) else _anything
    if not draw(st.integers(0, 9)):
        values = st.one_of(values, st.integers(-(2**65), 2**65), st.booleans())
    if draw(st.booleans()):
        return [draw(values) for _ in range(size)]
    length = draw(st.integers(0, 2))
    return [[draw(values) for _ in range(length)] for _ in range(size)]


@st.composite
def predict_bodies(draw):
    """The types of the inputs and a body, which may be anything from a good request to no JSON."""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True))
    dtypes = {name: draw(st.sampled_from(DTYPES)) for name in names}
    size = draw(st.integers(1, 3))
    columns = {name: draw(tensors(dtype, size)) for name, dtype in dtypes.items()}
    document = {}
    if draw(st.booleans()):
        rows = [{name: columns[name][row] for name in names} for row in range(size)]
        document["instances"] = rows if len(names) > 1 or draw(st.booleans()) else columns[names[0]]
    else:
        document["inputs"] = columns if len(names) > 1 or draw(st.booleans()) else columns[names[0]]
    document |= draw(
        st.sampled_from([{}, {}, {"signature_name": "s:t"}, {"signature_name": 1}, {"other": [":"]}])
    )
    if not draw(st.integers(0, 9)):
        document[draw(st.sampled_from(["inputs", "instances", "other"]))] = draw(_anything)
    text = json.dumps(document, ensure_ascii=draw(st.booleans()))
    return dtypes, draw(changed(text)).encode("utf-8", "surrogatepass")


@st.composite
def changed(draw, text):
    """The text, or the text with a few places changed that JSON readers differ about."""
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 2]))):
        change = draw(st.sampled_from(["number", "string", "twice", "cut", "insert"]))
        if change == "number":
            text = _replace_one(draw, text, r"(?<=[\[:, ])-?\d[\d.e+-]*", _NUMBER_TEXTS)
        elif change == "string":
            text = _replace_one(draw, text, r'(?<=[\[:, ])"[^"\\]*"(?!:)', _STRING_TEXTS)
        elif change == "twice":
            text = _replace_one(
                draw, text, r'"(y|z|x|other|instances|inputs)": ', ['"x": ', '"inputs": ', '"y": ']
            )
        elif change == "cut":
            text = text[: draw(st.integers(0, len(text)))]
        else:
            place = draw(st.integers(0, len(text)))
            text = text[:place] + draw(st.sampled_from([*'[]{},:" \n\0\x01', "NaN", "1"])) + text[place:]
    return text


def _replace_one(draw, text, pattern, texts):
    places = [match.span() for match in re.finditer(pattern, text)]
    if not places:
        return text
    start, end = draw(st.sampled_from(places))
    return text[:start] + draw(st.sampled_from(texts)) + text[end:]
