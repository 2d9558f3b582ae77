"""What `:regress` wants of a signature and its output, as servables/tensorflow/regressor.cc checks it."""

from __future__ import annotations

import numpy as np

from recommender.serving.servables.signatures import Signature
from recommender.serving.servables.tensor_names import dtype_name, shape_name
from recommender.serving.status import invalid
from recommender.serving.tensors import Tensors

INPUTS, OUTPUTS = "inputs", "outputs"


def check_signature(signature: Signature) -> None:
    """Raises `ServingError` unless one input `inputs` and one output `outputs` are there."""
    if len(signature.inputs) != 1:
        raise invalid("Expected one input Tensor.")
    if len(signature.outputs) != 1:
        raise invalid("Expected one output Tensor.")
    if INPUTS not in signature.inputs:
        raise invalid(f"No regression inputs found in SignatureDef: {signature.definition}")
    if OUTPUTS not in signature.outputs:
        raise invalid(f"No regression outputs found in SignatureDef: {signature.definition}")


def results(outputs: Tensors, examples: int) -> list[float]:
    """A value for each example out of (examples,) or (examples, 1); raises `ServingError` otherwise."""
    output = outputs[OUTPUTS]
    if not (output.ndim == 1 or (output.ndim == 2 and output.shape[1] == 1)):
        raise invalid(
            "Expected output Tensor shape to be either [batch_size] or [batch_size, 1] but got "
            f"{shape_name(output)}"
        )
    if len(output) != examples:
        raise invalid(f"Input batch size did not match output batch size: {examples} vs. {len(output)}")
    if output.dtype != np.float32:
        raise invalid(f"Expected output Tensor of DT_FLOAT.  Got: {dtype_name(output)}")
    return output.ravel().tolist()
