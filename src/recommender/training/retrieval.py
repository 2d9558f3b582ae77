"""Fitting the retrieval model and scoring the catalogue with it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from recommender.config import RetrievalSettings, Settings
from recommender.data.encode import Arrays
from recommender.data.interactions import KNOWN_AT_TEST
from recommender.data.prepared import Prepared, Snapshot
from recommender.evaluation.ranking import evaluate_ranking
from recommender.models.movie_embedding import movie_content
from recommender.models.retrieval import RetrievalModel
from recommender.training.any_users import for_any_users
from recommender.training.fit import Progress, fit, fit_anew
from recommender.training.fitted import Fitted
from recommender.training.left_out_movies import LeftOutMovies
from recommender.training.mixture import fit_mixture
from recommender.training.ordered_ratings import OrderedRatings
from recommender.training.placement.one_process import HERE, Placement
from recommender.training.priors import fit_priors
from recommender.training.user_stretches import UserStretches

FIXED_COLUMNS = ("user_id", "gender", "age", "occupation")


def fit_retrieval(
    settings: Settings, prepared: Prepared, folder: Path, placement: Placement = HERE
) -> Fitted[RetrievalModel]:
    """`train_retrieval`, then with `retrieval.refit` `refit_retrieval`, in `<folder>/refit`."""
    validated, progress = train_retrieval(settings, prepared, folder, placement=placement)
    if not settings.retrieval.refit:
        return Fitted(validated, validated, progress)
    epochs = progress.best_epoch + 1
    model = refit_retrieval(settings, prepared, folder / "refit", validated, epochs, placement=placement)
    return Fitted(model, validated, progress)


def build_retrieval(
    settings: Settings, prepared: Prepared, splits: tuple[str, ...] = ("train",)
) -> RetrievalModel:
    """The model of `settings.retrieval`: its network not trained, its priors fitted on `splits`."""
    ratings = prepared.interactions.part(*splits)
    counts = np.bincount(ratings.movie, minlength=prepared.schema.num_movies)
    content = movie_content(prepared.movies, prepared.schema)
    priors = fit_priors(settings.retrieval, ratings)
    return RetrievalModel(settings.retrieval, prepared.schema, content, counts, priors, name="retrieval")


def train_retrieval(
    settings: Settings,
    prepared: Prepared,
    folder: Path,
    on_epoch: Callable[[int, float], None] | None = None,
    placement: Placement = HERE,
) -> tuple[RetrievalModel, Progress]:
    """Fit the retrieval model on the training split; the validation split says which epoch was best.

    Validation is the NDCG of the `candidates` that ranking would get from the towers alone, seen movies
    excluded. Then the same split says how much towers and priors weigh. Goes on from what `folder` holds.
    """
    tf.keras.utils.set_random_seed(settings.seed)
    model = placement.model(lambda: build_retrieval(settings, prepared))
    known, held_out = prepared.interactions.before("validation"), prepared.interactions.part("validation")
    snapshot = prepared.snapshot("validation")
    k = settings.retrieval.candidates
    rows = training_rows(settings.retrieval, prepared, snapshot, ("train",))
    scorer = RetrievalScorer(model, snapshot)

    def validate() -> float:
        return evaluate_ranking(scorer, known, held_out, [k]).metrics[f"ndcg@{k}"]

    progress = fit(
        model,
        rows.arrays,
        validate,
        settings.retrieval.training,
        settings.seed,
        folder,
        goal="max",
        name="retrieval",
        transform=rows.transform,
        before_epoch=lambda epoch: rows.draw(settings.seed, epoch),
        on_epoch=on_epoch,
        placement=placement,
    )
    fit_mixture(model, snapshot, known, held_out, settings.seed)
    return model, progress


def refit_retrieval(
    settings: Settings,
    prepared: Prepared,
    folder: Path,
    validated: RetrievalModel,
    epochs: int,
    placement: Placement = HERE,
) -> RetrievalModel:
    """The retrieval model fitted anew on training and validation split together, for `epochs` epochs.

    How many those are, `train_retrieval` has found, and the weights of the mixture are those of the model
    `validated`: nothing is left to choose them on. Vocabularies and standardisation stay those of the
    training split. Goes on from what `folder` holds.
    """
    tf.keras.utils.set_random_seed(settings.seed)
    model = placement.model(lambda: build_retrieval(settings, prepared, KNOWN_AT_TEST))
    rows = training_rows(settings.retrieval, prepared, prepared.snapshot("test"), KNOWN_AT_TEST)
    fit_anew(
        model,
        rows.arrays,
        settings.retrieval.training,
        epochs,
        settings.seed,
        folder,
        name="retrieval, refit",
        transform=rows.transform,
        before_epoch=lambda epoch: rows.draw(settings.seed, epoch),
        placement=placement,
    )
    model.mixture.assign(validated.mixture)
    return model


def training_rows(
    settings: RetrievalSettings, prepared: Prepared, snapshot: Snapshot, splits: tuple[str, ...]
) -> UserStretches | LeftOutMovies:
    """What a training row shows and asks, as `settings.targets` says, of the ratings of `splits`.

    Movies outside the vocabulary are left out: their scores are learned from no rating.
    """
    schema, ratings = prepared.schema, prepared.interactions.part(*splits)
    ordered = OrderedRatings.of(ratings.where(ratings.movie < schema.known_movies), snapshot.timestamp)
    users: Arrays = {name: snapshot.users[name] for name in FIXED_COLUMNS}
    length = min(settings.history_length, schema.history_length)
    if settings.targets == "left_out":
        return LeftOutMovies(ordered, users, length, schema.num_movies)
    return UserStretches(ordered, users, length, settings.next_movies, schema.num_movies)


class RetrievalScorer:
    """Scores every movie of the catalogue for users as a snapshot knows them (see `Scorer`)."""

    def __init__(self, model: RetrievalModel, snapshot: Snapshot) -> None:
        self.model = model
        self.users = snapshot.users
        self._scores = for_any_users(model.scores, snapshot.users)

    def scores(self, users: NDArray[np.int32]) -> NDArray[np.float32]:
        """`(len(users), num_movies)`, higher is better."""
        batch = {name: tf.constant(column[users]) for name, column in self.users.items()}
        return self._scores(batch).numpy()[:, 1:]
