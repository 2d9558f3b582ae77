from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def benchmarks(monkeypatch):
    """The commands of benchmarks/ find what lies beside them."""
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "benchmarks")
