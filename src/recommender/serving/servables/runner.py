"""A signature made ready to run: one callable, arrays in, arrays out."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from recommender.serving.servables.graph import ServedGraph, from_tensorflow
from recommender.serving.servables.signatures import Signature
from recommender.serving.tensors import Tensors


class Runner:
    """Runs a signature; may be called from several threads at once."""

    def __init__(self, graph: ServedGraph, signature: Signature, timeout_ms: int | None) -> None:
        """Raises `ServingError` where the graph lacks a tensor of the signature."""
        self._signature = signature
        self._inputs = tuple(signature.inputs)
        feeds = [signature.inputs[name].tensor_name for name in self._inputs]
        fetches = list(dict.fromkeys(info.tensor_name for info in signature.outputs.values()))
        self._places = [(name, fetches.index(info.tensor_name)) for name, info in signature.outputs.items()]
        try:
            self._run = graph.callable(feeds, fetches, timeout_ms)
        except tf.errors.OpError as error:
            raise from_tensorflow(error) from None

    def __call__(self, inputs: Tensors) -> Tensors:
        """The outputs by name; raises `ServingError` for wrong names and for what the graph refuses."""
        if inputs.keys() != self._signature.inputs.keys():
            inputs = self._signature.complete(inputs)
        try:
            values = self._run(*[inputs[name] for name in self._inputs])
        except tf.errors.OpError as error:
            raise from_tensorflow(error) from None
        return {name: _array(values[place]) for name, place in self._places}


def _array(value: object) -> np.ndarray:
    """An array of rank 0 where TensorFlow gave a scalar; strings stay objects of `bytes`."""
    if isinstance(value, np.ndarray):
        return value
    return np.array(value, dtype=object if isinstance(value, bytes) else None)
