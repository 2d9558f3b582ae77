"""Signatures of a SavedModel: which named tensors go in and come out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import tensorflow as tf
from tensorflow.core.framework import types_pb2

from recommender.serving.status import ServingError, invalid
from recommender.serving.tensors import TensorInfo, Tensors

DEFAULT = "serving_default"
PREDICT = "tensorflow/serving/predict"
CLASSIFY = "tensorflow/serving/classify"
REGRESS = "tensorflow/serving/regress"
INIT_OP = "__saved_model_init_op"  # written as a signature by TensorFlow 2, not meant to be asked


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature, by the names that requests use; `definition` is its SignatureDef."""

    name: str
    method_name: str
    inputs: Mapping[str, TensorInfo]
    outputs: Mapping[str, TensorInfo]
    defaults: Tensors
    definition: Any

    def complete(self, inputs: Tensors) -> Tensors:
        """The inputs with defaults filled in; raises `ServingError` where the names are not the signature's.

        Checks and words as in VerifyRequestInputsSize of servables/tensorflow/predict_util.cc and
        GetInputValues of TensorFlow's cc/saved_model/util.cc.
        """
        if len(inputs) > len(self.inputs) or (len(inputs) < len(self.inputs) and not self.defaults):
            raise self._wrong_size(inputs)
        for name, info in self.inputs.items():
            if name not in inputs and name not in self.defaults:
                raise invalid(
                    f"Signature input alias: {name}(feed name: {info.tensor_name}) not found in request and "
                    "no default value provided. Inputs expected to be in the request {"
                    f"{_join(inputs)}}}, or default input alias set: {_join(self.defaults)}"
                )
        used = inputs.keys() & self.inputs.keys()
        if len(used) != len(inputs):
            raise invalid(
                f"Inputs contains invalid name. Used request inputs: {_join(used)}, request input: "
                f"{_join(inputs)}"
            )
        return {**self.defaults, **inputs}

    def _wrong_size(self, inputs: Tensors) -> ServingError:
        given, wanted = inputs.keys(), self.inputs.keys()
        return invalid(
            f"input size does not match signature: {len(given)}!={len(wanted)} "
            f"len({{{_join(given)}}}) != len({{{_join(wanted)}}}). "
            f"Sent extra: {{{_join(given - wanted)}}}. Missing but required: {{{_join(wanted - given)}}}."
        )


def read_signatures(meta_graph: Any) -> dict[str, Signature]:
    """The signatures of a MetaGraphDef that can be asked, by name."""
    return {
        name: Signature(
            name,
            definition.method_name,
            _tensors(definition.inputs),
            _tensors(definition.outputs),
            {alias: tf.make_ndarray(value) for alias, value in definition.defaults.items()},
            definition,
        )
        for name, definition in meta_graph.signature_def.items()
        if name != INIT_OP
    }


def _tensors(infos: Mapping[str, Any]) -> dict[str, TensorInfo]:
    return {alias: _tensor(info) for alias, info in sorted(infos.items())}


def _tensor(info: Any) -> TensorInfo:
    dtype = types_pb2.DataType.Name(info.dtype).removeprefix("DT_").lower()  # as DataTypeString has it
    shape = None if info.tensor_shape.unknown_rank else tuple(dim.size for dim in info.tensor_shape.dim)
    return TensorInfo(info.name, dtype, shape)


def _join(names: Any) -> str:
    return ",".join(sorted(names))
