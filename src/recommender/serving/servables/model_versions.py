"""The versions of one model: loading what its folder offers, unloading what has been replaced."""

from __future__ import annotations

import logging
from collections.abc import Callable, MutableMapping
from pathlib import Path

from recommender.serving.servables.events import LoadAttempted, OnEvent, StateChanged
from recommender.serving.servables.folder_watch import FolderWatch, Verdict
from recommender.serving.servables.load_attempt import attempt_load
from recommender.serving.servables.load_options import LoadOptions
from recommender.serving.servables.model_config import ModelConfig
from recommender.serving.servables.routes import Routes
from recommender.serving.servables.shared import Shared
from recommender.serving.servables.version_folders import find_version_folders
from recommender.serving.servables.version_status import State, StatusBoard, VersionStatus
from recommender.serving.status import Code, ServingError

log = logging.getLogger(__name__)


class ModelVersions:
    """One model's versions; all methods are for the manager's thread."""

    def __init__(
        self,
        config: ModelConfig,
        watch: FolderWatch,
        routes: MutableMapping[str, Routes],
        board: StatusBoard,
        on_event: OnEvent,
        on_idle: Callable[[], None],
        options: LoadOptions,
    ) -> None:
        self.config = config
        self._watch = watch
        self._routes = routes
        self._board = board
        self._on_event = on_event
        self._on_idle = on_idle
        self._options = options
        self._available: dict[int, Shared] = {}
        self._draining: list[Shared] = []
        self._labels: dict[str, int] = {}
        self._was_empty = False
        self._complaint = ""

    def reconcile(self, last_look: bool) -> bool:
        """Load and unload as folder and policy want it; False where a folder has still to settle.

        Then nothing was unloaded and a second look is due; with `last_look`, what has not settled is left
        for the next poll. A version is unloaded when another that is wanted has become available, as
        AvailabilityPreservingPolicy has it. Unlike Serving, which waits for the version that failed, the next
        one that loads is served when nothing is.
        """
        folders = self._find_folders()
        if folders is None:
            return True
        unusable: set[int] = set()
        while missing := self._wanted(folders, unusable) - self._available.keys():
            version = max(missing)
            verdict = self._watch.look(folders[version])
            if verdict is Verdict.SETTLING and not last_look:
                return False
            if verdict is not Verdict.LOAD or not self._load(version, folders[version]):
                unusable.add(version)
        self._unload_replaced(folders, self._wanted(folders, unusable))
        self._publish()
        return True

    def retire_all(self) -> None:
        """Give no version to requests any more."""
        self._retire(set(self._available))

    def close_idle(self) -> None:
        """Close the versions that are retired and that no request uses any more."""
        idle = [shared for shared in self._draining if shared.idle]
        self._draining = [shared for shared in self._draining if not shared.idle]
        for shared in idle:
            shared.servable.close()
            if shared.servable.version not in self._available:  # it may have been wanted again meanwhile
                self._change(shared.servable.version, State.END)

    @property
    def drained(self) -> bool:
        """Whether no version is in memory any more."""
        return not self._available and not self._draining

    def _find_folders(self) -> dict[int, Path] | None:
        """The version folders; None where the base path says nothing reliable."""
        try:
            folders = find_version_folders(self.config.base_path)
        except OSError as error:
            self._complain(f"{self.config.base_path} cannot be read: {error.strerror}")
            return None
        if folders:
            self._complaint = ""
        else:
            self._complain(f"{self.config.base_path} holds no version: no folder with an integer name")
        # A base path that is being removed or replaced is empty for a moment: it counts at the second look.
        emptied = not folders and not self._was_empty and bool(self._available)
        self._was_empty = not folders
        return None if emptied else folders

    def _complain(self, what: str) -> None:
        if what != self._complaint:
            log.warning("model %s: %s; what is loaded stays", self.config.name, what)
        self._complaint = what

    def _wanted(self, folders: dict[int, Path], unusable: set[int]) -> set[int]:
        return self.config.policy.choose(folders.keys() - unusable)

    def _load(self, version: int, folder: Path) -> bool:
        """Load and warm up a version; False where that fails, with the reason in its status."""
        name = self.config.name
        self._change(version, State.START)
        self._change(version, State.LOADING)
        attempt = attempt_load(name, version, folder, self._options)
        code = attempt.error.code if attempt.error else Code.OK
        seconds = attempt.load_seconds
        self._on_event(LoadAttempted(name, version, folder, code, seconds, attempt.warm_up_seconds))
        if attempt.error is not None:
            self._watch.remember_failure(folder)
            self._change(version, State.END, attempt.error)
            log.error("model %s version %d did not load: %s", name, version, attempt.error.with_code())
        if attempt.servable is not None:
            self._watch.forget(folder)
            self._available[version] = Shared(attempt.servable, self._on_idle)
            self._publish()
            self._change(version, State.AVAILABLE)
            log.info("model %s version %d is available after %.2f s", name, version, seconds)
        return attempt.servable is not None

    def _unload_replaced(self, folders: dict[int, Path], wanted: set[int]) -> None:
        nothing_wanted = not self.config.policy.choose(folders)
        if nothing_wanted or wanted & self._available.keys():
            self._retire(self._available.keys() - wanted)

    def _retire(self, versions: set[int]) -> None:
        retired = {version: self._available.pop(version) for version in sorted(versions)}
        self._publish()
        for version, shared in retired.items():
            self._draining.append(shared)
            self._change(version, State.UNLOADING)
            shared.retire()

    def _publish(self) -> None:
        """Let requests find what is available now.

        A label points to a version once that is available, and until then to where it pointed before:
        ServerCore::UpdateModelVersionLabelMap refuses labels of versions that are not available.
        """
        for label, version in self.config.labels.items():
            if version in self._available:
                self._labels[label] = version
        self._labels = {label: self._labels[label] for label in self.config.labels if label in self._labels}
        self._routes[self.config.name] = Routes(self._available, self._labels)

    def _change(self, version: int, state: State, error: ServingError | None = None) -> None:
        status = VersionStatus(version, state)
        if error is not None:
            status = VersionStatus(version, state, error.code, error.message)
        self._board.set(self.config.name, status)
        self._on_event(StateChanged(self.config.name, status))
