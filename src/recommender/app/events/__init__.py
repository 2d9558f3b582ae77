"""What was shown and what was done with it: a durable log, and counts of it as they come."""

from recommender.app.events.event_log import EventLog
from recommender.app.events.records import Acted, Shown
from recommender.app.events.traffic import Counts, Traffic

__all__ = ["Acted", "Counts", "EventLog", "Shown", "Traffic"]
