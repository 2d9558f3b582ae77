import numpy as np
import pytest

from recommender.data.interactions import Interactions
from recommender.evaluation.distribution import distribution
from recommender.evaluation.exposure import exposure
from recommender.evaluation.groups import Groups
from recommender.evaluation.ranking import evaluate_ranking


def interactions(user, movie) -> Interactions:
    n = len(user)
    columns = np.array(user, np.int32), np.array(movie, np.int32), np.ones(n, np.float32)
    return Interactions(*columns, np.zeros(n, np.int64), np.zeros(n, np.int8), 5, 6)


def test_shares_of_catalogue_lists_and_hits(table):
    known, held_out = interactions([1, 3], [0, 1]), interactions([1, 1, 3], [1, 4, 5])
    scores = np.tile(np.array([6, 5, 4, 3, 2, 1], np.float32), (5, 1))
    report = evaluate_ranking(table(scores), known, held_out, [2])  # user 1: 1, 2; user 3: 0, 2
    found = exposure(report, held_out, Groups(("head", "tail"), np.array([0, 0, 1, 1, 1, 1])), 2)
    assert found["head"] == {
        "movies": 2,
        "catalogue": pytest.approx(1 / 3),
        "held_out": pytest.approx(1 / 3),
        "shown": 0.5,
        "accuracy": 1.0,
    }
    assert found["tail"]["accuracy"] == 0
    assert found["tail"]["shown"] == 0.5


def test_the_accuracy_of_all_movies_is_that_of_the_report(data, evaluate, values):
    report = evaluate(values, data, ks=(10,))
    everything = Groups(("all",), np.zeros(data.num_movies, int))
    found = exposure(report, data.part("test"), everything, 10)["all"]
    assert found["accuracy"] == pytest.approx(report.metrics["accuracy@10"])
    assert (found["shown"], found["held_out"], found["catalogue"]) == (1, 1, 1)


def test_a_distribution_counts_every_value_once():
    found = distribution(np.array([0.5, 1.0, 3.0, 5.0, 7.0]), (1.0, 5.0), bins=4)
    assert found["share"].tolist() == [0.4, 0, 0.2, 0.4]
    assert found["mean"] == pytest.approx(3.3)
    assert found["quantiles"][2] == 3.0
