"""The kubernetes target: TensorFlow Serving's own image in a cluster, by way of `kubectl`."""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from recommender.client import VersionStatus
from recommender.deployment.settings import DeploySettings
from recommender.deployment.targets import engine
from recommender.deployment.targets.kubernetes_manifests import check_manifests, manifests
from recommender.deployment.targets.kubernetes_pod import labels
from recommender.deployment.targets.port_forward import port_forward
from recommender.deployment.targets.rendered_yaml import render
from recommender.deployment.targets.target import Files, Target
from recommender.versions import Version

MANIFESTS = "manifests.yaml"
KINDS = "horizontalpodautoscaler,deployment,service,poddisruptionbudget,configmap"
PURPOSE = "the kubernetes target needs kubectl"
ANSWER_SECONDS = 30.0
PAUSE = 1.0  # seconds between two looks at a rollout
ROLLED_OUT = "successfully rolled out"


class KubernetesTarget(Target):
    """A Deployment whose pods are replaced one by one when the version changes."""

    def __init__(
        self, settings: DeploySettings, folder: Path, details: Mapping[str, Any] | None = None
    ) -> None:
        """See `Target`."""
        super().__init__(settings, folder, details)
        self._forwarded: str | None = None

    def files(self, version: Version) -> Files:
        """All manifests in one file."""
        return {MANIFESTS: render(manifests(self.settings, version.number))}

    def validate(self, files: Files) -> None:
        """Check the manifests against the schemas of Kubernetes."""
        check_manifests(files[MANIFESTS])

    def commands(self, version: Version) -> list[str]:
        """What `apply` runs, and how the end is awaited."""
        rollout = self._rollout("--watch", "--timeout", f"{self.settings.deployment.wait_seconds:g}s")
        return [shlex.join(command) for command in (*self._apply_commands(), rollout)]

    def check_engine(self) -> None:
        """Raise where there is no kubectl, the cluster does not answer, or the namespace is missing."""
        engine.find("kubectl", PURPOSE)
        if self.settings.kubernetes.create_namespace:
            engine.call(self._kubectl("version"), ANSWER_SECONDS)
        else:
            engine.call(self._kubectl("get", "namespace", self.settings.kubernetes.namespace), ANSWER_SECONDS)

    def apply(self, version: Version) -> None:
        """Let kubectl read the manifests, then apply them; Kubernetes replaces what has changed."""
        for command in self._apply_commands():
            engine.call(command)

    def is_running(self) -> bool:
        """Whether the Deployment is there."""
        name = f"deployment/{self.settings.deployment.name}"
        found = self._kubectl("get", name, "--ignore-not-found", "--output", "name")
        return bool(engine.call(found, ANSWER_SECONDS).strip())

    def stop(self) -> None:
        """Delete all that was made but the namespace, and wait until it is gone."""
        selector = ",".join(f"{key}={value}" for key, value in labels(self.settings).items())
        engine.call(self._kubectl("delete", KINDS, "--selector", selector, "--ignore-not-found", "--wait"))

    def statuses(self) -> list[VersionStatus]:
        """Those of a pod, once all have been replaced; raises where Kubernetes has given up."""
        if ROLLED_OUT not in engine.call(self._rollout("--watch=false"), ANSWER_SECONDS):
            time.sleep(PAUSE)
            return []
        with self._reached():
            return super().statuses()

    def predict(self, version: Version, request: Mapping[str, Any]) -> Any:
        """Ask the Service."""
        with self._reached():
            return super().predict(version, request)

    def curl(self, request: Mapping[str, Any] | None) -> str:
        """Ask the Service, through a port of this machine where it has no address here."""
        if self.settings.kubernetes.url:
            return super().curl(request)
        port = self.settings.kubernetes.port
        self._forwarded = f"http://127.0.0.1:{port}"
        try:
            return (
                f"{shlex.join(self._forward(f'{port}:{port}'))} & sleep 2; {super().curl(request)}; kill %%"
            )
        finally:
            self._forwarded = None

    @property
    def url(self) -> str:
        """Where the Service answers: as set, through a port of this machine, or within the cluster."""
        kubernetes, name = self.settings.kubernetes, self.settings.deployment.name
        within = f"http://{name}.{kubernetes.namespace}.svc:{kubernetes.port}"
        return self._forwarded or kubernetes.url or within

    @property
    def logs(self) -> str:
        """The command that shows the log of all pods."""
        selector = f"app.kubernetes.io/instance={self.settings.deployment.name}"
        return shlex.join(self._kubectl("logs", "--selector", selector, "--follow", "--prefix"))

    @contextmanager
    def _reached(self) -> Iterator[None]:
        """While this lasts, `url` is an address that can be asked from here."""
        if self.settings.kubernetes.url:
            yield
            return
        with port_forward(self._forward(f":{self.settings.kubernetes.port}")) as self._forwarded:
            try:
                yield
            finally:
                self._forwarded = None

    def _kubectl(self, *arguments: str) -> list[str]:
        kubernetes = self.settings.kubernetes
        context = ["--context", kubernetes.context] if kubernetes.context else []
        return ["kubectl", *context, "--namespace", kubernetes.namespace, *arguments]

    def _apply_commands(self) -> list[list[str]]:
        file = str(self.folder / MANIFESTS)
        return [
            self._kubectl("apply", "--dry-run=client", "--filename", file),
            self._kubectl("apply", "--filename", file),
        ]

    def _rollout(self, *options: str) -> list[str]:
        return self._kubectl("rollout", "status", f"deployment/{self.settings.deployment.name}", *options)

    def _forward(self, ports: str) -> list[str]:
        return self._kubectl("port-forward", f"service/{self.settings.deployment.name}", ports)
