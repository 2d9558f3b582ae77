"""How a pod gets at the version that it serves: a volume that holds all of them, or a copy from a bucket."""

from __future__ import annotations

from typing import Any

from recommender.deployment.settings import DeploySettings
from recommender.deployment.targets import model_server

NOBODY = 65_534
# The rules of the Pod Security Standard "restricted", and a root file system that cannot be written to.
HARDENED: dict[str, Any] = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}
# rclone's names for what the URL of a bucket begins with, and that it takes credentials from the environment.
REMOTES = {"s3": ":s3,provider=AWS,env_auth=true:", "gs": ":gcs,env_auth=true:"}


def model_volume(settings: DeploySettings) -> dict[str, Any]:
    """The volume with the versions, or an empty one that `fetch_containers` fills."""
    storage = settings.kubernetes.storage
    if storage.kind == "bucket":
        return {"name": "models", "emptyDir": {}}
    return {"name": "models", "persistentVolumeClaim": {"claimName": storage.claim, "readOnly": True}}


def fetch_containers(settings: DeploySettings, version: int) -> dict[str, Any]:
    """A container that copies the version from the bucket before the server starts; none for a volume.

    TensorFlow Serving itself has read no `s3://` since 2.7, when TensorFlow moved that file system to a
    plug-in which the image lacks ("File system scheme 's3' not implemented", tensorflow/serving issue 1963).
    A copy of the one version that is served also works for every other kind of bucket, and what a pod serves
    cannot change under it.
    """
    storage = settings.kubernetes.storage
    if storage.kind != "bucket":
        return {}
    scheme, _, path = storage.bucket.rstrip("/").partition("://")
    source = f"{REMOTES[scheme]}{path}/{version}"
    folder = model_server.model_folder(settings)
    target = f"{folder}/{version}"
    container = {
        "name": "fetch-version",
        "image": storage.fetch_image,
        # A prefix without objects is no error for a bucket: without the model the pod must not go on.
        "command": ["sh", "-ec", 'rclone copy "$SOURCE" "$TARGET" && test -f "$TARGET/saved_model.pb"'],
        "env": [
            {"name": "SOURCE", "value": source},
            {"name": "TARGET", "value": target},
            {"name": "RCLONE_CONFIG", "value": ""},  # keeps it from looking for a file
        ],
        "resources": {
            "requests": {"cpu": "100m", "memory": "128Mi"},
            "limits": {"cpu": "1", "memory": "512Mi"},
        },
        "securityContext": HARDENED,
        "volumeMounts": [
            {"name": "models", "mountPath": folder},
            {"name": "tmp", "mountPath": "/tmp"},
        ],
    }
    if storage.secret:
        container["envFrom"] = [{"secretRef": {"name": storage.secret}}]
    return {"initContainers": [container]}
