"""Answering a request: which model, what it says, and how a failure is worded."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import AbstractContextManager
from time import perf_counter
from typing import TYPE_CHECKING

from recommender.serving.monitoring.metrics import Metrics
from recommender.serving.rest.model_status import write_model_status
from recommender.serving.rest.paths import VERBS, Route, read_route
from recommender.serving.rest.response import JSON, Response
from recommender.serving.status import Code, ServingError, error_body
from recommender.serving.tensors import TensorInfo
from recommender.serving.wire.examples import (
    read_examples_request,
    write_classifications,
    write_regressions,
)
from recommender.serving.wire.predict_request import read_predict_request
from recommender.serving.wire.predictions import write_predictions

if TYPE_CHECKING:
    from recommender.serving.servables.manager import ModelManager
    from recommender.serving.servables.servable import Servable


class RestApi:
    """TensorFlow Serving's REST API over the models of `manager`; safe to call from several threads.

    `timeout_ms` bounds how long a request waits for a thread, and then how long the graph runs; 0 bounds
    neither.
    """

    def __init__(self, manager: ModelManager, metrics: Metrics, timeout_ms: int) -> None:
        self._manager = manager
        self._metrics = metrics
        self._timeout_ms = max(timeout_ms, 0)

    def handle(
        self, method: str, path: str, body: bytes, waited: float = 0.0, quick: bool = False
    ) -> Response:
        """Answer one request; never raises.

        `path` has the query string, `waited` is how many seconds ago the request arrived. `quick` says that
        it is known to be quick and that others wait for it: see `Runners`.
        """
        started = perf_counter()
        name = verb = ""
        code = Code.OK
        status = 200
        try:
            route = read_route(method, path)
            name, verb = route.name, route.verb
            self._check_wait(waited)
            content = self._answer(route, body, quick)
        except ServingError as error:
            code, status, content = error.code, error.http_status, error_body(error.message)
        except Exception:
            logging.getLogger(__name__).exception("%s %s failed", method, path)
            code, status, content = (
                Code.INTERNAL,
                500,
                error_body("Internal error; the server's log says more."),
            )
        # http_server.cc leaves the label empty for questions about a model.
        label = verb if verb in VERBS else ""
        self._metrics.request(name, label, code, waited + perf_counter() - started)
        return Response(status, JSON, content)

    def _check_wait(self, waited: float) -> None:
        if 0 < self._timeout_ms <= waited * 1000:
            message = f"The request waited for longer than {self._timeout_ms} ms."
            raise ServingError(Code.DEADLINE_EXCEEDED, message)

    def _answer(self, route: Route, body: bytes, quick: bool) -> bytes:
        if route.verb == "predict":
            return self._predict(route, body, quick)
        if route.verb == "status":
            return write_model_status(self._manager.statuses(route.name, route.version, route.label))
        if route.verb == "metadata":
            with self._servable(route) as servable:
                return servable.metadata_json()
        return self._examples(route, body)

    def _predict(self, route: Route, body: bytes, quick: bool) -> bytes:
        with _Lookup(self._manager, route) as lookup:
            request = read_predict_request(body, lookup)
            servable = lookup.servable
            outputs = servable.predict(request.signature_name, request.inputs, self._timeout_ms, quick)
            return write_predictions(outputs, request.row_form)

    def _examples(self, route: Route, body: bytes) -> bytes:
        request = read_examples_request(body)
        with self._servable(route) as servable:
            if route.verb == "classify":
                return write_classifications(
                    servable.classify(request.signature_name, request.examples, self._timeout_ms)
                )
            return write_regressions(
                servable.regress(request.signature_name, request.examples, self._timeout_ms)
            )

    def _servable(self, route: Route) -> AbstractContextManager[Servable]:
        return self._manager.servable(route.name, route.version, route.label)


class _Lookup:
    """Looks a model up when its inputs are asked for: after the JSON was read, as Serving does.

    The version found first stays the one that answers, however often it is asked.
    """

    servable: Servable

    def __init__(self, manager: ModelManager, route: Route) -> None:
        self._manager = manager
        self._route = route
        self._held: AbstractContextManager[Servable] | None = None

    def __call__(self, signature_name: str) -> Mapping[str, TensorInfo]:
        if self._held is None:
            held = self._manager.servable(self._route.name, self._route.version, self._route.label)
            self.servable = held.__enter__()
            self._held = held
        return self.servable.inputs(signature_name)

    def __enter__(self) -> _Lookup:
        return self

    def __exit__(self, *error: object) -> None:
        if self._held is not None:
            self._held.__exit__(None, None, None)
