"""The one interface of a channel, and the registry by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import ClassVar, Literal, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from recommender.app.candidates import channel_names
from recommender.app.candidates.neighbours import Neighbours
from recommender.app.candidates.orders import CatalogueOrders
from recommender.app.features.feature_store import CandidateFeatures
from recommender.app.features.store_catalogue import StoreCatalogue
from recommender.app.models.asked_model import AskedModel, Retrieved, Scored
from recommender.errors import ConfigError

CHANNELS: dict[str, type[Channel]] = {}
ChannelClass = TypeVar("ChannelClass", bound="type[Channel]")


@dataclass(eq=False)
class Asked:
    """For whom candidates are wanted: what is known of the user, and which movies are `open`.

    `open` `(num_movies,)` says of each movie that the user has not rated it and that it passes the filters.
    `retrieved` is what the model has told the retrieval channel, for ranking to go on from; None until then.
    """

    catalogue: StoreCatalogue
    orders: CatalogueOrders
    features: CandidateFeatures
    open: NDArray[np.bool_]
    retrieved: Retrieved | None = None

    def is_open(self, movie_id: str) -> bool:
        """Whether a movie may be listed; no movie that the catalogue lacks may."""
        place = self.catalogue.places.get(movie_id)
        return place is not None and bool(self.open[place])


@dataclass(frozen=True)
class Sources:
    """What channels ask: the model, and the neighbours that the store keeps."""

    model: AskedModel
    neighbours: Neighbours


class Channel(Protocol):
    """One way to find movies for a user. Subclass nothing: have these two, and register.

    `waits_for` names what may be slow or down: the channel is then asked on another thread, within the time
    that the list has; "" is for channels that only look at what is in memory.
    """

    waits_for: ClassVar[Literal["", "retrieval", "features"]]

    def __init__(self, sources: Sources) -> None: ...

    def candidates(self, asked: Asked, limit: int) -> Scored:
        """At most `limit` movies that are open, best first, each once.

        Fewer or none where the channel has nothing to go by, as for somebody new; never an error for that.
        """
        ...


def register_channel(name: str) -> Callable[[ChannelClass], ChannelClass]:
    """Class decorator: make a channel available as a key of `channels` of a variant."""

    def register(channel: ChannelClass) -> ChannelClass:
        CHANNELS[name] = channel
        return channel

    return register


def build_channel(name: str, sources: Sources) -> Channel:
    """Make a registered channel; raises `ConfigError` for an unknown name."""
    if name not in channel_names():
        raise ConfigError(
            f"variants.*.channels: must be among {', '.join(channel_names())}, received {name!r}"
        )
    import_module(f"recommender.app.candidates.{name}")
    return CHANNELS[name](sources)
