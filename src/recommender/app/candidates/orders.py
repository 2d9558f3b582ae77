"""Orders of the whole catalogue that are the same for everybody, made once for each version of the store."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from recommender.app.features.store_catalogue import StoreCatalogue

Order = NDArray[np.int32]  # places in the catalogue, best first


@dataclass(frozen=True, eq=False)
class CatalogueOrders:
    """Each order is made when it is first asked for, or all of them by `make`."""

    catalogue: StoreCatalogue

    @cached_property
    def popular(self) -> Order:
        """By number of ratings."""
        return _falling(self.catalogue.rating_counts)

    @cached_property
    def recent(self) -> Order:
        """By number of ratings, recent ones counting more."""
        return _falling(self.catalogue.recent_popularity)

    @cached_property
    def newest(self) -> Order:
        """By year of release, the popular ones of a year first; movies without a year are last."""
        years = np.nan_to_num(self.catalogue.release_years[1:], nan=-np.inf)
        return np.lexsort((-self.catalogue.rating_counts, -years)).astype(np.int32)

    @cached_property
    def by_genre(self) -> list[Order]:
        """`popular` within each genre, in the order of genre codes."""
        has = self.catalogue.genre_matrix[self.popular]
        return [self.popular[has[:, code]] for code in range(has.shape[1])]

    def make(self) -> CatalogueOrders:
        """Make all of them now, so that no request has to."""
        for name in ("popular", "recent", "newest", "by_genre"):
            getattr(self, name)
        return self


def first_open(order: Order, is_open: NDArray[np.bool_], limit: int) -> Order:
    """The first `limit` places of an order that are open.

    Looks at the beginning of the order first: most often that is enough, and the catalogue is large.
    """
    length = 4 * limit
    while True:
        found = order[:length][is_open[order[:length]]]
        if len(found) >= limit or length >= len(order):
            return found[:limit]
        length *= 8


def _falling(values: NDArray) -> Order:
    """Places by falling value, the lower place first among equals."""
    return np.argsort(-values, kind="stable").astype(np.int32)
