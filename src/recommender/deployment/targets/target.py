"""What every place that a version can run at does: the interface of deployment targets."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from recommender.client import ModelClient, NotFound, ServerFailed, ServerUnavailable, VersionStatus
from recommender.deployment.settings import DeploySettings
from recommender.versions import Version

Files = dict[str, str]  # name relative to the deployment's folder -> text


class Target(ABC):
    """One deployment of a model at one kind of place, such as a background process or a Kubernetes cluster.

    The workflow calls `files` and `validate`, writes the files to `folder`, each by a rename, then `apply`,
    and asks `statuses` until that version is AVAILABLE and no other. To change to another version, also back,
    it does the same again: `apply` must change what runs without failing requests, and do nothing where
    nothing changed.

    Everything that goes wrong is a `RecommenderError` of one line.
    """

    def __init__(
        self, settings: DeploySettings, folder: Path, details: Mapping[str, Any] | None = None
    ) -> None:
        """Take the resolved settings and the deployment's folder, which exists before `apply`.

        `details` are the plain JSON values by which the target knows again what it started (a process id, an
        endpoint's name). It changes `self.details`; the workflow keeps them in `deployment.json` after each
        `apply` and `stop`, and hands them to the next command.
        """
        self.settings = settings
        self.folder = folder
        self.details: dict[str, Any] = dict(details or {})

    @abstractmethod
    def files(self, version: Version) -> Files:
        """The text files that make this version serve. Depends on the settings alone and touches nothing."""

    @abstractmethod
    def validate(self, files: Files) -> None:
        """Check files against the rules of whoever reads them, without the engine."""

    @abstractmethod
    def commands(self, version: Version) -> list[str]:
        """What `apply` does, as lines that a shell takes where there are such, for `--dry-run` to show."""

    @abstractmethod
    def check_engine(self) -> None:
        """Raise where `apply` could not work: no `docker`, no cluster, the port taken by somebody else."""

    @abstractmethod
    def apply(self, version: Version) -> None:
        """Make this version the one that runs: start it, or change to it. Does not wait until it answers."""

    @abstractmethod
    def is_running(self) -> bool:
        """Whether that which was started still runs."""

    @abstractmethod
    def stop(self) -> None:
        """Stop what was started and wait until it has ended; nothing where nothing runs."""

    @property
    @abstractmethod
    def url(self) -> str:
        """Where it answers, without a path: http://127.0.0.1:8501."""

    @property
    @abstractmethod
    def logs(self) -> str:
        """Where the logs are: a file, or the command that shows them."""

    def statuses(self) -> list[VersionStatus]:
        """The versions that whoever answers has or had; none while nobody answers.

        Raises where that can no longer change, such as for a process that has ended, saying why.
        """
        try:
            with self.client() as client:
                return client.status()
        except (ServerUnavailable, ServerFailed, NotFound):
            return []

    def predict(self, version: Version, request: Mapping[str, Any]) -> Any:
        """What this very version predicts for the body of a predict request in row form."""
        with self.client(version.number) as client:
            return client.predict(request["instances"], signature_name=request.get("signature_name"))

    def curl(self, request: Mapping[str, Any] | None) -> str:
        """A line for a shell that asks what is deployed for predictions, or else for its status."""
        return self.client().curl(request)

    def client(self, version: int | None = None) -> ModelClient:
        """A REST client of the deployed model, or of one version of it."""
        return ModelClient(self.url, self.settings.workflow.name, version)
