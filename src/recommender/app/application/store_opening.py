"""Which store the application starts on: filled where it is empty, refused where it is of other data."""

from __future__ import annotations

from collections.abc import Callable

from recommender.app.features import FeatureStore, StoreUnavailableError, open_backend
from recommender.app.settings import AppSettings
from recommender.errors import RecommenderError
from recommender.versions import Version, list_versions, resolve

Fill = Callable[[Version], object]


def model_version(settings: AppSettings) -> Version | None:
    """The newest version in this machine's folder, the one that answers unless a model server does.

    None where there is none and a model server answers; without one, `RecommenderError`.
    """
    base = settings.model.models / settings.model.name
    if settings.model.url and not list_versions(base):
        return None
    return resolve(base)


def open_store(settings: AppSettings, version: Version | None, fill: Fill, refill: bool) -> FeatureStore:
    """The store, after `fill(version)` where it is empty or `refill` says so.

    Raises `StoreUnavailableError` where it does not answer and `RecommenderError` where it is empty with
    nothing to fill it from, or holds other data than the version was trained on.
    """
    store = FeatureStore(open_backend(settings.store))
    store.backend.events()  # a store that is down is no empty one
    if refill or _is_empty(store):
        if version is None:
            raise RecommenderError(
                f"the store holds no features, and {settings.model.models} no model that says of which data "
                "they should be: run recommender features push"
            )
        fill(version)
    if version is not None and not settings.model.url:
        _check_same_data(store, version)
    return store


def _is_empty(store: FeatureStore) -> bool:
    try:
        store.version()
    except StoreUnavailableError:
        return True
    return False


def _check_same_data(store: FeatureStore, version: Version) -> None:
    schema, provenance = store.catalogue().schema, version.provenance()
    dataset, fingerprint = provenance["dataset"], provenance["data_fingerprint"]
    if schema.fingerprint != fingerprint:
        raise RecommenderError(
            f"the store holds {schema.dataset} ({schema.fingerprint[:8]}), version {version.number} of the "
            f"model was trained on {dataset} ({fingerprint[:8]}): fill the store anew with --push, "
            "or name another one with store=sqlite:FILE"
        )
