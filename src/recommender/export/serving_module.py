"""What the exported SavedModel is: both models, the state of users and movies, and the signatures."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from recommender.config import Settings
from recommender.data.prepared import Prepared
from recommender.export.final_stage import FinalStage
from recommender.export.inputs import signature_inputs
from recommender.export.lookups import Lookup
from recommender.export.movie_names import MovieNames
from recommender.export.ranker import Ranker
from recommender.export.request_features import users_at
from recommender.export.retriever import Retriever
from recommender.export.rows import Columns, FeatureRows
from recommender.export.seen import SeenMovies, cells
from recommender.export.stored_movies import with_live_history
from recommender.export.stored_user import StoredUser
from recommender.export.top_movies import LOWEST, best, best_movies, exclude
from recommender.training import Trained

Answer = dict[str, tf.Tensor]


class ServingModule(tf.Module):
    """Answers requests in strings. A user or movie that is not in the data is one of which nothing is known.

    Features are those of the `serving` snapshot, taken a second after the last rating: `moment`, seconds
    UTC. A request without a timestamp is answered as of then. Lists of movies are `movie_ids`, `titles` and
    `scores`, best first, `(n, min(k, num_movies))`; where fewer movies are left, places at the end are ""
    with the lowest float.
    """

    def __init__(self, settings: Settings, prepared: Prepared, trained: Trained) -> None:
        super().__init__()
        schema, snapshot = prepared.schema, prepared.snapshot("serving")
        interactions = prepared.interactions
        num_ratings = np.bincount(interactions.movie, minlength=interactions.num_movies)
        self.moment = snapshot.timestamp
        self._num_candidates = settings.retrieval.candidates
        self._user_index = Lookup(prepared.users["user_id"])
        self._names = MovieNames(prepared.movies, num_ratings)
        self._users, self._movies = FeatureRows(snapshot.users), FeatureRows(snapshot.movies)
        self._seen = SeenMovies(interactions)
        self._stored_user = StoredUser(schema, self._user_index, self._names)
        self._retriever = Retriever(trained.retrieval, settings.retrieval)
        self._ranker = Ranker(trained.ranking, settings.ranking)
        self._final_stage = FinalStage(self._ranker, trained.order.order)

    def signatures(self) -> dict[str, Any]:
        """Concrete functions by name, traced anew; the method of that name says what is answered."""
        return {
            name: tf.function(getattr(self, name)).get_concrete_function(
                **{spec.name: spec for spec in specs}
            )
            for name, specs in signature_inputs().items()
        }

    def serving_default(self, user_id: tf.Tensor, movie_title: tf.Tensor, timestamp: tf.Tensor) -> Answer:
        """`rating` or `like` `(n,)` of pairs, with retrieval's `user_embedding` and `movie_embedding`."""
        return self._predict(self._user_index(user_id), self._names.by_title(movie_title), timestamp)

    def predict_by_id(self, user_id: tf.Tensor, movie_id: tf.Tensor) -> Answer:
        """The same by movie id, as of the snapshot."""
        return self.predict_by_id_at(user_id, movie_id, self._moments(user_id))

    def predict_by_id_at(self, user_id: tf.Tensor, movie_id: tf.Tensor, timestamp: tf.Tensor) -> Answer:
        """The same by movie id, as of a second."""
        return self._predict(self._user_index(user_id), self._names.by_id(movie_id), timestamp)

    def retrieve(self, user_id: tf.Tensor, k: tf.Tensor) -> Answer:
        """The `k` movies that the retrieval model scores highest, less those that the user has rated."""
        users = self._user_index(user_id)
        scores = exclude(self._retriever.scores(self._users(users)), self._seen.cells(users))
        return self._names.answer(*best_movies(scores, k))

    def retrieve_by_features(self, k: tf.Tensor, **stored: tf.Tensor) -> Answer:
        """The same for one user of these features, who may be new; also less the movies of that history."""
        return self._names.answer(*self._retrieved(stored, k)[:2])

    def retrieve_to_rank(self, k: tf.Tensor, **stored: tf.Tensor) -> Answer:
        """`movie_ids` and `scores` of the same, and for `rank_retrieved` what retrieval says of every movie:
        `retrieved` `(1, num_movies + 1)`, in an order of the version's own."""
        best, scores, retrieved = self._retrieved(stored, k)
        return {"movie_ids": self._names.ids(best), "scores": scores, "retrieved": retrieved}

    def rank(self, timestamp: tf.Tensor, movie_ids: tf.Tensor, **stored: tf.Tensor) -> Answer:
        """`scores` `(n,)` of the final order of n candidates for one user of these features, and what the
        ranking model predicts of each under the name of its objective: `rating`, `like` or `implicit`.

        The features are as of `timestamp` `(1,)`. Excludes nothing and keeps the order of the candidates,
        which need not come from retrieval. A movie that is not in the data has the lowest float as score.
        """
        return self._rank(stored, self._movies(self._names.by_id(movie_ids)), timestamp)

    def rank_by_features(self, timestamp: tf.Tensor, movie_ids: tf.Tensor, **stored: tf.Tensor) -> Answer:
        """The same with the ratings of each candidate so far as a feature store holds them, `(n,)`, where
        `rank` knows those of the snapshot."""
        movies = with_live_history(self._movies(self._names.by_id(movie_ids)), stored)
        return self._rank(stored, movies, timestamp)

    def rank_retrieved(
        self, timestamp: tf.Tensor, movie_ids: tf.Tensor, retrieved: tf.Tensor, **stored: tf.Tensor
    ) -> Answer:
        """The same where `retrieve_to_rank` has been asked for this user: nothing is found out twice."""
        movies = with_live_history(self._movies(self._names.by_id(movie_ids)), stored)
        return self._rank(stored, movies, timestamp, tf.gather(retrieved[0], movies["movie_id"]))

    def recommend(self, user_id: tf.Tensor, exclude: tf.Tensor, k: tf.Tensor) -> Answer:
        """The `k` best of the retrieved candidates by the final order, never one that the user has rated.

        Candidates are `retrieval.candidates`, or `k` if that is more. `exclude` `(n, any)` are ids of more
        movies to leave out, "" is none.
        """
        users = self._user_index(user_id)
        candidates, retrieved = self._candidates(users, self._names.by_id(exclude), k)
        places, scores = best(self._order(users, candidates, retrieved), k)
        return self._names.answer(tf.gather(candidates, places, batch_dims=1), scores)

    def similar_movies(self, movie: tf.Tensor, k: tf.Tensor) -> Answer:
        """The `k` movies nearest to each by the cosine of their vectors; `movie` is an id or else a title."""
        index = self._names.by_id_or_title(movie)
        scores = exclude(self._retriever.similarities(index), cells(index[:, tf.newaxis]))
        scores = tf.where(index[:, tf.newaxis] > 0, scores, LOWEST)
        return self._names.answer(*best_movies(scores, k))

    def _predict(self, users: tf.Tensor, movies: tf.Tensor, timestamp: tf.Tensor) -> Answer:
        of_users = users_at(self._users(users), self.moment, timestamp)
        predicted = self._ranker.prediction(of_users, self._movies(movies), timestamp)
        return {
            self._ranker.objective: predicted,
            "user_embedding": self._retriever.user_vectors(of_users),
            "movie_embedding": tf.gather(self._retriever.movie_vectors, movies),
        }

    def _candidates(self, users: tf.Tensor, excluded: tf.Tensor, k: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """What to order: indices `(n, at least k)`, 0 where fewer are left, and their scores of retrieval."""
        unwanted = tf.concat([self._seen.cells(users), cells(excluded)], axis=0)
        scores = exclude(self._retriever.scores(self._users(users)), unwanted)
        return best_movies(scores, tf.maximum(k, self._num_candidates))

    def _order(self, users: tf.Tensor, candidates: tf.Tensor, retrieved: tf.Tensor) -> tf.Tensor:
        """Final scores of candidates `(n, c)` for their users `(n,)`; `LOWEST` where there is none."""

        def of_user(row: tuple[tf.Tensor, tf.Tensor, tf.Tensor]) -> tf.Tensor:
            user, movies, scores = row
            moment = self._moments(user[tf.newaxis])
            return self._final_stage(self._users(user[tf.newaxis]), self._movies(movies), scores, moment)[0]

        # User by user, so that the memory needed does not grow with the batch. map_fn cannot map nothing.
        return tf.cond(
            tf.size(users) > 0,
            lambda: tf.map_fn(of_user, (users, candidates, retrieved), fn_output_signature=tf.float32),
            lambda: tf.zeros(tf.shape(candidates)),
        )

    def _retrieved(self, stored: Columns, k: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """The `k` best movies that one user of stored features has not rated, their scores, and those of all
        movies `(1, num_movies + 1)`."""
        user = self._stored_user.encode(stored)
        rated = [self._seen.cells(user["user_id"]), cells(self._names.by_id(stored["history_movies"]))]
        scores = self._retriever.scores(user)
        return *best_movies(exclude(scores, tf.concat(rated, axis=0)), k), scores

    def _rank(
        self, stored: Columns, movies: Columns, timestamp: tf.Tensor, retrieved: tf.Tensor | None = None
    ) -> Answer:
        """What candidates `(n, ...)` get for one user of stored features."""
        user = self._stored_user.encode(stored)
        if retrieved is None:
            retrieved = self._retriever.candidate_scores(user, movies["movie_id"])
        scores, predicted = self._final_stage(user, movies, retrieved, timestamp)
        return {"scores": scores, self._ranker.objective: predicted}

    def _moments(self, like: tf.Tensor) -> tf.Tensor:
        return tf.fill(tf.shape(like), tf.constant(self.moment, tf.int64))
