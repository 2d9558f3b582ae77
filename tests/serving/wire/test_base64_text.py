import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.serving.wire.base64_text import decode_base64


@given(st.binary())
def test_what_was_encoded_comes_back(data):
    assert decode_base64(base64.b64encode(data)) == data


@pytest.mark.parametrize(
    ("text", "data"),
    [
        (b"", b""), (b"YQ==", b"a"), (b"YQ", b"a"), (b"YQ..", b"a"), (b"YQ=.", b"a"), (b"YR==", b"a"),
        (b" Y\tQ =\n=\r", b"a"), (b"YWI=", b"ab"), (b"YWI", b"ab"), (b"YWJj", b"abc"),
        (b"+/+/", b"\xfb\xff\xbf"),
        (b"YQ=", None), (b"YQ===", None), (b"YWI==", None), (b"YWJj=", None), (b"=", None), (b"Y", None),
        (b"YWJjZ", None), (b"YQ==YQ==", None), (b"-_-_", None), (b"YWJ\x00", None), (b"YW J\xc2\xa0", None),
    ],
)  # fmt: skip
def test_abseils_rules_decide_what_is_base64(text, data):
    """`Base64UnescapeInternal` of absl/strings/escaping.cc."""
    assert decode_base64(text) == data
