"""What `:classify` wants of a signature and its outputs, as servables/tensorflow/classifier.cc checks it."""

from __future__ import annotations

from itertools import repeat
from typing import Any

import numpy as np

from recommender.serving.servables.signatures import Signature
from recommender.serving.servables.tensor_names import dtype_name, shape_name
from recommender.serving.status import invalid
from recommender.serving.tensors import Tensors

INPUTS, CLASSES, SCORES = "inputs", "classes", "scores"


def check_signature(signature: Signature) -> None:
    """Raises `ServingError` unless one input `inputs` and outputs `classes` or `scores` are there."""
    if len(signature.inputs) != 1:
        raise invalid("Expected one input Tensor.")
    if len(signature.outputs) not in (1, 2):
        raise invalid(f"Expected one or two output Tensors, found {len(signature.outputs)}")
    if INPUTS not in signature.inputs:
        raise invalid(f"No classification inputs found in SignatureDef: {signature.definition}")
    if CLASSES not in signature.outputs and SCORES not in signature.outputs:
        raise invalid(
            "Expected classification signature outputs to contain at least one of "
            f'"{CLASSES}" or "{SCORES}". Signature was: {signature.definition}'
        )


def results(outputs: Tensors, examples: int) -> list[list[tuple[bytes, float]]]:
    """Label and score of each class, for each example; raises `ServingError` where shapes or types are wrong.

    `classes` and `scores` are (examples, classes). A label is '' where there are no classes, a score 0.0
    where there are no scores.
    """
    classes, scores = outputs.get(CLASSES), outputs.get(SCORES)
    if classes is not None:
        _check(CLASSES, classes, np.dtype(object), "DT_STRING", examples)
    if scores is not None:
        _check(SCORES, scores, np.dtype(np.float32), "DT_FLOAT", examples)
    if classes is not None and scores is not None and classes.shape[1] != scores.shape[1]:
        raise invalid(
            "Tensors class and score should match in dim_size(1). Got "
            f"{classes.shape[1]} vs. {scores.shape[1]}"
        )
    labels: Any = classes.tolist() if classes is not None else repeat(repeat(b""))
    values: Any = scores.tolist() if scores is not None else repeat(repeat(0.0))
    # At least one of the two is finite, and both are as long where both are.
    return [list(zip(*row, strict=False)) for row in zip(labels, values, strict=False)]


def _check(name: str, tensor: np.ndarray, dtype: np.dtype, expected: str, examples: int) -> None:
    if tensor.ndim != 2:
        raise invalid(f"Expected Tensor shape: [batch_size num_classes] but got {shape_name(tensor)}")
    if tensor.dtype != dtype:
        raise invalid(f"Expected {name} Tensor of {expected}. Got: {dtype_name(tensor)}")
    if len(tensor) != examples:
        raise invalid(f"Expected {name} output batch size of {examples}. Got: {len(tensor)}")
