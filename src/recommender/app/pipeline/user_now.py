"""What the store knows of a user at one moment: the features, and every movie that the user has rated."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.app.features.feature_store import CandidateFeatures, FeatureStore
from recommender.app.features.rating_logs import USER_LOG, read_log
from recommender.app.features.store_catalogue import StoreCatalogue
from recommender.app.features.user_features import UserFeatures
from recommender.app.features.user_profile import UserProfile
from recommender.app.features.user_state import UserPast
from recommender.app.pipeline.wanted import Wanted


@dataclass(frozen=True, eq=False)
class UserNow:
    """`features` are of no candidates yet; `log` are all ratings, oldest first, as rows of `USER_LOG`."""

    features: CandidateFeatures
    log: NDArray

    @property
    def catalogue(self) -> StoreCatalogue:
        """The catalogue of the version that the features come from."""
        return self.features.of_user.catalogue

    @property
    def seen(self) -> NDArray[np.uint32]:
        """The places of all rated movies in the catalogue."""
        return self.log["movie"]

    def liked(self) -> list[str]:
        """The movies whose last rating says that the user likes them, newest first."""
        newest_first = self.log[::-1]
        _, first = np.unique(newest_first["movie"], return_index=True)
        first = np.sort(first[self.catalogue.likes(newest_first["rating"][first])])
        return [self.catalogue.movie_ids[place] for place in newest_first["movie"][first].tolist()]


def read_user(store: FeatureStore, wanted: Wanted) -> UserNow:
    """Ask the store; raises `StoreUnavailableError`."""
    while True:
        features = store.features_for(wanted.user_id, [], wanted.timestamp)
        version, content = store.backend.log("user", wanted.user_id)
        if version == features.version:  # else the version was replaced in between
            break
    return UserNow(features, read_log(content, USER_LOG))


def nobody(catalogue: StoreCatalogue, wanted: Wanted) -> UserNow:
    """The user as one of whom nothing is known, for when the store does not answer."""
    past = UserPast(genre_likes=np.zeros(len(catalogue.schema.genres), np.int32))
    user = UserFeatures(wanted.user_id, UserProfile(), past, wanted.timestamp, catalogue)
    return UserNow(CandidateFeatures(-1, user, {}), np.empty(0, USER_LOG))
