"""Versions that were exported before they could take what the store knows of movies."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from recommender.app.models import ModelUnavailableError
from recommender.app.models.asked_model import read_ranked
from recommender.app.models.in_process import InProcessModel
from recommender.app.models.remote import RemoteModel
from recommender.app.settings import ModelSettings

EXPORT_AGAIN = "has no signature rank_by_features, .* export it again with recommender export"


@pytest.fixture(scope="module")
def older(tmp_path_factory) -> Path:
    """A folder of models with a version that has other signatures."""
    import tensorflow as tf

    models = tmp_path_factory.mktemp("older")
    module = tf.Module()
    module.answer = tf.function(lambda k: {"scores": k}, [tf.TensorSpec([], tf.int32, "k")])
    tf.saved_model.save(module, str(models / "recommender" / "1"), {"rank": module.answer})
    return models


def test_is_an_error_at_the_start_that_says_what_to_do(older: Path) -> None:
    with pytest.raises(ModelUnavailableError, match=f"version 1 {EXPORT_AGAIN}"):
        InProcessModel(ModelSettings(models=older))


def test_on_a_server_is_an_error_that_says_what_to_do(
    older: Path, tmp_path: Path, filled_store, movie_ids, now
) -> None:
    from serving.serve_process import serving

    flags = ("--model_name=recommender", f"--model_base_path={older}/recommender")
    with serving(tmp_path, *flags) as server:
        model = RemoteModel(ModelSettings(url=server.base), 60_000)
        with pytest.raises(ModelUnavailableError, match=EXPORT_AGAIN):
            model.describe()
        with pytest.raises(ModelUnavailableError, match=EXPORT_AGAIN):
            model.rank(filled_store.features_for("1", movie_ids, now), movie_ids, now)
        model.close()


@pytest.mark.parametrize(
    ("bad", "rule"),
    [
        ([1.0, np.nan], "scores must be finite"),
        ([np.inf, 1.0], "scores must be finite"),
        ([1.0], r"scores must have shape \(2,\), received \(1,\)"),
    ],
)
def test_what_are_no_scores_is_no_answer(bad: list[float], rule: str) -> None:
    good = np.array([1.0, 2.0])
    for outputs in (
        {"scores": np.array(bad), "rating": good},
        {"scores": good, "rating": np.array(bad)},
    ):
        with pytest.raises(ModelUnavailableError, match=rule):
            read_ranked(outputs, 2, "recommender")
