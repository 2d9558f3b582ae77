"""Held-out ratings replayed: the lists of the pipeline are those of the two-stage evaluation.

What an offline figure says of a model then holds for what people get of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from recommender.app.features import FeatureStore, open_backend, push
from recommender.app.models import AskedModel
from recommender.app.models.in_process import InProcessModel
from recommender.app.models.remote import RemoteModel
from recommender.app.pipeline.pipeline import Pipeline
from recommender.app.pipeline.wanted import Wanted
from recommender.app.settings import AppSettings, ModelSettings, VariantSettings
from recommender.client import ModelClient
from recommender.config import Settings
from recommender.data.prepared import Prepared

N = 10
BUDGET_MS = 60_000


class WithoutTest(Prepared):
    """Prepared data as it was before the test split."""

    @property
    def interactions(self):
        return super().interactions.before("test")


@pytest.fixture(scope="module")
def two_stages(settings: Settings) -> VariantSettings:
    """What the two-stage evaluation measures: retrieval's candidates in the final order."""
    return VariantSettings(channels={"retrieval": settings.retrieval.candidates})


@pytest.fixture(scope="module")
def before_test(prepared: Prepared) -> Prepared:
    return WithoutTest(prepared.folder)


@pytest.fixture(scope="module")
def store_before_test(before_test: Prepared, tmp_path_factory) -> Iterator[FeatureStore]:
    store = FeatureStore(open_backend(f"sqlite:{tmp_path_factory.mktemp('before')}/features.sqlite"))
    push(before_test, store.backend)
    yield store
    store.close()


@pytest.fixture(scope="module")
def model_before_test(settings: Settings, before_test: Prepared, trained, tmp_path_factory) -> Path:
    """A folder of models with one that does not know of the test ratings."""
    from recommender.export import export

    models = tmp_path_factory.mktemp("models-before")
    export(settings, before_test, trained, {}, models / "recommender" / "1")
    return models


@pytest.fixture(scope="module")
def replayed(
    settings: Settings,
    prepared: Prepared,
    two_stages: VariantSettings,
    store_before_test: FeatureStore,
    model_before_test: Path,
) -> dict[int, list[str]]:
    """The pipeline's list for every user with test ratings, by code."""
    model = InProcessModel(ModelSettings(models=model_before_test))
    pipeline = Pipeline(AppSettings(budget_ms=BUDGET_MS), store_before_test, model)
    moment = prepared.snapshot("test").timestamp
    users = np.unique(prepared.interactions.part("test").user).tolist()
    lists = {}
    for user in users:
        listed = pipeline.recommend(Wanted(prepared.users["user_id"][user], N, two_stages, moment))
        assert listed.degraded == []
        lists[user] = [place.movie_id for place in listed.places]
    pipeline.close()
    model.close()
    return lists


def test_every_list_is_the_one_that_the_two_stage_evaluation_measures(
    settings: Settings, prepared: Prepared, trained, replayed: dict[int, list[str]]
) -> None:
    from recommender.training import final_order

    offline = final_order.two_stages(
        settings, prepared, trained.retrieval, trained.ranking, trained.order, "test"
    )
    users = np.array(list(replayed), np.int32)
    best = np.argsort(-offline.scores(users), axis=1, kind="stable")[:, :N]
    movie_ids = prepared.movies["movie_id"].to_numpy()
    expected = {user: movie_ids[row].tolist() for user, row in zip(replayed, best, strict=True)}
    assert len(expected) > 20
    assert replayed == expected


def test_the_lists_hold_as_many_of_the_held_out_movies_as_the_evaluation_says(
    settings: Settings, prepared: Prepared, trained, replayed: dict[int, list[str]]
) -> None:
    from recommender.evaluation.ranking import evaluate_ranking
    from recommender.training import final_order

    held_out = prepared.interactions.part("test")
    known = prepared.interactions.before("test")
    offline = final_order.two_stages(
        settings, prepared, trained.retrieval, trained.ranking, trained.order, "test"
    )
    report = evaluate_ranking(offline, known, held_out, [N])
    movie_ids = prepared.movies["movie_id"].to_numpy()
    recalls = []
    for user, listed in replayed.items():
        wanted = set(movie_ids[held_out.movie[held_out.user == user]])
        recalls.append(len(wanted & set(listed)) / len(wanted))
    assert np.mean(recalls) == pytest.approx(report.metrics[f"recall@{N}"], abs=1e-9)


@pytest.mark.parametrize("where", ["in process", "on a server"])
def test_today_the_list_is_that_of_the_exported_signature_recommend(
    where: str,
    settings: Settings,
    prepared: Prepared,
    two_stages: VariantSettings,
    filled_store: FeatureStore,
    published: Path,
    model_server,
) -> None:
    model: AskedModel = (
        InProcessModel(ModelSettings(models=published))
        if where == "in process"
        else RemoteModel(ModelSettings(url=model_server.base), BUDGET_MS)
    )
    pipeline = Pipeline(AppSettings(budget_ms=BUDGET_MS), filled_store, model)
    moment = prepared.snapshot("serving").timestamp
    with ModelClient(model_server.base) as client:
        for user_id in [*prepared.users["user_id"].tolist()[:60], "somebody new"]:
            listed = pipeline.recommend(Wanted(user_id, N, two_stages, moment))
            expected = client.recommend(user_id, N)
            assert listed.degraded == []
            assert [place.movie_id for place in listed.places] == [movie.movie_id for movie in expected]
            scores = [place.score for place in listed.places]
            np.testing.assert_allclose(scores, [movie.score for movie in expected], rtol=1e-4, atol=1e-5)
    pipeline.close()
    model.close()
