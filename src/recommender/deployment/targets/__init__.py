"""Where a deployment can run; one file each, all with the interface of `target.py`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from recommender.deployment.settings import DeploySettings
from recommender.deployment.targets.target import Target


def make_target(settings: DeploySettings, folder: Path, details: Mapping[str, Any] | None = None) -> Target:
    """The target that `deployment.target` names."""
    return _class(settings.deployment.target)(settings, folder, details)


def _class(name: str) -> type[Target]:
    """Imported when asked for: each needs libraries that the others do without."""
    if name == "local":
        from recommender.deployment.targets.local import LocalTarget

        return LocalTarget
    if name == "docker":
        from recommender.deployment.targets.compose import ComposeTarget

        return ComposeTarget
    if name == "kubernetes":
        from recommender.deployment.targets.kubernetes import KubernetesTarget

        return KubernetesTarget
    from recommender.deployment.targets.sagemaker import SageMakerTarget

    return SageMakerTarget
