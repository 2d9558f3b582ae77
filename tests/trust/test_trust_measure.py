import json

import numpy as np
import pytest

from recommender import scoreboard, trust
from recommender.config import Settings, merge
from recommender.data.prepare import prepare
from recommender.errors import ConfigError
from recommender.metrics.rating import rmse
from recommender.models.baselines.running_bias import RunningStatistics
from recommender.scoreboard import DEEP_RANKING, TWO_TOWER
from recommender.trust import new_movies
from recommender.trust.predictions import RIVAL, predict_test, running_bias
from recommender.trust_plots import lines


def test_the_plots_call_models_by_their_names():
    assert (lines.RANKING, lines.RETRIEVAL, lines.RIVAL) == (DEEP_RANKING, TWO_TOWER, RIVAL)


def test_errors_are_those_of_the_scoreboard(found, settings, prepared, trained):
    expected = scoreboard.rating_metrics(settings, prepared, trained)
    for name, content in found["ratings"]["models"].items():
        for metric in ("rmse", "mae", "auc", "log_loss"):
            assert content[metric] == pytest.approx(expected[name]["test"][metric]), (name, metric)


def test_everything_is_json(found):
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_groups_hold_every_test_rating_once(found, prepared):
    rows = len(prepared.interactions.part("test"))
    for grouping, models in found["ratings"]["groups"].items():
        for groups in models.values():
            assert sum(group["ratings"] for group in groups.values()) == rows, grouping
    assert set(found["ratings"]["groups"]) == {"history", "gender", "age", "occupation", "popularity"}


def test_the_rival_gains_nothing_on_itself(found):
    groups = found["ratings"]["groups"]["gender"]
    assert all(group["gain"] == 0 for group in groups[RIVAL].values())
    ours, theirs = groups[DEEP_RANKING]["F"], groups[RIVAL]["F"]
    assert ours["gain"] == pytest.approx(theirs["rmse"] - ours["rmse"])


def test_a_new_user_of_whom_all_is_known_is_predicted_as_on_test(found, settings, prepared, trained):
    test, schema = prepared.interactions.part("test"), prepared.schema
    counts = prepared.column("user_count", "test")
    rows = (test.user >= schema.known_users) & (counts >= 5)
    assert found["new_users"]["ratings"] == np.count_nonzero(rows) > 50
    predictions = predict_test(settings, prepared, trained.ranking)["test"]
    for name in (DEEP_RANKING, RIVAL):
        expected = rmse(predictions[name][rows], test.rating[rows])
        assert found["new_users"]["known"]["all"][name]["rmse"] == pytest.approx(expected, abs=1e-5)


def test_of_a_new_user_without_ratings_the_rival_knows_the_movie_only(found, prepared):
    test, schema = prepared.interactions.part("test"), prepared.schema
    rows = (test.user >= schema.known_users) & (prepared.column("user_count", "test") >= 5)
    count, mean = (prepared.column(name, "test")[rows] for name in ("movie_count", "movie_mean"))
    nobody = RunningStatistics(count, mean, np.zeros_like(count), np.full(len(count), np.nan))
    expected = rmse(running_bias(prepared).predict(nobody), test.rating[rows])
    assert found["new_users"]["known"]["0"][RIVAL]["rmse"] == pytest.approx(expected, abs=1e-6)


def test_places_ratings_and_movies_are_shared_out_among_popularity_groups(found):
    for groups in found["lists"]["exposure"].values():
        for share in ("catalogue", "held_out", "shown"):
            assert sum(group[share] for group in groups.values()) == pytest.approx(1)


def test_lists_are_those_of_the_scoreboard(found, settings, prepared, trained):
    expected = scoreboard.top_k_metrics(settings, prepared, trained)
    for name, content in found["lists"]["models"].items():
        for metric in ("ndcg@10", "coverage@10", "novelty@10", "diversity@10"):
            assert content[metric] == pytest.approx(expected[name]["test"][metric]), (name, metric)


def test_new_users_have_lists_for_each_number_of_known_ratings(found):
    assert list(found["lists"]["new_users"]["known"]) == ["0", "1", "3", "5", "all"]
    popularity = {line["popularity"]["ndcg@10"] for line in found["lists"]["new_users"]["known"].values()}
    assert len(popularity) == 1  # the same users all along, and it knows nobody


def test_movies_of_the_first_rating_are_among_the_unseen_ones(found, prepared):
    test = prepared.interactions.part("test")
    unseen = test.movie >= prepared.schema.known_movies
    assert found["new_movies"]["all"]["ratings"] == np.count_nonzero(unseen)
    assert found["new_movies"]["first"]["ratings"] <= len(np.unique(test.movie[unseen]))


def test_an_exchange_of_movies_costs_what_the_model_makes_of_them(settings, monkeypatch):
    """A model that knows what each movie is worth is lost when it is shown another one."""
    many_movies = {"data": {"synthetic": {"users": 60, "movies": 400, "ratings": 2000}}}
    settings = Settings.model_validate(merge(settings.model_dump(), many_movies))
    prepared = prepare(settings)
    test = prepared.interactions.part("test")
    unseen = test.movie >= prepared.schema.known_movies
    assert len(np.unique(test.movie[unseen])) > 10
    predictions = {"test": dict.fromkeys(new_movies.COMPARED, np.full(len(test), 3.0))}

    def measured(predict) -> dict:
        monkeypatch.setattr(new_movies, "predict", predict)
        return new_movies.measure_new_movies(settings, prepared, None, predictions)["all"]["models"]

    constant = measured(lambda _, rows: np.full(len(rows["movie_id"]), 3.0))
    expected = rmse(np.full(np.count_nonzero(unseen), 3.0), test.rating[unseen])
    assert {name: content["rmse"] for name, content in constant.items()} == pytest.approx(
        dict.fromkeys([*new_movies.COMPARED, new_movies.EXCHANGED], expected)
    )
    by_movie = np.bincount(test.movie, test.rating) / np.maximum(np.bincount(test.movie), 1)
    knowing = measured(lambda _, rows: by_movie[rows["movie_id"] - 1])
    right = rmse(by_movie[test.movie[unseen]], test.rating[unseen])
    assert knowing[new_movies.EXCHANGED]["rmse"] > 1.3 * right


def test_a_model_that_does_not_predict_ratings_is_refused(settings, prepared, trained):
    tree = merge(settings.model_dump(), {"ranking": {"objective": "like"}})
    with pytest.raises(ConfigError, match=r"ranking.objective: must be rating .*, received 'like'"):
        trust.measure(Settings.model_validate(tree), prepared, trained)
