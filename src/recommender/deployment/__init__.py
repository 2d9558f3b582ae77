"""From a published version to one that answers over REST, and back to the one before."""

from recommender.deployment.operate import Overview, overview, rollback, stop
from recommender.deployment.workflow import Plan, deploy, plan

__all__ = ["Overview", "Plan", "deploy", "overview", "plan", "rollback", "stop"]
