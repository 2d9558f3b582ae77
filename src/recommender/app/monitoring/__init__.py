"""What the online recommender counts and measures of itself."""

from recommender.app.monitoring.metrics import Metrics

__all__ = ["Metrics"]
