"""Types and shapes of arrays as TensorFlow's C++ writes them in messages."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import types_pb2


def dtype_name(tensor: np.ndarray) -> str:
    """As DataType_Name: `DT_FLOAT`, `DT_STRING`."""
    return types_pb2.DataType.Name(tf.as_dtype(tensor.dtype).as_datatype_enum)


def shape_name(tensor: np.ndarray) -> str:
    """As TensorShape::DebugString: `[2,1]`."""
    return f"[{','.join(map(str, tensor.shape))}]"
