"""The states that versions of models pass through, as GET /v1/models/NAME lists them."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from recommender.serving.status import Code, ServingError


class State(enum.StrEnum):
    """The states of apis/get_model_status.proto, in the order in which a version passes them."""

    START = "START"
    LOADING = "LOADING"
    AVAILABLE = "AVAILABLE"
    UNLOADING = "UNLOADING"
    END = "END"


@dataclass(frozen=True, slots=True)
class VersionStatus:
    """The state of a version; `code` and `message` say why it ended where that was a failure."""

    version: int
    state: State
    code: Code = Code.OK
    message: str = ""


class StatusBoard:
    """The last state of every version there ever was; one thread writes, any may read."""

    def __init__(self) -> None:
        self._models: dict[str, dict[int, VersionStatus]] = {}

    def set(self, model: str, status: VersionStatus) -> None:
        """Replace what is known of a version."""
        # A new mapping each time: who reads the old one meanwhile is not disturbed.
        versions = {**self._models.get(model, {}), status.version: status}
        self._models = {**self._models, model: dict(sorted(versions.items(), reverse=True))}

    def list(self, model: str, version: int | None) -> list[VersionStatus]:
        """One version or all, the highest first; raises `ServingError` as get_model_status_impl.cc does."""
        known = self._models.get(model, {})
        if version is None:
            if not known:
                raise ServingError(Code.NOT_FOUND, f"Could not find any versions of model {model}")
            return list(known.values())
        if version not in known:
            raise ServingError(Code.NOT_FOUND, f"Could not find version {version} of model {model}")
        return [known[version]]
