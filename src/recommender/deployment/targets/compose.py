"""The docker target: TensorFlow Serving's own image under Docker Compose."""

from __future__ import annotations

import shlex
from pathlib import Path

from recommender.client import VersionStatus
from recommender.deployment.ports import check_port_is_free
from recommender.deployment.targets import compose_file, engine, model_server
from recommender.deployment.targets.target import Files, Target
from recommender.deployment.targets.web_address import web_address
from recommender.errors import RecommenderError
from recommender.versions import Version

COMPOSE_FILE = "compose.yaml"
CONFIG_FOLDER = "config"
PURPOSE = "the docker target needs Docker with its compose plugin"
ANSWER_SECONDS = 30.0


class ComposeTarget(Target):
    """One container that stays: a change of version is a change of the configuration file that it polls."""

    def files(self, version: Version) -> Files:
        """The Compose file, and what the server reads in its configuration folder."""
        config = model_server.config_files(self.settings, version.number)
        return {
            **{f"{CONFIG_FOLDER}/{name}": text for name, text in config.items()},
            COMPOSE_FILE: compose_file.compose_file(self.settings, self.folder / CONFIG_FOLDER),
        }

    def validate(self, files: Files) -> None:
        """Check the Compose file against the schema of the Compose specification."""
        compose_file.check_compose_file(files[COMPOSE_FILE])

    def commands(self, version: Version) -> list[str]:
        """What `apply` runs."""
        return [shlex.join(command) for command in self._apply_commands()]

    def check_engine(self) -> None:
        """Raise where there is no Docker, no compose plugin, or the port is somebody else's."""
        engine.find("docker", PURPOSE)
        engine.call(["docker", "info", "--format", "{{.ServerVersion}}"], ANSWER_SECONDS)
        engine.call(["docker", "compose", "version", "--short"], ANSWER_SECONDS)
        if not self.is_running():
            check_port_is_free(self.settings.docker.host, self.settings.docker.port, "docker.port")

    def apply(self, version: Version) -> None:
        """Let Compose read its file, then start the container, or leave it as it is where nothing changed."""
        for command in self._apply_commands():
            engine.call(command)

    def is_running(self) -> bool:
        """Whether the container runs; one that Docker starts again and again does not."""
        if not self._file.is_file():
            return False
        return bool(
            engine.call(self._compose("ps", "--status", "running", "--quiet"), ANSWER_SECONDS).strip()
        )

    def stop(self) -> None:
        """Stop and remove the container and its network."""
        if self._file.is_file():
            engine.call(self._compose("down"))

    def statuses(self) -> list[VersionStatus]:
        """Those of the server; raises where the container has ended."""
        if not self.is_running():
            raise RecommenderError(
                f"the container of {self.settings.deployment.name} has ended; see {self.logs}"
            )
        return super().statuses()

    @property
    def url(self) -> str:
        """The published port."""
        return web_address(self.settings.docker.host, self.settings.docker.port)

    @property
    def logs(self) -> str:
        """The command that shows the server's log."""
        return shlex.join(self._compose("logs", "--follow"))

    @property
    def _file(self) -> Path:
        return self.folder / COMPOSE_FILE

    def _compose(self, *arguments: str) -> list[str]:
        return ["docker", "compose", "--file", str(self._file), *arguments]

    def _apply_commands(self) -> list[list[str]]:
        return [
            self._compose("config", "--quiet"),
            self._compose("up", "--detach", "--remove-orphans"),
        ]
