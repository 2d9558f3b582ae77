"""Decompressing a body without letting a small one become a huge one."""

from __future__ import annotations

import zlib

GZIP = 16 + zlib.MAX_WBITS


class Oversize(Exception):  # noqa: N818 - what the data is
    """The data would be larger than allowed; it was not decompressed further than that."""


def gunzip(data: bytes, most: int) -> bytes:
    """The content of gzipped `data`; raises `Oversize`, or `zlib.error` where it is damaged or cut short."""
    decompressor = zlib.decompressobj(GZIP)
    content = decompressor.decompress(data, most + 1)
    if len(content) > most:
        raise Oversize
    if not decompressor.eof:
        raise zlib.error("incomplete data")
    return content
