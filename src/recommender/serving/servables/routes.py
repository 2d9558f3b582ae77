"""The way from the names in a request to a servable."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType

from recommender.serving.servables.servable import Servable
from recommender.serving.servables.shared import Shared
from recommender.serving.status import Code, ServingError, invalid


class Routes:
    """What the names in requests stand for, at one moment; never changed once made."""

    __slots__ = ("_labels", "_latest", "_versions")

    def __init__(self, versions: Mapping[int, Shared], labels: Mapping[str, int]) -> None:
        self._versions = dict(versions)
        self._labels = dict(labels)
        self._latest = self._versions[max(versions)] if versions else None

    def find(self, name: str, version: int | None, label: str | None) -> Shared:
        """What a request asks for; raises `ServingError` as basic_manager.cc and server_core.cc word it."""
        if label is not None:
            version = self._labels.get(label)
            if version is None:
                raise invalid(f"Unrecognized servable version label: {label}")
        if version is None:
            found, wanted = self._latest, f"Latest({name})"
        else:
            found, wanted = self._versions.get(version), f"Specific({name}, {version})"
        if found is None:
            raise ServingError(Code.NOT_FOUND, f"Servable not found for request: {wanted}")
        return found


NO_ROUTES = Routes({}, {})


class Lease:
    """A context manager that lends a servable; the version is found on entering."""

    __slots__ = ("_label", "_name", "_routes", "_shared", "_version")

    def __init__(
        self, routes: Mapping[str, Routes], name: str, version: int | None, label: str | None
    ) -> None:
        self._routes = routes
        self._name = name
        self._version = version
        self._label = label

    def __enter__(self) -> Servable:
        while True:
            routes = self._routes.get(self._name, NO_ROUTES)
            shared = routes.find(self._name, self._version, self._label)
            if shared.acquire():
                self._shared = shared
                return shared.servable
            # Retired between the two lines: by then the routes lead elsewhere.

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._shared.release()
