"""The answer of `:predict`, laid out as TensorFlow Serving lays it out.

Follows `MakeJsonFromTensors` of json_tensor.cc, outputs sorted by name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain, repeat

import numpy as np
import orjson

from recommender.serving.status import invalid
from recommender.serving.wire.tensor_text import INDENT, TensorText

# An answer with no more numbers than this is short, see `tensor_text`.
FEW_NUMBERS = 64


def write_predictions(outputs: Mapping[str, np.ndarray], row_form: bool) -> bytes:
    """The JSON body. Row form needs tensors of one first dimension; a sole output loses its name.

    Strings are text, those of outputs whose names end in `_bytes` are base64. Raises `ServingError`.
    """
    if not outputs:
        raise invalid("Cannot convert empty tensor map to JSON")
    names = sorted(outputs)
    batch_size = _batch_size(names, outputs) if row_form else 0
    numbers = sum([array.size for array in outputs.values() if not array.dtype.hasobject])
    tensors = {name: TensorText(name, outputs[name], numbers <= FEW_NUMBERS) for name in names}
    if not row_form:
        return _columns(tensors)
    if batch_size == 0:
        return b'{\n    "predictions": []\n}'
    if len(names) == 1:
        return b'{\n    "predictions": ' + tensors[names[0]].line(1)[:-1] + b"\n    ]\n}"
    return _rows(tensors)


def _batch_size(names: list[str], outputs: Mapping[str, np.ndarray]) -> int:
    batch_size = -1
    for name in names:
        shape = outputs[name].shape
        if not shape:
            raise invalid(f"Tensor name: {name} has no shape information ")
        if batch_size not in (-1, shape[0]):
            raise invalid(
                f"Tensor name: {name} has inconsistent batch size: {shape[0]} expecting: {batch_size}"
            )
        batch_size = shape[0]
    return batch_size


def _columns(tensors: Mapping[str, TensorText]) -> bytes:
    if len(tensors) == 1:
        (tensor,) = tensors.values()
        return b'{\n    "outputs": ' + tensor.block(1) + b"\n}"
    members = [INDENT * 2 + _key(name) + tensor.block(2) for name, tensor in tensors.items()]
    return b'{\n    "outputs": {\n' + b",\n".join(members) + b"\n    }\n}"


def _rows(tensors: Mapping[str, TensorText]) -> bytes:
    """An object a row: the texts of the rows, tensor by tensor, with what stands before each."""
    parts: list[Iterable[bytes]] = []
    before = b",\n        {\n            "
    for name, tensor in tensors.items():
        rows, ending = tensor.rows(3)
        parts += [repeat(before + _key(name)), rows]
        before = ending + b",\n            "
    parts.append(repeat(ending + b"\n        }"))
    woven = chain.from_iterable(zip(*parts, strict=False))  # as long as the rows
    first = next(woven)[1:]
    return b"".join(chain((b'{\n    "predictions": [', first), woven, (b"\n    ]\n}",)))


def _key(name: str) -> bytes:
    return orjson.dumps(name) + b": "
