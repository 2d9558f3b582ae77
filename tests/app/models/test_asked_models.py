"""The model in this process and the one on a server: the same questions, the same answers."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from recommender.app.features import FeatureStore
from recommender.app.models import AskedModel, ModelDescription, ModelUnavailableError, open_model
from recommender.app.models.in_process import InProcessModel
from recommender.app.models.remote import RemoteModel
from recommender.app.settings import AppSettings, ModelSettings
from recommender.errors import ConfigError

BUDGET_MS = 60_000
PATIENCE = 120  # seconds
NOBODY_LISTENS = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def in_process(published: Path) -> Iterator[AskedModel]:
    model = open_model(AppSettings(model=ModelSettings(models=published), budget_ms=BUDGET_MS))
    assert isinstance(model, InProcessModel)
    yield model
    model.close()


@pytest.fixture(scope="module")
def remote(model_server) -> Iterator[AskedModel]:
    model = open_model(AppSettings(model=ModelSettings(url=model_server.base), budget_ms=BUDGET_MS))
    assert isinstance(model, RemoteModel)
    yield model
    model.close()


@pytest.fixture(params=["in_process", "remote"])
def model(request: pytest.FixtureRequest) -> AskedModel:
    """Either."""
    return request.getfixturevalue(request.param)


def test_both_answer_alike(
    in_process: AskedModel,
    remote: AskedModel,
    filled_store: FeatureStore,
    user_ids: list[str],
    movie_ids: list[str],
    now: int,
) -> None:
    assert remote.describe() == in_process.describe()
    for user_id in [*user_ids[:6], "somebody new"]:
        features = filled_store.features_for(user_id, movie_ids, now)
        here, there = (model.retrieve(features.user, 30) for model in (in_process, remote))
        assert [pair[0] for pair in here] == [pair[0] for pair in there]
        np.testing.assert_allclose([pair[1] for pair in here], [pair[1] for pair in there], rtol=1e-6)
        here, there = (model.rank(features, movie_ids, now) for model in (in_process, remote))
        np.testing.assert_allclose(here.scores, there.scores, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(here.predictions, there.predictions, rtol=1e-5, atol=1e-6)
    assert dict(in_process.similar(movie_ids[0], 5)) == pytest.approx(dict(remote.similar(movie_ids[0], 5)))


def test_retrieval_gives_the_best_first_without_the_history(
    model: AskedModel, filled_store: FeatureStore, user_ids: list[str], now: int
) -> None:
    found = model.retrieve(filled_store.features_for(user_ids[5], [], now).user, 1_000)
    scores = [score for _, score in found]
    assert scores == sorted(scores, reverse=True)
    seen = {rated.movie_id for rated in filled_store.ratings_of(user_ids[5])}
    assert len(found) == 80 - len(seen)
    assert not seen & {movie_id for movie_id, _ in found}


def test_ranking_keeps_the_order_of_the_candidates(
    model: AskedModel, filled_store: FeatureStore, user_ids: list[str], movie_ids: list[str], now: int
) -> None:
    def scores_of(ids: list[str]) -> np.ndarray:
        return model.rank(filled_store.features_for(user_ids[5], ids, now), ids, now).scores

    forward, backward = scores_of(movie_ids[:9]), scores_of(movie_ids[:9][::-1])
    np.testing.assert_allclose(forward, backward[::-1], rtol=1e-5)
    assert len(set(forward.tolist())) > 1


def test_ranking_goes_on_from_what_was_retrieved(
    in_process: AskedModel, filled_store: FeatureStore, user_ids: list[str], movie_ids: list[str], now: int
) -> None:
    for user_id in [*user_ids[:3], "somebody new"]:
        features = filled_store.features_for(user_id, movie_ids, now)
        retrieved = in_process.retrieve(features.user, 30)
        found = in_process.rank(features, movie_ids, now, retrieved)
        expected = in_process.rank(features, movie_ids, now)
        np.testing.assert_allclose(found.scores, expected.scores, rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(found.predictions, expected.predictions, rtol=1e-6)
        retrieved.of_all = -retrieved.of_all
        assert np.ptp(in_process.rank(features, movie_ids, now, retrieved).scores - expected.scores) > 0.1
        retrieved.version += 1  # of another version, which may know other movies
        np.testing.assert_array_equal(
            in_process.rank(features, movie_ids, now, retrieved).scores, expected.scores
        )


def test_what_is_predicted_is_a_rating_within_the_scale(
    model: AskedModel, filled_store: FeatureStore, user_ids: list[str], movie_ids: list[str], now: int
) -> None:
    features = filled_store.features_for(user_ids[5], movie_ids, now)
    predictions = model.rank(features, movie_ids, now).predictions
    assert model.describe() == ModelDescription("recommender", 1, "rating")
    assert ((predictions >= 1) & (predictions <= 5)).all()


def test_new_ratings_of_a_movie_change_its_prediction(
    model: AskedModel, own_store: FeatureStore, user_ids: list[str], movie_ids: list[str], now: int
) -> None:
    def predicted() -> float:
        features = own_store.features_for(user_ids[5], movie_ids[:1], now + 2)
        return float(model.rank(features, movie_ids[:1], now + 2).predictions[0])

    before = predicted()
    for user_id in user_ids[20:60]:
        own_store.add_rating(user_id, movie_ids[0], 1.0, now)
    assert predicted() != before


def test_similar_movies_are_others_by_falling_cosine(model: AskedModel, movie_ids: list[str]) -> None:
    found = model.similar(movie_ids[3], 10)
    assert len(found) == 10
    assert movie_ids[3] not in dict(found)
    assert [score for _, score in found] == sorted((score for _, score in found), reverse=True)
    assert model.similar("no such movie", 10) == []


def test_a_new_version_answers_as_soon_as_it_is_loaded(tmp_path: Path) -> None:
    import tensorflow as tf

    module = tf.Module()
    module.rank = tf.function(lambda k: {"scores": k, "like": k}, [tf.TensorSpec([], tf.float32, "k")])
    signatures = dict.fromkeys(("rank_by_features", "retrieve_to_rank", "rank_retrieved"), module.rank)
    tf.saved_model.save(module, str(tmp_path / "recommender" / "1"), signatures)
    model = InProcessModel(ModelSettings(models=tmp_path, poll_seconds=0.2))
    assert model.describe() == ModelDescription("recommender", 1, "like")
    shutil.copytree(tmp_path / "recommender" / "1", tmp_path / "building")
    (tmp_path / "building").rename(tmp_path / "recommender" / "2")
    end = time.monotonic() + PATIENCE
    while model.describe().version == 1:
        assert time.monotonic() < end
        time.sleep(0.05)
    assert model.describe().version == 2
    model.close()


def test_a_folder_without_a_version_is_an_error_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailableError, match=r"models/recommender: .*not found"):
        InProcessModel(ModelSettings(models=tmp_path / "models"))


def test_a_server_that_is_down_is_an_error_when_it_is_asked(
    filled_store: FeatureStore, movie_ids: list[str], now: int
) -> None:
    model = RemoteModel(ModelSettings(url=NOBODY_LISTENS), BUDGET_MS)
    features = filled_store.features_for("1", movie_ids, now)
    for ask in (
        lambda: model.retrieve(features.user, 5),
        lambda: model.rank(features, movie_ids, now),
        lambda: model.similar(movie_ids[0], 5),
        model.describe,
    ):
        with pytest.raises(ModelUnavailableError, match="/v1/models/recommender"):
            ask()
    model.close()


def test_a_server_without_that_model_is_an_error_in_its_words(model_server) -> None:
    model = RemoteModel(ModelSettings(name="other", url=model_server.base), BUDGET_MS)
    with pytest.raises(ModelUnavailableError, match="404"):
        model.describe()
    model.close()


def test_a_url_that_is_none_is_an_error_at_the_start() -> None:
    with pytest.raises(ConfigError, match="url: must be as in"):
        RemoteModel(ModelSettings(url="no url"), BUDGET_MS)
