"""`recommender serve` as a background process of this machine."""

from __future__ import annotations

import shlex
import sys

from recommender.client import VersionStatus
from recommender.deployment.background import Background
from recommender.deployment.models_config import MODELS_CONFIG, models_config
from recommender.deployment.ports import check_port_is_free
from recommender.deployment.targets.target import Files, Target
from recommender.errors import RecommenderError
from recommender.versions import Version

SERVE = (sys.executable, "-m", "recommender", "serve")
LOG_FILE = "server.log"
POLL_SECONDS = 1
ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # an address to listen at -> one to ask at
DRAIN_SECONDS = 5.0  # beside the longest request, until a server that was told to end is killed


class LocalTarget(Target):
    """One background process in a session of its own, which outlives the command and the terminal.

    It reads `models.config` again at every poll: another version is loaded beside the one that serves and
    then takes its place, in the same process. Only other `local` settings start another process.
    """

    def files(self, version: Version) -> Files:
        """The server's configuration file, with paths of this machine."""
        base = str(version.folder.parent.absolute())
        return {MODELS_CONFIG: models_config(self.settings.workflow.name, base, version.number)}

    def validate(self, files: Files) -> None:
        """Nothing can be wrong that the settings' own rules do not see."""

    def commands(self, version: Version) -> list[str]:
        """The server's command line."""
        return [f"{shlex.join(self._command())} > {shlex.quote(self.logs)} 2>&1 &"]

    def check_engine(self) -> None:
        """Raise where the port is taken by anybody but the process of this deployment."""
        process = self._process()
        local = self.settings.local
        if process is None or local.port not in process.ports():
            check_port_is_free(local.host, local.port, "local.port")

    def apply(self, version: Version) -> None:
        """Start the server, if it does not run already with these settings."""
        if self.is_running() and self.details["command"] == self._command():
            return
        self.stop()
        process = Background.start(self._command(), self.folder / LOG_FILE)
        self.details = {"pid": process.pid, "started": process.started, "command": self._command()}

    def is_running(self) -> bool:
        """Whether the process that was started is still there."""
        process = self._process()
        return process is not None and process.is_running()

    def stop(self) -> None:
        """End the process, which first answers the requests that it has."""
        if process := self._process():
            process.stop(self.settings.local.request_seconds + DRAIN_SECONDS)
        self.details = {}

    @property
    def url(self) -> str:
        """An address of this machine, also where the server listens at all of them."""
        host = ANYWHERE.get(self.settings.local.host, self.settings.local.host)
        return f"http://{f'[{host}]' if ':' in host else host}:{self.settings.local.port}"

    @property
    def logs(self) -> str:
        """The file with all that the process says."""
        return str(self.folder / LOG_FILE)

    def statuses(self) -> list[VersionStatus]:
        """Those of the server; raises where its process has ended, with its last words."""
        if not self.is_running():
            raise RecommenderError(f"the server has ended, its last words: {self._last_words()}")
        return super().statuses()

    def _process(self) -> Background | None:
        return Background(self.details["pid"], self.details["started"]) if self.details else None

    def _command(self) -> list[str]:
        local = self.settings.local
        options = {
            "host": local.host,
            "rest_api_port": local.port,
            "workers": local.workers,
            "rest_api_timeout_in_ms": round(1000 * local.request_seconds),
            "model_config_file": self.folder / MODELS_CONFIG,
            "model_config_file_poll_wait_seconds": POLL_SECONDS,
        }
        return [*SERVE, *(f"--{name}={value}" for name, value in options.items())]

    def _last_words(self) -> str:
        log = self.folder / LOG_FILE
        lines = log.read_text(encoding="utf-8", errors="replace").split("\n") if log.exists() else []
        return next((line.strip() for line in reversed(lines) if line.strip()), "none")
