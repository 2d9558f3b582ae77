"""One version of a model, loaded: what requests run on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from recommender.serving.servables import classification, regression
from recommender.serving.servables.graph import ServedGraph
from recommender.serving.servables.metadata import metadata_json
from recommender.serving.servables.runner import Runners
from recommender.serving.servables.saved_model_file import read_meta_graph
from recommender.serving.servables.signatures import (
    CLASSIFY,
    DEFAULT,
    PREDICT,
    REGRESS,
    Signature,
    read_signatures,
)
from recommender.serving.servables.steadiness import steady_signatures
from recommender.serving.status import Code, ServingError, invalid
from recommender.serving.tensors import TensorInfo, Tensors


class Servable:
    """A SavedModel in memory; every method may be called from several threads at once."""

    def __init__(self, name: str, version: int, folder: Path, check_method_names: bool = False) -> None:
        """Load the SavedModel in `folder`; raises `ServingError` saying why it cannot be.

        `check_method_names` is tensorflow_model_server's `--enable_signature_method_name_check`, off there
        too: models of TensorFlow 2 say `tensorflow/serving/predict` of every signature.
        """
        meta_graph = read_meta_graph(folder)
        self.name = name
        self.version = version
        self.signatures: Mapping[str, Signature] = read_signatures(meta_graph)
        self._steady = steady_signatures(meta_graph.graph_def, self.signatures)
        self._check_method_names = check_method_names
        self._graph = ServedGraph(meta_graph, folder)
        self._runners: dict[str, Runners] = {}
        self._metadata = metadata_json(name, version, meta_graph)

    def inputs(self, signature_name: str) -> Mapping[str, TensorInfo]:
        """What a signature takes, '' being the default; raises `ServingError` where there is none such."""
        name = signature_name or DEFAULT
        if name not in self.signatures:
            raise invalid(f'Serving signature name: "{name}" not found in signature def')
        return self.signatures[name].inputs

    def predict(
        self, signature_name: str, inputs: Tensors, timeout_ms: int, must_be_quick: bool = False
    ) -> Tensors:
        """The outputs of a signature by name; raises `ServingError` in Serving's or TensorFlow's words.

        Types are taken to be the signature's; shapes are checked by the operations alone, as in Serving.
        `timeout_ms` is the longest that the graph may run, 0 for ever. `must_be_quick` says that others wait
        while this runs: see `Runners`.
        """
        return self._runners_of(signature_name or DEFAULT).run(inputs, timeout_ms, must_be_quick)

    def prepare(self, signature_name: str, inputs: Tensors, timeout_ms: int) -> None:
        """Run a request in every way that requests like it may be run, so that none of them is the first."""
        self.predict(signature_name, inputs, timeout_ms)
        if self.is_steady(signature_name):
            self._runners_of(signature_name or DEFAULT).run_here(inputs)

    def is_steady(self, signature_name: str) -> bool:
        """Whether a signature, '' being the default, takes about as long for any inputs of one size."""
        return (signature_name or DEFAULT) in self._steady

    def classify(
        self, signature_name: str, examples: Sequence[bytes], timeout_ms: int
    ) -> list[list[tuple[bytes, float]]]:
        """Label and score of each class, for each serialized tf.Example; raises `ServingError`."""
        signature = self._with_examples(signature_name or DEFAULT, CLASSIFY, "classification")
        classification.check_signature(signature)
        outputs = self._run_on_examples(signature, examples, timeout_ms)
        return classification.results(outputs, len(examples))

    def regress(self, signature_name: str, examples: Sequence[bytes], timeout_ms: int) -> list[float]:
        """A value for each serialized tf.Example; raises `ServingError`."""
        signature = self._with_examples(signature_name or DEFAULT, REGRESS, "regression")
        regression.check_signature(signature)
        outputs = self._run_on_examples(signature, examples, timeout_ms)
        return regression.results(outputs, len(examples))

    def metadata_json(self) -> bytes:
        """The body of GET /v1/models/NAME/metadata."""
        return self._metadata

    def close(self) -> None:
        """Free the memory of the model; nobody may be calling, nor call again."""
        self._runners.clear()
        self._graph.close()

    def _runners_of(self, name: str) -> Runners:
        runners = self._runners.get(name)
        if runners is None:
            made = Runners(self._graph, self._to_predict(name), name in self._steady)
            runners = self._runners.setdefault(name, made)
        return runners

    def _to_predict(self, name: str) -> Signature:
        """As RunPredict of servables/tensorflow/predict_util.cc checks it."""
        if name not in self.signatures:
            raise ServingError(Code.FAILED_PRECONDITION, f'Serving signature key "{name}" not found.')
        signature = self.signatures[name]
        methods = (PREDICT, CLASSIFY, REGRESS)
        if self._check_method_names and signature.method_name not in methods:
            raise ServingError(
                Code.INTERNAL,
                "Expected prediction signature method_name to be one of {"
                f"{', '.join(methods)}}}. Was: {signature.method_name}",
            )
        return signature

    def _with_examples(self, name: str, method_name: str, task: str) -> Signature:
        """As GetClassificationSignatureDef and GetRegressionSignatureDef check it."""
        if name not in self.signatures:
            raise invalid(f"No signature was found with the name: {name}")
        signature = self.signatures[name]
        if self._check_method_names and signature.method_name != method_name:
            raise invalid(
                f"Expected {task} signature method_name to be {method_name}. Was: {signature.method_name}"
            )
        return signature

    def _run_on_examples(self, signature: Signature, examples: Sequence[bytes], timeout_ms: int) -> Tensors:
        """As PerformOneShotTensorComputation of servables/tensorflow/util.cc."""
        if not examples:
            raise invalid("Input is empty.")
        ((alias, info),) = signature.inputs.items()
        if info.dtype != "string":  # in the words of C++'s Session::Run; a callable does not look
            raise invalid(f"Expects arg[0] to be {info.dtype} but string is provided")
        serialized = np.empty(len(examples), dtype=object)
        serialized[:] = examples
        return self.predict(signature.name, {alias: serialized}, timeout_ms)
