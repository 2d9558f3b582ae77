"""The final order as it is fitted: on lists with a known answer, and with a run's models."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from recommender.config import OrderSettings, Settings
from recommender.data.prepared import Prepared
from recommender.evaluation.ranking import evaluate_ranking
from recommender.models.final_order import FinalOrder
from recommender.training import Trained
from recommender.training.final_order import (
    FittedOrder,
    fit_order,
    folds_of_users,
    train_order,
    two_stages,
)
from recommender.training.list_preferences import ListPreferences
from recommender.training.retrieval import RetrievalScorer
from recommender.training.validation_lists import ValidationLists, validation_lists

SETTINGS = OrderSettings(folds=4, l2=0.001)


def lists_of(weights: tuple[float, float], num_lists: int = 400, c: int = 20) -> ValidationLists:
    """Lists whose one relevant movie is drawn with the softmax of a weighted sum of the two features."""
    generator = np.random.default_rng(5)
    features = generator.normal(size=(num_lists, c, 2)).astype(np.float32)
    features = np.take_along_axis(features, np.argsort(-features[..., :1], axis=1), axis=1)
    scores = features @ np.array(weights) + generator.gumbel(size=(num_lists, c))
    relevant = np.eye(c, dtype=bool)[scores.argmax(axis=1)]
    ones = np.ones(num_lists, np.int64)
    return ValidationLists(np.arange(num_lists), features, np.ones((num_lists, c), bool), relevant, ones)


def fit(lists: ValidationLists) -> FittedOrder:
    return fit_order(lists, np.arange(len(lists.users)) % SETTINGS.folds, SETTINGS)


def test_a_preference_that_tells_what_is_watched_gets_its_weight() -> None:
    fitted = fit(lists_of((1.0, 2.0)))
    assert fitted.order.retrieval == pytest.approx(1.0, abs=0.2)
    assert fitted.order.preference == pytest.approx(2.0, abs=0.3)
    assert fitted.ndcg["fitted"] > max(fitted.ndcg["retrieval"], fitted.ndcg["preference"])
    assert fitted.lists == 400


def test_where_the_preference_tells_nothing_the_order_of_retrieval_stays_and_the_figures_say_why() -> None:
    lists = lists_of((3.0, 0.0), 40)
    fitted = fit(lists)
    assert fitted.ndcg["fitted"] <= fitted.ndcg["retrieval"]
    assert fitted.order == FinalOrder()
    assert set(fitted.without_fold) == {FinalOrder()}


def test_the_weights_for_a_user_do_not_depend_on_the_users_own_ratings() -> None:
    lists = lists_of((1.0, 2.0))
    changed = lists.relevant.copy()
    changed[::4] = np.roll(changed[::4], 1, axis=1)  # the first of four folds
    first, second = fit(lists), fit(lists._replace(relevant=changed))
    assert first.without_fold[0] == second.without_fold[0]
    assert first.without_fold[1] != second.without_fold[1]


def test_without_anything_to_fit_it_is_the_order_of_retrieval() -> None:
    lists = lists_of((1.0, 1.0))
    fitted = fit(lists._replace(relevant=np.zeros_like(lists.relevant)))
    assert fitted.order == FinalOrder()
    assert fitted.ndcg == {}


def test_lists_are_those_of_users_known_before_with_what_they_rated_then(
    settings: Settings, prepared: Prepared, trained: Trained
) -> None:
    lists = validation_lists(settings, prepared, trained.retrieval, trained.ranking)
    known, held_out = prepared.interactions.before("validation"), prepared.interactions.part("validation")
    assert lists.users.tolist() == sorted(set(known.user) & set(held_out.user))
    scorer = RetrievalScorer(trained.retrieval, prepared.snapshot("validation"))
    for row in (0, len(lists.users) - 1):
        user = lists.users[row]
        scores = scorer.scores(lists.users[row : row + 1])[0]
        scores[known.movie[known.user == user]] = -np.inf
        movies = np.argsort(-scores, kind="stable")[: settings.retrieval.candidates]
        np.testing.assert_allclose(lists.features[row, :, 0], scores[movies], rtol=1e-5)
        wanted = held_out.movie[held_out.user == user]
        assert lists.relevant[row].tolist() == np.isin(movies, wanted).tolist()
        assert lists.num_relevant[row] == len(wanted)


def test_no_more_users_are_asked_than_the_settings_say(
    settings: Settings, prepared: Prepared, trained: Trained
) -> None:
    few = settings.model_copy(update={"order": OrderSettings(users=3)})
    lists = validation_lists(few, prepared, trained.retrieval, trained.ranking)
    assert len(set(lists.users.tolist())) == 3


def test_preferences_are_the_ranking_models_predictions_at_the_snapshot(
    prepared: Prepared, trained: Trained
) -> None:
    snapshot = prepared.snapshot("test")
    users, movies = np.array([4, 90]), np.array([[1, 5, 70], [5, -1, 0]])
    found = ListPreferences(trained.ranking, snapshot)(users, movies)
    for user, movie, place in ((4, 70, (0, 2)), (90, 5, (1, 0)), (90, 0, (1, 2))):
        columns = {name: values[[user]] for name, values in snapshot.users.items()}
        columns |= {name: values[[movie]] for name, values in snapshot.movies.items()}
        assert found[place] == pytest.approx(trained.ranking.predict_rating(columns).numpy()[0], abs=1e-5)


def orders_of(trained: Trained) -> tuple[FinalOrder, ...]:
    return (trained.order.order, *trained.order.without_fold)


def test_a_run_keeps_its_order(
    settings: Settings, prepared: Prepared, trained: Trained, run_folder: Path, tmp_path: Path
) -> None:
    both = (settings, prepared, trained.retrieval, trained.ranking)
    assert train_order(*both, run_folder / "order") == trained.order
    again = train_order(*both, tmp_path)
    for fitted, kept in zip((again.order, *again.without_fold), orders_of(trained), strict=True):
        # Not to the last digit: the run's may be that of another process, before it had saved its models.
        assert dataclasses.astuple(fitted) == pytest.approx(dataclasses.astuple(kept), rel=1e-3)
    assert again.lists == trained.order.lists
    assert again.ndcg == pytest.approx(trained.order.ndcg, abs=1e-3)
    other = dataclasses.replace(trained.order, order=FinalOrder(0.25, 0.5))
    (tmp_path / "order.json").write_text(other.to_json(), encoding="utf-8")
    assert train_order(*both, tmp_path) == other


def test_on_validation_each_list_is_in_the_order_fitted_without_its_user(
    settings: Settings, prepared: Prepared, trained: Trained
) -> None:
    folds = folds_of_users(settings, prepared)
    assert set(folds) == set(range(5))
    away = FinalOrder(1.0, 50.0)
    without_fold = tuple(away if fold == 2 else FinalOrder() for fold in range(5))
    fitted = dataclasses.replace(trained.order, order=FinalOrder(-1.0, 0.0), without_fold=without_fold)

    def tops(order: FittedOrder) -> np.ndarray:
        both = (settings, prepared, trained.retrieval, trained.ranking)
        scorer, split = two_stages(*both, order, "validation"), "validation"
        return evaluate_ranking(
            scorer, prepared.interactions.before(split), prepared.interactions.part(split), [10]
        )

    found = tops(fitted)
    by_retrieval = tops(dataclasses.replace(fitted, without_fold=(FinalOrder(),) * 5)).top
    by_preference = tops(dataclasses.replace(fitted, without_fold=(away,) * 5)).top
    inside = folds[found.users] == 2
    np.testing.assert_array_equal(found.top[inside], by_preference[inside])
    np.testing.assert_array_equal(found.top[~inside], by_retrieval[~inside])
    assert (by_preference != by_retrieval).any()
