"""Fitting the ranking model and predicting with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from recommender.config import Settings, size_in_bytes
from recommender.data.batches import batches
from recommender.data.encode import Arrays
from recommender.data.features import select
from recommender.data.interactions import KNOWN_AT_TEST, SPLITS
from recommender.data.prepared import Prepared
from recommender.metrics.like import log_loss
from recommender.metrics.rating import rmse
from recommender.models.movie_embedding import movie_content
from recommender.models.ranking import RankingModel
from recommender.training.fit import Progress, fit, fit_anew
from recommender.training.fitted import Fitted
from recommender.training.implicit import ROW, SampledNegatives
from recommender.training.item_factors import prepare_head
from recommender.training.mixed_precision import LossScaledRanking, multiply_in
from recommender.training.placement.one_process import HERE, Placement
from recommender.training.streaming import StreamedExamples

Examples = Arrays | StreamedExamples

PREDICT_ROWS = 2048  # rows scored at once; `foldin` takes 200 kB for each


class RankingRows(NamedTuple):
    """One split's ratings as the model reads them, and what it should say of them."""

    arrays: Examples  # streamed with `data.input_memory`
    target: NDArray  # ratings; under `implicit` whether a row is a rating, after `negatives.expand`
    negatives: SampledNegatives | None


def fit_ranking(
    settings: Settings, prepared: Prepared, folder: Path, placement: Placement = HERE
) -> Fitted[RankingModel]:
    """`train_ranking`, then with `ranking.refit` `refit_ranking`, in `<folder>/refit`."""
    validated, progress = train_ranking(settings, prepared, folder, placement=placement)
    if not settings.ranking.refit:
        return Fitted(validated, validated, progress)
    epochs = progress.best_epoch + 1
    model = refit_ranking(settings, prepared, folder / "refit", epochs, placement=placement)
    return Fitted(model, validated, progress)


def build_ranking(settings: Settings, prepared: Prepared) -> RankingModel:
    """The model of `settings.ranking`, not trained."""
    content = movie_content(prepared.movies, prepared.schema)
    precision = settings.distribution.mixed_precision
    kind = LossScaledRanking if precision == "float16" else RankingModel
    model = kind(settings.ranking, prepared.schema, content, name="ranking")
    if precision != "none":
        multiply_in(precision, model)
    return model


def train_ranking(
    settings: Settings,
    prepared: Prepared,
    folder: Path,
    on_epoch: Callable[[int, float], None] | None = None,
    placement: Placement = HERE,
) -> tuple[RankingModel, Progress]:
    """Fit the ranking model on the training split; the validation split says which epoch was best.

    Validation is the RMSE, or the log loss where the objective is not `rating`. Under `implicit` each epoch
    draws negatives of its own, and a batch holds fewer ratings, so that with their negatives they are
    `training.batch_size` rows. Goes on from what `folder` holds.
    """
    tf.keras.utils.set_random_seed(settings.seed)
    model = placement.model(lambda: build_ranking(settings, prepared))
    training, validation = (ranking_rows(settings, prepared, name) for name in ("train", "validation"))
    negatives, batch_size = training.negatives, settings.training.batch_size
    prepare_head(model.head, held_columns(training.arrays), settings, prepared, folder, ("train",))

    def validate() -> float:
        predicted = predict(model, validation.arrays, validation.negatives)
        return validation_loss(predicted, validation.target, model)

    ratings = batch_size if negatives is None else max(1, batch_size // negatives.rows_per_rating)
    progress = fit(
        model,
        training.arrays,
        validate,
        settings.training.model_copy(update={"batch_size": ratings}),
        settings.seed,
        folder,
        goal="min",
        name="ranking",
        transform=None if negatives is None else negatives.expand,
        before_epoch=None if negatives is None else lambda epoch: negatives.draw(settings.seed, epoch),
        on_epoch=on_epoch,
        placement=placement,
    )
    return model, progress


def refit_ranking(
    settings: Settings, prepared: Prepared, folder: Path, epochs: int, placement: Placement = HERE
) -> RankingModel:
    """The ranking model fitted anew on training and validation split together, for `epochs` epochs.

    How many those are, `train_ranking` has found; nothing is left to validate on. Vocabularies and
    standardisation stay those of the training split. Goes on from what `folder` holds.
    """
    tf.keras.utils.set_random_seed(settings.seed)
    model = placement.model(lambda: build_ranking(settings, prepared))
    examples = _examples(settings, prepared, KNOWN_AT_TEST)
    prepare_head(model.head, held_columns(examples), settings, prepared, folder, KNOWN_AT_TEST)
    fit_anew(
        model,
        examples,
        settings.training,
        epochs,
        settings.seed,
        folder,
        name="ranking, refit",
        placement=placement,
    )
    return model


def ranking_rows(settings: Settings, prepared: Prepared, split: str) -> RankingRows:
    """One split's rows for fitting and for measuring.

    Under `implicit` with negatives that depend on seed and split; for the epochs they are drawn anew.
    """
    arrays = _examples(settings, prepared, (split,))
    held = held_columns(arrays)
    if settings.ranking.objective != "implicit":
        return RankingRows(arrays, held["rating"], None)
    held[ROW] = np.arange(len(held["rating"]))
    negatives = SampledNegatives(settings.ranking, prepared, split)
    negatives.draw(settings.seed, 0, SPLITS.index(split))
    return RankingRows(arrays, negatives.labels(), negatives)


def _examples(settings: Settings, prepared: Prepared, splits: tuple[str, ...]) -> Examples:
    """The rows of `splits`, one after the other: all in memory, or streamed within `data.input_memory`."""
    if settings.data.input_memory is not None:
        features = select(settings.ranking.features, "ranking.features")
        return StreamedExamples(prepared, features, splits, size_in_bytes(settings.data.input_memory))
    parts = [ranking_examples(settings, prepared, split) for split in splits]
    if len(parts) == 1:
        return parts[0]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def held_columns(examples: Examples) -> Arrays:
    """The columns that are in memory, to which more can be added."""
    return examples.columns if isinstance(examples, StreamedExamples) else examples


def ranking_examples(settings: Settings, prepared: Prepared, split: str) -> Arrays:
    """The features of `settings.ranking` for one split's ratings, and the `rating` itself."""
    features = select(settings.ranking.features, "ranking.features")
    return {**prepared.examples(split, features), "rating": prepared.interactions.part(split).rating}


def predict(
    model: RankingModel, examples: Examples, negatives: SampledNegatives | None = None
) -> NDArray[np.float32]:
    """`(n,)`: expected ratings, within the scale; or probabilities, of `negatives` too if given."""
    number = PREDICT_ROWS if negatives is None else max(1, PREDICT_ROWS // negatives.rows_per_rating)
    rows: Iterable[dict[str, tf.Tensor]]
    if isinstance(examples, StreamedExamples):
        rows = examples.in_order(number)
        if negatives is not None:
            rows = map(negatives.expand, rows)
    else:
        dataset = batches(examples, number)
        rows = dataset if negatives is None else dataset.map(negatives.expand)
    return np.concatenate([model.predictions(batch).numpy() for batch in rows])


def validation_loss(predicted: NDArray[np.float32], target: NDArray, model: RankingModel) -> float:
    """RMSE of ratings, log loss of likes and interactions; NaN for a model that has diverged.

    `target`: that of `RankingRows`.
    """
    if np.isnan(predicted).any():
        return float("nan")
    if model.objective == "rating":
        return rmse(predicted, target)
    return log_loss(predicted, target if model.objective == "implicit" else target >= model.like_threshold)
