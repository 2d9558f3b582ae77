"""A SavedModel's graph in a session of its own, and callables on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import config_pb2, meta_graph_pb2, rewriter_config_pb2

from recommender.serving.servables.saved_model_file import VARIABLES
from recommender.serving.servables.signatures import INIT_OP
from recommender.serving.status import Code, ServingError

Run = Callable[..., list[Any]]


class ServedGraph:
    """The graph with its variables restored and its tables filled, as cc/saved_model/loader.cc does it.

    Not through `tf.compat.v1.saved_model.load`, which builds Python objects for every variable, and not
    through `tf.saved_model.load`, whose signatures cost more than ten times as much a call.
    """

    def __init__(self, meta_graph: Any, folder: Path) -> None:
        """Raises `ServingError` with TensorFlow's code and message where the graph does not load."""
        graph = tf.Graph()
        config = config_pb2.ConfigProto(allow_soft_placement=True)
        rewrites = config.graph_options.rewrite_options
        # A second set of rewrites, through MLIR: a quarter of the time of loading, nothing gained.
        rewrites.disable_tfg_optimizer = True
        if not tf.config.list_physical_devices("GPU"):
            # It chooses cuDNN's GRU and LSTM there; without one it only complains of what Keras left behind.
            rewrites.implementation_selector = rewriter_config_pb2.RewriterConfig.OFF
        try:
            with graph.as_default():
                operations = meta_graph.meta_info_def.stripped_op_list
                tf.graph_util.import_graph_def(meta_graph.graph_def, name="", producer_op_list=operations)
            self._session = tf.compat.v1.Session(graph=graph, config=config)
            self._restore(meta_graph.saver_def, folder)
            self._initialize(meta_graph, folder)
        except tf.errors.OpError as error:
            raise from_tensorflow(error) from None
        except ValueError as error:  # from the import, where the graph is not valid
            raise ServingError(Code.INVALID_ARGUMENT, str(error)) from None

    def callable(self, feeds: Sequence[str], fetches: Sequence[str], timeout_ms: int | None = 0) -> Run:
        """A function of arrays in the order of `feeds` that returns those of `fetches`, which are distinct.

        It may be called from several threads at once. 0 is no timeout; with None the graph runs on the thread
        that calls, where there can be none: waking TensorFlow's own threads costs more than a small graph.
        It raises `tf.errors.OpError`.
        """
        options = config_pb2.CallableOptions(feed=feeds, fetch=fetches)
        if timeout_ms is None:
            options.run_options.inter_op_thread_pool = -1
        else:
            options.run_options.timeout_in_ms = timeout_ms
        # Session.make_callable knows no timeout, and costs several times as much a call.
        return self._session._make_callable_from_options(options)

    def close(self) -> None:
        """Free variables and tables; nobody may be calling."""
        self._session.close()

    def _run(self, operation: str, feeds: dict[str, str]) -> None:
        """Run an operation with texts fed to tensors."""
        options = config_pb2.CallableOptions(feed=list(feeds), target=[operation])
        values = [np.array(text.encode(), dtype=object) for text in feeds.values()]
        self._session._make_callable_from_options(options)(*values)

    def _restore(self, saver: Any, folder: Path) -> None:
        if not saver.restore_op_name:
            return  # a graph without variables
        prefix = folder / VARIABLES
        if not prefix.with_name(prefix.name + ".index").is_file():
            # Serving takes such a model and fails each request; a model that cannot answer is refused here.
            raise ServingError(Code.NOT_FOUND, f"Could not find the variables of the SavedModel at {prefix}")
        self._run(saver.restore_op_name, {saver.filename_tensor_name: str(prefix)})

    def _initialize(self, meta_graph: Any, folder: Path) -> None:
        if operation := _init_operation(meta_graph):
            assets = folder / "assets"
            places = {asset.tensor_info.name: str(assets / asset.filename) for asset in _assets(meta_graph)}
            self._run(operation, places)


def from_tensorflow(error: tf.errors.OpError) -> ServingError:
    """TensorFlow's error as one of the API: the same code and message."""
    return ServingError(Code(error.error_code), error.message)


def _init_operation(meta_graph: Any) -> str:
    """The operation that fills tables, '' for none; as GetInitOp of cc/saved_model/loader_util.cc."""
    if INIT_OP in meta_graph.signature_def:
        return meta_graph.signature_def[INIT_OP].outputs[INIT_OP].name
    for collection in ("saved_model_main_op", "legacy_init_op"):
        if collection in meta_graph.collection_def:
            return meta_graph.collection_def[collection].node_list.value[0]
    return ""


def _assets(meta_graph: Any) -> list[Any]:
    if meta_graph.asset_file_def:
        return list(meta_graph.asset_file_def)
    packed = (
        meta_graph.collection_def["saved_model_assets"].any_list.value
        if ("saved_model_assets" in meta_graph.collection_def)
        else []
    )
    return [meta_graph_pb2.AssetFileDef.FromString(asset.value) for asset in packed]
