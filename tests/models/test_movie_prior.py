from __future__ import annotations

import numpy as np
import tensorflow as tf

from recommender.models.movie_prior import MoviePrior
from recommender.models.rated_sequence import RatedSequence


def test_every_history_gets_the_same_scores() -> None:
    prior = MoviePrior(np.array([1.0, 2.0, 0.5]))
    movies = np.array([[1, 2], [0, 0]], np.int32)
    sequence = RatedSequence(movies, np.ones(movies.shape), np.zeros(movies.shape))
    np.testing.assert_allclose(prior(sequence), [[0.0, np.log(2), -np.log(2)]] * 2, rtol=1e-6)
    np.testing.assert_allclose(prior(sequence, tf.constant([2, 1])), [[-np.log(2), np.log(2)]] * 2, rtol=1e-6)
