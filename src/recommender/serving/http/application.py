"""From a request to its answer: the one place that knows who answers what."""

from __future__ import annotations

import zlib
from http import HTTPStatus
from typing import TYPE_CHECKING

from recommender.serving.http.gunzip import Oversize, gunzip
from recommender.serving.http.limits import Limits
from recommender.serving.http.request import Request, too_large
from recommender.serving.rest.paths import read_target
from recommender.serving.rest.response import Response, error_response, library_page

if TYPE_CHECKING:
    from recommender.serving.monitoring.page import MetricsPage
    from recommender.serving.rest.api import RestApi

# `evhttp_set_allowed_methods` in Serving's evhttp_server.cc; libevent answers any other itself.
METHODS = frozenset(("GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"))


class Application:
    """The API and the metrics page, with the answers of the library for everything else."""

    def __init__(self, api: RestApi, page: MetricsPage, limits: Limits) -> None:
        self._api = api
        self._page = page
        self._limits = limits

    def may_block(self, request: Request) -> bool:
        """Whether an answer takes long whatever was measured: it waits for others, or is of unknown size."""
        target = read_target(request.target)
        return request.gzipped or (target is not None and self._page.owns(target))

    def respond(self, request: Request, waited: float, quick: bool) -> Response:
        """The answer; never raises.

        `waited` is how many seconds ago the request was complete, `quick` whether it is known to be quick.
        """
        if request.method not in METHODS:
            return library_page(HTTPStatus.NOT_IMPLEMENTED)
        target = read_target(request.target)
        if target is None:
            return library_page(HTTPStatus.BAD_REQUEST)
        if self._page.owns(target):
            return self._page.show(target)
        if not target.of_api:
            return library_page(HTTPStatus.NOT_FOUND)
        body = request.body
        if request.gzipped and body:
            try:
                body = gunzip(body, self._limits.max_body_bytes)
            except Oversize:
                return too_large(self._limits)
            except zlib.error as error:
                return error_response(400, f"Failed to uncompress the gzipped body: {error}")
        return self._api.handle(request.method, target.full, body, waited, quick)
