"""`recommender serve` as a background process of this machine."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError

from recommender.client import VersionStatus
from recommender.config import Section
from recommender.deployment.background import Background
from recommender.deployment.models_config import MODELS_CONFIG, models_config
from recommender.deployment.ports import check_port_is_free
from recommender.deployment.record import not_a_record
from recommender.deployment.targets.target import Files, Target
from recommender.deployment.targets.web_address import web_address
from recommender.errors import RecommenderError
from recommender.versions import Version

# -P: modules are not looked for in the working directory.
SERVE = (sys.executable, "-P", "-m", "recommender", "serve")
LOG_FILE = "server.log"
POLL_SECONDS = 1
DRAIN_SECONDS = 5.0  # beside the longest request, until a server that was told to end is killed
LAST_BYTES = 10_000  # of a log, which hold its last line


class Started(Section):
    """The `details` of a process that was started; ids are those of Linux and macOS."""

    pid: Annotated[int, Field(ge=1, lt=2**31)]
    started: float
    command: list[str]


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
        command = self._command()
        if self.is_running() and self.details["command"] == command:
            return
        self.stop()
        process = Background.start(command, self.folder / LOG_FILE)
        self.details = Started(pid=process.pid, started=process.started, command=command).model_dump()

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
        return web_address(self.settings.local.host, self.settings.local.port)

    @property
    def logs(self) -> str:
        """The file with all that the process says."""
        return str(self.folder / LOG_FILE)

    def statuses(self) -> list[VersionStatus]:
        """Those of the server; raises where its process has ended, with its last words."""
        if not self.is_running():
            raise RecommenderError(
                f"the server has ended, its last words: {_last_line(self.folder / LOG_FILE)}"
            )
        return super().statuses()

    def _process(self) -> Background | None:
        if not self.details:
            return None
        try:
            started = Started.model_validate(self.details)
        except ValidationError as error:
            raise not_a_record(self.folder, error) from None
        return Background(started.pid, started.started)

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


def _last_line(log: Path) -> str:
    """The last line with something in it; the log may have grown for months."""
    if not log.exists():
        return "none"
    with log.open("rb") as content:
        content.seek(max(0, log.stat().st_size - LAST_BYTES), os.SEEK_SET)
        lines = content.read().decode(errors="replace").strip().splitlines()
    return lines[-1].strip() if lines else "none"
