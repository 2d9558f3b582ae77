"""Fixtures for models that are followed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

POLL = 0.05  # seconds


@pytest.fixture
def manage() -> Iterator[Callable[..., Any]]:
    """Starts a `ModelManager` that polls often; it is stopped after the test."""
    from recommender.serving.servables.manager import ModelManager

    managers = []

    def manage(models: Sequence[Any], poll_seconds: float = POLL, **options: Any) -> ModelManager:
        manager = ModelManager(models, poll_seconds, **options)
        managers.append(manager)
        manager.start()
        return manager

    yield manage
    for manager in managers:
        manager.stop()


class Half:
    """Asks a half-plus model for x = 2: the answer is 1 more than its constant."""

    @staticmethod
    def plus(manager: Any, name: str = "m", version: int | None = None, label: str | None = None) -> float:
        with manager.servable(name, version, label) as servable:
            return Half.ask(servable)

    @staticmethod
    def ask(servable: Any) -> float:
        return servable.predict("", {"x": np.array([[2.0]], np.float32)}, 30_000)["y"].item() - 1


@pytest.fixture
def half() -> type[Half]:
    """`half.plus(manager)` is 2.0 for half_plus_two."""
    return Half


@pytest.fixture
def model() -> Callable[..., Any]:
    """`model(base)` is the configuration of a model `m`."""
    from recommender.serving.servables.model_config import ModelConfig, VersionPolicy

    def model(
        base: Path,
        name: str = "m",
        policy: VersionPolicy | None = None,
        labels: Mapping[str, int] | None = None,
    ) -> ModelConfig:
        return ModelConfig(name, base, policy or VersionPolicy(), labels or {})

    return model


@pytest.fixture
def states() -> Callable[..., dict[int, str]]:
    """`states(manager)` is the state of each version of a model."""

    def states(manager: Any, name: str = "m") -> dict[int, str]:
        return {status.version: str(status.state) for status in manager.statuses(name)}

    return states
