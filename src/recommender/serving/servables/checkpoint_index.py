"""How long the data files of a checkpoint have to be, out of its `variables.index`.

The index is a table as LevelDB's (core/lib/io/format.cc of TensorFlow) from tensor names to BundleEntryProto;
the empty name holds the BundleHeaderProto (core/util/tensor_bundle/tensor_bundle.cc).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

from google.protobuf.message import DecodeError
from tensorflow.core.protobuf import tensor_bundle_pb2

FOOTER = 48  # bytes: two block handles, padded, and the magic number
MAGIC = 0xDB4775248B80FB57
PLAIN = 0  # the type of a block that is not compressed, as bundles are written


def shard_sizes(index: Path) -> list[int]:
    """The number of bytes that the index expects in each data file.

    Raises `ValueError` where it is not a whole index, `OSError` where it cannot be read.
    """
    content = index.read_bytes()
    try:
        return _shard_sizes(content)
    except (IndexError, DecodeError, struct.error) as error:
        raise ValueError(f"not a whole checkpoint index: {error}") from None


def _shard_sizes(content: bytes) -> list[int]:
    if len(content) < FOOTER or int.from_bytes(content[-8:], "little") != MAGIC:
        raise ValueError("not a whole checkpoint index: its end is missing")
    sizes: list[int] = []
    for key, value in _entries(content):
        if not key:
            header = tensor_bundle_pb2.BundleHeaderProto.FromString(value)
            sizes = [0] * header.num_shards
        else:
            entry = tensor_bundle_pb2.BundleEntryProto.FromString(value)
            sizes[entry.shard_id] = max(sizes[entry.shard_id], entry.offset + entry.size)
    return sizes


def _entries(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The table's entries in order: those of each block that the index block names."""
    footer = content[-FOOTER:]
    place = 0
    for _ in range(2):  # over the handle of the metaindex block
        _, place = _varint(footer, place)
    for _, handle in _block(content, footer[place:]):
        yield from _block(content, handle)


def _block(content: bytes, handle: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The entries of a block; keys share their beginning with the key before."""
    offset, after = _varint(handle, 0)
    size, _ = _varint(handle, after)
    if content[offset + size] != PLAIN:
        raise ValueError("a checkpoint index that is compressed cannot be read")
    block = content[offset : offset + size]
    (restarts,) = struct.unpack("<I", block[-4:])
    end, place, key = len(block) - 4 * (restarts + 1), 0, b""
    while place < end:
        shared, place = _varint(block, place)
        own, place = _varint(block, place)
        length, place = _varint(block, place)
        key = key[:shared] + block[place : place + own]
        place += own
        yield key, block[place : place + length]
        place += length


def _varint(content: bytes, place: int) -> tuple[int, int]:
    """A number in groups of seven bits, and the place after it."""
    value = shift = 0
    while True:
        byte = content[place]
        value |= (byte & 0x7F) << shift
        place += 1
        shift += 7
        if byte < 0x80:
            return value, place
