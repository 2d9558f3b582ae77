"""All models of a server: a thread that follows their folders, and the way for requests to a version."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import TypeVar

from recommender.errors import ConfigError
from recommender.serving.servables.events import Event, OnEvent
from recommender.serving.servables.folder_watch import FolderWatch
from recommender.serving.servables.load_options import LoadOptions
from recommender.serving.servables.model_config import ModelConfig
from recommender.serving.servables.model_versions import ModelVersions
from recommender.serving.servables.routes import Lease, Routes
from recommender.serving.servables.version_status import StatusBoard, VersionStatus

log = logging.getLogger(__name__)

LONGEST_SETTLE = 0.5  # seconds

T = TypeVar("T")


class ModelManager:
    """Loads, swaps and unloads versions on a thread of its own; any thread may ask it for them."""

    def __init__(
        self,
        models: Sequence[ModelConfig],
        poll_seconds: float,
        on_event: OnEvent | None = None,
        options: LoadOptions = LoadOptions(),  # noqa: B008 - it cannot change
    ) -> None:
        """`poll_seconds` is the time between two looks at the folders, 0 for one look only.

        `on_event` is told of states and load attempts, on the manager's thread. Raises `ConfigError` where a
        model is listed twice.
        """
        _check_names(models)
        self.models = list(models)
        self._poll_seconds = poll_seconds
        self._tell = on_event
        self._options = options
        if poll_seconds > 0:  # a folder stands still for a part of a poll, so that it is served within one
            self._watch = FolderWatch(min(poll_seconds / 4, LONGEST_SETTLE))
        else:
            self._watch = FolderWatch(settle=0.0, patience=0.0)
        self._versions: dict[str, ModelVersions] = {}
        self._removed: dict[str, ModelVersions] = {}  # until nobody uses them any more
        self._routes: dict[str, Routes] = {}
        self._board = StatusBoard()
        self._tasks: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="model-manager", daemon=True)

    def start(self) -> None:
        """Look and load once, then keep following. Returns after the first look, whatever could be loaded."""
        self._thread.start()
        self._do(self._first_look)

    def stop(self, wait_seconds: float = 10.0) -> None:
        """Unload everything; requests in flight have `wait_seconds` to finish."""
        if not self._thread.is_alive():
            return
        self._do(lambda: self._configure([]))
        end = time.monotonic() + wait_seconds
        while not self._do(lambda: not self._removed) and time.monotonic() < end:
            time.sleep(0.01)
        self._tasks.put(None)
        self._thread.join()

    def configure(self, models: Sequence[ModelConfig]) -> None:
        """Serve these models from now on; returns when that is done as far as it can be.

        New models are loaded, those no longer listed are unloaded, policies, labels and paths take effect.
        Raises `ConfigError` where a model is listed twice, and changes nothing.
        """
        _check_names(models)
        self._do(lambda: self._configure(models))

    def servable(self, name: str, version: int | None = None, label: str | None = None) -> Lease:
        """`with manager.servable("recommender") as servable:` lends a version, the highest without a number.

        It stays loaded within the block. Entering raises `ServingError` in Serving's words where there is no
        such model, version or label.
        """
        return Lease(self._routes, name, version, label)

    def statuses(
        self, name: str, version: int | None = None, label: str | None = None
    ) -> list[VersionStatus]:
        """One version or all that there ever were, the highest first; raises `ServingError` where none is.

        The label makes no difference: GetModelStatusImpl does not look at it.
        """
        return self._board.list(name, version)

    def metadata(self, name: str, version: int | None = None, label: str | None = None) -> bytes:
        """The JSON of a version's signatures; raises `ServingError` as `servable` does."""
        with self.servable(name, version, label) as servable:
            return servable.metadata_json()

    def _work(self) -> None:
        """The manager's thread: tasks as they come, and a look at the folders when it is time."""
        next_look = time.monotonic() + self._poll_seconds
        while True:
            wait = max(next_look - time.monotonic(), 0.0) if self._poll_seconds > 0 else None
            try:
                task = self._tasks.get(timeout=wait)
            except queue.Empty:
                task = self._look
                next_look = time.monotonic() + self._poll_seconds
            if task is None:
                return
            try:
                task()
            except Exception:  # nobody else can say it, and the thread has to live
                log.exception("following the models failed")

    def _do(self, work: Callable[[], T]) -> T:
        """Run something on the manager's thread and wait for it."""
        done: Future[T] = Future()

        def task() -> None:
            try:
                done.set_result(work())
            except Exception as error:
                done.set_exception(error)

        self._tasks.put(task)
        return done.result()

    def _first_look(self) -> None:
        """Who starts the server wants to know now what is wrong; there is nothing that serves meanwhile."""
        self._watch.hurried = True
        try:
            self._configure(self.models)
        finally:
            self._watch.hurried = False

    def _look(self) -> None:
        """One look at all folders, and a second at those that have just changed."""
        unsettled = [versions for versions in self._versions.values() if not self._reconcile(versions, False)]
        if unsettled:
            time.sleep(self._watch.settle)
            for versions in unsettled:
                self._reconcile(versions, True)
        self._close_idle()

    def _reconcile(self, versions: ModelVersions, last_look: bool) -> bool:
        try:
            return versions.reconcile(last_look)
        except Exception:  # one model must not end the service of the others; it is tried again
            log.exception("model %s: looking at its versions failed", versions.config.name)
            return True

    def _configure(self, models: Sequence[ModelConfig]) -> None:
        self.models = list(models)
        for name in self._versions.keys() - {model.name for model in models}:
            self._removed[name] = self._versions.pop(name)
            self._removed[name].retire_all()
        for model in models:
            known = self._versions.get(model.name) or self._removed.pop(model.name, None)
            self._versions[model.name] = known or self._new_model(model)
            self._versions[model.name].config = model
        self._look()

    def _new_model(self, model: ModelConfig) -> ModelVersions:
        return ModelVersions(
            model,
            self._watch,
            self._routes,
            self._board,
            self._report,
            lambda: self._tasks.put(self._close_idle),
            self._options,
        )

    def _report(self, event: Event) -> None:
        if self._tell is not None:
            self._tell(event)

    def _close_idle(self) -> None:
        for versions in [*self._versions.values(), *self._removed.values()]:
            versions.close_idle()
        self._removed = {name: versions for name, versions in self._removed.items() if not versions.drained}


def _check_names(models: Sequence[ModelConfig]) -> None:
    names = [model.name for model in models]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f"model {name!r} is listed {names.count(name)} times, expected once")
