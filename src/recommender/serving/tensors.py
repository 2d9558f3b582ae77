"""What a signature says of its tensors, and the element types that JSON can carry."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# TensorFlow's names of the types (`tf.DType.name`, DataTypeString in C++) that the REST API converts. Strings
# are object arrays of `bytes`. Other types can be named by a signature, but not be read from JSON.
NUMPY_TYPES: dict[str, np.dtype] = {
    "float": np.dtype(np.float32),
    "double": np.dtype(np.float64),
    "int32": np.dtype(np.int32),
    "int16": np.dtype(np.int16),
    "int8": np.dtype(np.int8),
    "uint8": np.dtype(np.uint8),
    "int64": np.dtype(np.int64),
    "uint32": np.dtype(np.uint32),
    "uint64": np.dtype(np.uint64),
    "bool": np.dtype(np.bool_),
    "string": np.dtype(object),
}


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """An input or output of a signature.

    `tensor_name` is its name in the graph, `dtype` TensorFlow's word as in `NUMPY_TYPES` ("float", "string"),
    `shape` its sizes with -1 for any, or None for any rank.
    """

    tensor_name: str
    dtype: str
    shape: tuple[int, ...] | None


Tensors = dict[str, np.ndarray]
