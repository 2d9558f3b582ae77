"""The pods of a deployment: one TensorFlow Serving each, which serves one version and can do nothing else."""

from __future__ import annotations

from math import ceil
from typing import Any

from recommender.deployment.settings import DeploySettings
from recommender.deployment.targets import model_server
from recommender.deployment.targets.kubernetes_storage import HARDENED, NOBODY, fetch_containers, model_volume

CONTAINER = "model-server"
PROBE_SECONDS = 2
DRAIN_SECONDS = 10  # until no more requests are sent to a pod that ends, and those in flight are answered


def labels(settings: DeploySettings) -> dict[str, str]:
    """By which everything of one deployment is found."""
    return {
        "app.kubernetes.io/name": "recommender",
        "app.kubernetes.io/instance": settings.deployment.name,
        "app.kubernetes.io/managed-by": "recommender",
    }


def config_name(settings: DeploySettings, version: int) -> str:
    """The ConfigMap of a version."""
    return f"{settings.deployment.name}-v{version}"


def pod_template(settings: DeploySettings, version: int) -> dict[str, Any]:
    """A Deployment's `spec.template`."""
    return {"metadata": _pod_metadata(settings, version), "spec": _pod(settings, version)}


def _pod_metadata(settings: DeploySettings, version: int) -> dict[str, Any]:
    return {
        "labels": {**labels(settings), "app.kubernetes.io/version": str(version)},
        "annotations": {
            "prometheus.io/scrape": "true",
            "prometheus.io/port": str(model_server.REST_PORT),
            "prometheus.io/path": "/monitoring/prometheus/metrics",
        },
    }


def _pod(settings: DeploySettings, version: int) -> dict[str, Any]:
    account = settings.kubernetes.service_account
    spread = {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": labels(settings)},
    }
    return {
        **({"serviceAccountName": account} if account else {}),
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": NOBODY,
            "runAsGroup": NOBODY,
            "fsGroup": NOBODY,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "terminationGracePeriodSeconds": 2 * DRAIN_SECONDS,
        "topologySpreadConstraints": [spread],
        **fetch_containers(settings, version),
        "containers": [_container(settings, version)],
        "volumes": [
            {"name": "config", "configMap": {"name": config_name(settings, version)}},
            model_volume(settings),
            {"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}},
        ],
    }


def _container(settings: DeploySettings, version: int) -> dict[str, Any]:
    kubernetes = settings.kubernetes
    resources = kubernetes.resources
    folder = {"name": "models", "mountPath": model_server.model_folder(settings), "readOnly": True}
    if kubernetes.storage.kind == "pvc":
        folder["subPath"] = "/".join(
            filter(None, [kubernetes.storage.path.strip("/"), settings.workflow.name])
        )
    return {
        "name": CONTAINER,
        "image": kubernetes.image,
        "command": [model_server.PROGRAM],
        "args": model_server.arguments(resources.cpu_limit, kubernetes.request_seconds),
        "ports": [{"name": "rest", "containerPort": model_server.REST_PORT, "protocol": "TCP"}],
        "resources": {
            "requests": {"cpu": _cpus(resources.cpu_request), "memory": resources.memory_request},
            "limits": {"cpu": _cpus(resources.cpu_limit), "memory": resources.memory_limit},
        },
        **_probes(settings, version),
        "lifecycle": {"preStop": {"exec": {"command": ["sleep", str(DRAIN_SECONDS)]}}},
        "securityContext": HARDENED,
        "volumeMounts": [
            {"name": "config", "mountPath": model_server.CONFIG_FOLDER, "readOnly": True},
            folder,
            {"name": "tmp", "mountPath": "/tmp"},
        ],
    }


def _probes(settings: DeploySettings, version: int) -> dict[str, Any]:
    """The server opens its port when its model is loaded, so an answer means that it can predict."""
    path = f"/v1/models/{settings.workflow.name}/versions/{version}"
    asked = {"httpGet": {"path": path, "port": "rest"}}
    attempts = ceil(settings.deployment.wait_seconds / PROBE_SECONDS)
    return {
        "startupProbe": {**asked, "periodSeconds": PROBE_SECONDS, "failureThreshold": attempts},
        "readinessProbe": {**asked, "periodSeconds": 5, "timeoutSeconds": 2, "failureThreshold": 2},
        "livenessProbe": {**asked, "periodSeconds": 10, "timeoutSeconds": 5, "failureThreshold": 6},
    }


def _cpus(number: float) -> str:
    return f"{round(1000 * number)}m"
