"""The Kubernetes manifests of a deployment."""

from __future__ import annotations

from math import ceil
from typing import Any

import yaml

from recommender.deployment.settings import DeploySettings
from recommender.deployment.targets import model_server
from recommender.deployment.targets.kubernetes_pod import config_name, labels, pod_template
from recommender.errors import RecommenderError

Manifest = dict[str, Any]


def manifests(settings: DeploySettings, version: int) -> list[Manifest]:
    """What `kubectl apply` gets, in the order in which it is needed."""
    namespace = [_namespace(settings)] if settings.kubernetes.create_namespace else []
    return [
        *namespace,
        _config_map(settings, version),
        _service(settings),
        _deployment(settings, version),
        _autoscaler(settings),
        _disruption_budget(settings),
    ]


def check_manifests(text: str, release: str | None = None) -> None:
    """Hold manifests against the schemas of a Kubernetes release, such as 1.30; None: the newest known.

    Unknown fields are errors. Raises `RecommenderError` that names the manifest, the field and the rule.
    """
    import kubernetes_validate

    for document in yaml.safe_load_all(text):
        try:
            kubernetes_validate.validate(
                document, release or kubernetes_validate.latest_version(), strict=True
            )
        except kubernetes_validate.ValidationError as problem:
            path = ".".join(str(part) for part in problem.absolute_path) or "the manifest"
            raise RecommenderError(f"{document['kind']}: {path}: {problem.message}") from None


def _metadata(settings: DeploySettings, name: str | None = None) -> Manifest:
    return {
        "name": name or settings.deployment.name,
        "namespace": settings.kubernetes.namespace,
        "labels": labels(settings),
    }


def _namespace(settings: DeploySettings) -> Manifest:
    """Without the labels of the deployment, which its end is known by: others may live in the namespace."""
    enforced = {"pod-security.kubernetes.io/enforce": "restricted"}
    metadata = {"name": settings.kubernetes.namespace, "labels": enforced}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}


def _config_map(settings: DeploySettings, version: int) -> Manifest:
    """One for each version: a pod of the version before, started anew, still gets that version's."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": _metadata(settings, config_name(settings, version)),
        "data": model_server.config_files(settings, version),
    }


def _service(settings: DeploySettings) -> Manifest:
    kubernetes = settings.kubernetes
    port = {"name": "http", "port": kubernetes.port, "targetPort": "rest", "protocol": "TCP"}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": _metadata(settings),
        "spec": {"type": kubernetes.service_type, "selector": labels(settings), "ports": [port]},
    }


def _deployment(settings: DeploySettings, version: int) -> Manifest:
    """Without `replicas`, which are the autoscaler's: each `apply` would take them back."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": _metadata(settings),
        "spec": {
            "selector": {"matchLabels": labels(settings)},
            "revisionHistoryLimit": 5,
            "progressDeadlineSeconds": ceil(settings.deployment.wait_seconds),
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
            "template": pod_template(settings, version),
        },
    }


def _autoscaler(settings: DeploySettings) -> Manifest:
    kubernetes = settings.kubernetes
    target = {"type": "Utilization", "averageUtilization": kubernetes.target_cpu_percent}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": _metadata(settings),
        "spec": {
            "scaleTargetRef": {
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "name": settings.deployment.name,
            },
            "minReplicas": kubernetes.min_replicas,
            "maxReplicas": kubernetes.max_replicas,
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
        },
    }


def _disruption_budget(settings: DeploySettings) -> Manifest:
    """At most one pod at a time; a least number would keep a lone pod's node from ever being drained."""
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": _metadata(settings),
        "spec": {"maxUnavailable": 1, "selector": {"matchLabels": labels(settings)}},
    }
