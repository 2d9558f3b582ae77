"""The retrieval model: which movie a user rates next, out of the whole catalogue."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_recommenders as tfrs
from numpy.typing import NDArray

from recommender.config import RetrievalSettings
from recommender.data.features import select
from recommender.data.schema import Schema
from recommender.errors import ConfigError
from recommender.models.embedding import FeatureEmbedding
from recommender.models.history_encoder import ENCODERS
from recommender.models.item_to_item_prior import ItemToItemPrior, PairTable
from recommender.models.movie_embedding import MovieContent, MovieEmbedding
from recommender.models.movie_prior import MoviePrior
from recommender.models.rated_sequence import RatedSequence, oldest_first
from recommender.models.retrieval_tower import MovieSide, RetrievalTower
from recommender.models.user_tower import UserTower

Columns = Mapping[str, tf.Tensor]
Seen = Callable[[tf.Tensor], tf.Tensor]
MOST_COMPARED = 30_000  # movies in a full softmax: 0.4 GB for each tensor of scores of a step
EXCLUDED = -1e9  # logit of what cannot come next; finite, so that gradients stay numbers


class RetrievalModel(tfrs.models.Model):
    """How likely each movie is to be rated next: `scores`.

    A product of experts (Hinton 2002): the softmax over a weighted sum of what each expert says. Scores are
    that sum, and what experts say likewise is not normalised: log-probabilities but for a number that is the
    same for all movies, changes no order, and would take the whole catalogue to find. Experts are
    one `RetrievalTower` per entry of `settings.history_encoder`, with embeddings and a loss of its own, and
    the `priors`, which are fitted without a network. `mixture` holds their weights. It begins with the mean
    of the towers and nothing else and is no weight of the network: an expert would be trusted too much on
    the ratings that it was fitted on, so `fit_mixture` finds the weights on others.

    `movie_counts` `(num_movies,)` are the training ratings of each movie. With `softmax: full` the loss is
    the cross-entropy over all movies that training has seen. TFRS's `Retrieval` task is not used then: it
    knows one right answer per row, and its candidates are those of the batch. With `sampled` it is, over the
    movies of the batch and `negatives` drawn uniformly, each corrected by the logarithm of how often it is a
    candidate (logQ: Yi et al. 2019; mixed negatives: Yang et al. 2020); with `hard_negatives` over the right
    one and those that score highest. In both, what a user has rated by
    then is no candidate. Raises `ConfigError` for features that a tower cannot have and too many movies.
    """

    def __init__(
        self,
        settings: RetrievalSettings,
        schema: Schema,
        content: MovieContent,
        movie_counts: NDArray[np.integer],
        priors: Mapping[str, PairTable | NDArray[np.floating]] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if settings.softmax == "full" and schema.num_movies > MOST_COMPARED:
            raise ConfigError(
                f"retrieval.softmax: full compares all movies at every step, at most {MOST_COMPARED:,}, "
                f"the data has {schema.num_movies:,}: set retrieval.softmax=sampled"
            )
        self.settings = settings
        self.schema = schema
        self.history_length = min(settings.history_length, schema.history_length)
        counts = np.concatenate([[0], movie_counts])
        smoothed = counts[: schema.known_movies + 1] + 0.5
        self.towers = [
            self._tower(f"{name}_{place}", name, content, smoothed / smoothed.sum())
            for place, name in enumerate(settings.history_encoder)
        ]
        self.priors = [_prior(table, name) for name, table in (priors or {}).items()]
        first = [1 / len(self.towers)] * len(self.towers) + [0.0] * len(self.priors)
        self.mixture = tf.Variable(first, trainable=False, name="mixture")
        self.share = tf.constant(counts / max(counts.sum(), 1), tf.float32)  # of ratings, by model index
        self.task = tfrs.tasks.Retrieval(
            temperature=settings.temperature,
            num_hard_negatives=settings.hard_negatives,
            remove_accidental_hits=True,
        )

    def _tower(
        self, name: str, encoder: str, content: MovieContent, share: NDArray[np.floating]
    ) -> RetrievalTower:
        settings, schema, size = self.settings, self.schema, self.settings.embedding_size
        features = select(settings.user_features, "retrieval.user_features", ("user", "user_history"))
        select(settings.movie_features, "retrieval.movie_features", ("movie",))
        movies = MovieEmbedding(schema, content, size, settings.movie_features, name="movie")
        fixed = [feature for feature in features if feature.name != "history"]
        embedding = FeatureEmbedding(fixed, schema, movies, settings.unknown_user_rate, name="embedding")
        reads = None
        if "history" in settings.user_features:
            reads = ENCODERS[encoder](size, settings.dropout, name=encoder)
        users = UserTower(embedding, reads, settings.dropout, name="user")
        return RetrievalTower(users, movies, share, settings.temperature, schema.num_movies, name=name)

    def user_vectors(self, columns: Columns) -> tf.Tensor:
        """Encoded columns of users -> `(batch, embedding_size * towers)`."""
        return tf.concat(self._last_vectors(columns), axis=1)

    def movie_vectors(self, movies: tf.Tensor) -> tf.Tensor:
        """Indices `(n,)` -> `(n, embedding_size * towers)`."""
        return tf.concat([tower.movie_tower(movies) for tower in self.towers], axis=1)

    def movie_sides(self) -> list[MovieSide]:
        """What of each tower's scores depends on no user, to be kept while the weights do not change."""
        return [tower.movie_side() for tower in self.towers]

    def scores(
        self, columns: Columns, sides: Sequence[MovieSide] | None = None, movies: tf.Tensor | None = None
    ) -> tf.Tensor:
        """Scores `(batch, num_movies + 1)` for encoded columns of users; index 0, no movie, means nothing.

        Movies that the user has rated are scored like all others: leaving them out is the caller's business.
        `sides` are `movie_sides` that were kept; without them they are computed anew. With `movies` `(c,)`
        only these are scored, `(batch, c)`.
        """
        return tf.tensordot(self.mixture, self.experts(columns, sides, movies), axes=1)

    def experts(
        self, columns: Columns, sides: Sequence[MovieSide] | None = None, movies: tf.Tensor | None = None
    ) -> tf.Tensor:
        """What each expert says, towers first, `(experts, batch, num_movies + 1)`, or `(..., c)`."""
        sides = self.movie_sides() if sides is None else sides
        sides = sides if movies is None else [side.of(movies) for side in sides]
        parts = zip(self.towers, self._last_vectors(columns), sides, strict=True)
        said = [tower.logits(*both) for tower, *both in parts]
        everything = oldest_first(columns, self.schema.history_length)  # not only what the towers read
        return tf.stack([*said, *(prior(everything, movies) for prior in self.priors)])

    def _last_vectors(self, columns: Columns) -> list[tf.Tensor]:
        """Each tower's vector of a user after the last rating, `(batch, embedding_size)`."""
        sequence = oldest_first(columns, self.history_length)
        last = sequence.lengths()
        return [tf.gather(tower.user_tower(columns, sequence), last, batch_dims=1) for tower in self.towers]

    def call(self, inputs: Columns, training: bool = False) -> list[tf.Tensor]:
        """Each tower's vectors before and after each rating of a training batch."""
        sequence = RatedSequence(inputs["movies"], inputs["ratings"], inputs["ages"])
        return [tower.user_tower(inputs, sequence, training=training) for tower in self.towers]

    def compute_loss(self, inputs: Columns, training: bool = False) -> tf.Tensor:
        """The sum of the towers' mean losses of a batch (see `UserStretches`), divided by the replicas."""
        asked = tf.where(inputs["targets"][:, :, 0] > 0)  # (rows, 2): what is padding asks nothing
        position = tf.gather_nd(inputs["positions"], asked)
        place = tf.stack([asked[:, 0], position], axis=1)
        targets = tf.gather_nd(inputs["targets"], asked)  # (rows, most)
        place_now = tf.cast(position, tf.int32)[:, tf.newaxis]

        def seen(movies: tf.Tensor) -> tf.Tensor:
            """Which of the movies `(c,)` the user of each question has rated by then: `(rows, c)`."""
            return tf.gather(tf.gather(inputs["ranks"], movies, axis=1), asked[:, 0]) <= place_now

        loss = self._full_loss if self.settings.softmax == "full" else self._sampled_loss
        vectors = zip(self.towers, self(inputs, training=training), strict=True)
        losses = [loss(tower, tf.gather_nd(of_users, place), targets, seen) for tower, of_users in vectors]
        return tf.add_n(losses) / tf.distribute.get_strategy().num_replicas_in_sync

    def _full_loss(
        self, tower: RetrievalTower, vectors: tf.Tensor, targets: tf.Tensor, seen: Seen
    ) -> tf.Tensor:
        """Minus the mean log-probability of all targets `(rows, most)`, 0 = none, among what is not seen."""
        logits = tower.logits(vectors)
        movies = tf.range(self.schema.num_movies + 1)
        possible = (movies > 0) & (movies <= self.schema.known_movies) & ~seen(movies)
        normaliser = tf.reduce_logsumexp(tf.where(possible, logits, EXCLUDED), axis=1, keepdims=True)
        wanted = tf.cast(targets > 0, tf.float32)
        log_probability = (tf.gather(logits, targets, batch_dims=1) - normaliser) * wanted
        return -tf.reduce_sum(log_probability) / tf.reduce_sum(wanted)

    def _sampled_loss(
        self, tower: RetrievalTower, vectors: tf.Tensor, targets: tf.Tensor, seen: Seen
    ) -> tf.Tensor:
        """The mean loss of the first target among the batch's and `negatives` uniformly drawn movies."""
        positives = targets[:, 0]
        rows = tf.shape(positives)[0]
        drawn = tf.random.uniform([self.settings.negatives], 1, self.schema.known_movies + 1, positives.dtype)
        candidates = tf.concat([positives, drawn], axis=0)
        of_bias = tf.fill([rows, 1], tower.temperature)  # by which the task divides
        # With AutoGraph, as the task asks for the length of a shape that only the graph knows.
        loss = tf.function(self.task)(
            tf.concat([vectors, of_bias], axis=1),
            tf.concat([tower.movie_tower(candidates), tower.biases(candidates)[:, tf.newaxis]], axis=1),
            candidate_sampling_probability=self._candidate_share(candidates, rows),
            candidate_ids=candidates,
            score_mask=~seen(candidates),
            compute_metrics=False,
        )
        return loss / tf.cast(rows, tf.float32)

    def _candidate_share(self, candidates: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
        """The share of all candidates of a step that each one is expected to be, `(rows + negatives,)`.

        Shares and not expected counts, which differ by a constant only: the task cuts off what exceeds 1.
        """
        rows, negatives = tf.cast(rows, tf.float32), self.settings.negatives
        expected = rows * tf.gather(self.share, candidates) + negatives / self.schema.known_movies
        return expected / (rows + negatives)


def _prior(table: PairTable | NDArray[np.floating], name: str) -> tf.keras.layers.Layer:
    """The expert of a table of pairs, or of a number for each movie."""
    if isinstance(table, PairTable):
        return ItemToItemPrior(table, name=name)
    return MoviePrior(table, name=name)
