"""Fixtures of the model server's tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from saved_models import SavedModels


@pytest.fixture(scope="session")
def saved_models(tmp_path_factory: pytest.TempPathFactory) -> SavedModels:
    """Small SavedModels: `saved_models.place("half_plus_two", base / "123")`."""
    from saved_models import SavedModels  # only here, as it needs TensorFlow

    return SavedModels(tmp_path_factory.mktemp("saved_models"))
