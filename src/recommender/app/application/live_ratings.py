"""What the store's live events say of time."""

from __future__ import annotations

from collections.abc import Iterable

import orjson


def last_rating(events: Iterable[bytes]) -> int:
    """The latest second of ratings among live events; 0 for none. See `live_events.rating_added`."""
    contents = map(orjson.loads, events)
    return max((content[3] for content in contents if content[0] == "add"), default=0)
