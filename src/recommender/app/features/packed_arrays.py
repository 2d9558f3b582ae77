"""Arrays as bytes: one line of JSON that says what they are, then each as it lies in memory.

Reading makes views of the bytes and copies nothing, so that a large catalogue is there at once.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import orjson
from numpy.typing import NDArray

ALIGNMENT = 8  # bytes; views at other places would be slow
END = b"\n"


def pack(about: Mapping[str, Any], arrays: Mapping[str, NDArray]) -> bytes:
    """Arrays by name, and what else is to be known, as JSON."""
    layout = {name: (array.dtype.str, array.shape) for name, array in arrays.items()}
    line = orjson.dumps({**about, "arrays": layout})
    line = line.ljust(_aligned(len(line) + 1) - 1) + END
    contents = [np.ascontiguousarray(array).tobytes() for array in arrays.values()]
    return b"".join([line, *(content.ljust(_aligned(len(content)), b"\0") for content in contents)])


def unpack(content: bytes) -> tuple[dict[str, Any], dict[str, NDArray]]:
    """What `pack` was given, or any JSON of one line; the arrays cannot be written to."""
    end = content.find(END)
    about = orjson.loads(content if end < 0 else memoryview(content)[:end])
    arrays, place = {}, end + 1
    for name, (dtype, shape) in about.pop("arrays", {}).items():
        size = math.prod(shape)
        arrays[name] = np.frombuffer(content, dtype, size, place).reshape(shape)
        place += _aligned(arrays[name].nbytes)
    return about, arrays


def _aligned(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT


@dataclass(frozen=True, eq=False)
class PackedTexts:
    """Many texts in two arrays, of which few are looked at: `ends` `(n,)` in `letters`, which are UTF-8."""

    ends: NDArray[np.int64]
    letters: NDArray[np.uint8]

    @classmethod
    def of(cls, texts: Iterable[str]) -> Self:
        """Texts in their order."""
        encoded = [text.encode() for text in texts]
        ends = np.cumsum([len(text) for text in encoded], dtype=np.int64)
        return cls(ends, np.frombuffer(b"".join(encoded), np.uint8))

    def __getitem__(self, place: int) -> str:
        start = self.ends[place - 1] if place else 0
        return self.letters[start : self.ends[place]].tobytes().decode()

    def __len__(self) -> int:
        return len(self.ends)
