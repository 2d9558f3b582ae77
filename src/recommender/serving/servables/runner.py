"""A signature made ready to run: arrays in, arrays out, on TensorFlow's threads or on the caller's."""

from __future__ import annotations

from time import perf_counter

import numpy as np
import tensorflow as tf

from recommender.serving.servables.graph import ServedGraph, from_tensorflow
from recommender.serving.servables.signatures import Signature
from recommender.serving.tensors import Tensors

QUICK_SECONDS = 0.002  # a run on the calling thread pays where TensorFlow's threads take less than this


class Runners:
    """Both ways to run a signature: on TensorFlow's threads within a time limit, and on the caller's.

    The first run of either makes TensorFlow optimize the graph, which may take seconds. A caller who must not
    wait that long, as it keeps all others waiting, gets the way that is ready; the calling thread's is made
    ready by one who may wait, once a run has shown that the signature is quick. Only a `steady` signature
    runs on the calling thread, as nothing can end it there.
    """

    def __init__(self, graph: ServedGraph, signature: Signature, steady: bool) -> None:
        self._graph = graph
        self._signature = signature
        self._steady = steady
        self._limited: dict[int, Runner] = {}
        self._here: Runner | None = None
        self._seconds = float("inf")  # of the last run with a limit

    def run(self, inputs: Tensors, timeout_ms: int, must_be_quick: bool) -> Tensors:
        """The outputs by name; raises `ServingError`."""
        if self._here is not None and must_be_quick:
            return self._here(inputs)
        if self._here is None and not must_be_quick and self._steady and self._seconds < QUICK_SECONDS:
            return self.run_here(inputs)
        # Two threads may each make one at first; both are right, and one is kept.
        runner = self._limited.get(timeout_ms) or self._limited.setdefault(timeout_ms, self._new(timeout_ms))
        began = perf_counter()
        outputs = runner(inputs)
        self._seconds = perf_counter() - began
        return outputs

    def run_here(self, inputs: Tensors) -> Tensors:
        """Run a steady signature on this thread, from which on it is ready for that."""
        runner = self._here or self._new(None)
        outputs = runner(inputs)
        self._here = runner
        return outputs

    def _new(self, timeout_ms: int | None) -> Runner:
        return Runner(self._graph, self._signature, timeout_ms)


class Runner:
    """Runs a signature in one way; may be called from several threads at once."""

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
