"""The page that Prometheus fetches."""

from __future__ import annotations

from pathlib import Path

from recommender.serving.monitoring.exchange import collect
from recommender.serving.monitoring.exposition import exposition
from recommender.serving.monitoring.metrics import Metrics
from recommender.serving.rest.paths import Target
from recommender.serving.rest.response import TEXT, Response
from recommender.serving.servables.config_file import Monitoring


class MetricsPage:
    """Answers the monitoring path with the sum over all workers.

    `folder` is where the workers' sockets are; None for a process that works alone.
    """

    def __init__(
        self, metrics: Metrics, settings: Monitoring, folder: Path | None = None, worker: int = 0
    ) -> None:
        self._metrics = metrics
        self._settings = settings
        self._folder = folder
        self._worker = worker

    def owns(self, target: Target) -> bool:
        """Whether the page answers this target, be it with an error."""
        return self._settings.enabled and target.path == self._settings.path

    def show(self, target: Target) -> Response:
        """The metrics; with a query string an error, as in Serving's http_server.cc."""
        if target.full != self._settings.path:
            message = f"Unexpected path: {target.full}. Should be {self._settings.path}"
            return Response(400, TEXT, message.encode())
        total = collect(self._metrics, self._folder, self._worker)
        return Response(200, TEXT, exposition(total).encode())
