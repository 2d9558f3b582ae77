"""Base64 as Abseil takes it."""

from __future__ import annotations

import binascii

_SPACES = b" \t\n\v\f\r"
_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_PADDING = b"=."
_MISSING = {0: 0, 2: 2, 3: 1}  # characters of the last group -> characters of padding


def decode_base64(text: bytes) -> bytes | None:
    """The bytes, or None where `absl::Base64Unescape` (absl/strings/escaping.cc) fails.

    Spaces are skipped anywhere; padding is `=` or `.`, all of it or none; left-over bits are ignored.
    """
    packed = text.translate(None, _SPACES)
    data = packed.rstrip(_PADDING)
    missing = _MISSING.get(len(data) % 4)
    if missing is None or len(packed) - len(data) not in (0, missing) or data.translate(None, _ALPHABET):
        return None
    return binascii.a2b_base64(data + b"=" * missing)
