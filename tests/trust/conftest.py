import pytest

from recommender import trust


@pytest.fixture(scope="session")
def found(settings, prepared, trained):
    """What `trust.measure` finds of the session's small recommender."""
    return trust.measure(settings, prepared, trained)
