"""What each signature takes."""

from __future__ import annotations

import tensorflow as tf

from recommender.export.stored_movies import stored_movie_specs
from recommender.export.stored_user import stored_user_specs

Inputs = dict[str, list[tf.TensorSpec]]


def signature_inputs() -> Inputs:
    """Signature name -> its inputs: strings `(n,)`, seconds UTC int64, and `k`, a single int32.

    `exclude` is `(n, any)`. The features of `retrieve_by_features`, `rank` and `rank_by_features` are those
    of one user; `rank_by_features` also takes those of every candidate, floats `(n,)`. `retrieve_to_rank` and
    `rank_retrieved` are these two for one list: the scores `retrieved` of the first go into the second.
    """
    user, movie, title = _strings("user_id"), _strings("movie_id"), _strings("movie_title")
    timestamp = tf.TensorSpec([None], tf.int64, "timestamp")
    one_timestamp = tf.TensorSpec([1], tf.int64, "timestamp")
    k = tf.TensorSpec([], tf.int32, "k")
    stored = list(stored_user_specs().values())
    candidates = [*stored, one_timestamp, _strings("movie_ids")]
    live_candidates = [*candidates, *stored_movie_specs().values()]
    return {
        "serving_default": [user, title, timestamp],
        "predict_by_id": [user, movie],
        "predict_by_id_at": [user, movie, timestamp],
        "retrieve": [user, k],
        "retrieve_by_features": [*stored, k],
        "rank": candidates,
        "rank_by_features": live_candidates,
        "retrieve_to_rank": [*stored, k],
        "rank_retrieved": [*live_candidates, tf.TensorSpec([1, None], tf.float32, "retrieved")],
        "recommend": [user, tf.TensorSpec([None, None], tf.string, "exclude"), k],
        "similar_movies": [_strings("movie"), k],
    }


def _strings(name: str) -> tf.TensorSpec:
    return tf.TensorSpec([None], tf.string, name)
