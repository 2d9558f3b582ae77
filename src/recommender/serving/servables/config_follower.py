"""Following `--model_config_file` while the server runs."""

from __future__ import annotations

import logging
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from recommender.errors import RecommenderError
from recommender.serving.servables.config_file import read_model_config_file

if TYPE_CHECKING:
    from recommender.serving.servables.manager import ModelManager

log = logging.getLogger(__name__)


class ConfigFollower:
    """A thread that reads the file every `poll_seconds` and tells the manager when its models changed.

    A file that cannot be read or used leaves everything as it was; the reason is logged once.
    """

    def __init__(self, path: Path, manager: ModelManager, poll_seconds: float) -> None:
        self._path = path
        self._manager = manager
        self._poll_seconds = poll_seconds
        self._complaint = ""
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="model-config-file", daemon=True)

    def start(self) -> None:
        """Begin to follow; the manager is expected to have what the file says now."""
        self._thread.start()

    def stop(self) -> None:
        """Stop following; a change that is being applied is finished first."""
        self._stopping.set()
        self._thread.join()

    def _follow(self) -> None:
        while not self._stopping.wait(self._poll_seconds):
            self._look()

    def _look(self) -> None:
        try:
            models = read_model_config_file(self._path)
            if models != self._manager.models:
                log.info("%s changed: %d models", self._path, len(models))
                self._manager.configure(models)
        except RecommenderError as error:
            if str(error) != self._complaint:
                log.error("%s; the models stay as they are", error)
            self._complaint = str(error)
        else:
            self._complaint = ""
