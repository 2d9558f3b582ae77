"""The features of candidates, beside those that the store gave of the user when the list began."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from recommender.app.features.feature_store import CandidateFeatures, FeatureStore
from recommender.app.features.movie_features import movie_features


def read_candidates(
    store: FeatureStore, user: CandidateFeatures, movie_ids: Sequence[str]
) -> CandidateFeatures:
    """The same user with these movies as they are now; raises `StoreUnavailableError`.

    Where the store has another version since, the user is read anew, too.
    """
    of_user = user.of_user
    records = store.backend.read("", movie_ids)
    if records.version != user.version:
        return store.features_for(of_user.user_id, movie_ids, of_user.second)
    movies = movie_features(movie_ids, records.movies, of_user.second, of_user.catalogue)
    return replace(user, movies=movies)
