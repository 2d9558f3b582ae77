import doctest
from pathlib import Path

import numpy as np
import pytest

from recommender.data.interactions import Interactions
from recommender.evaluation.ranking import evaluate_ranking
from recommender.evaluation.rating import evaluate_rating
from recommender.models.baselines import fit_rating_baselines, fit_top_k_baselines

PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"


@pytest.fixture(scope="module")
def data():
    """Four users who each know one movie of 200; the other is held out."""
    user, movie = np.tile(np.arange(4, dtype=np.int32), 2), np.arange(8, dtype=np.int32)
    split = np.repeat(np.array([0, 2], np.int8), 4)
    return Interactions(user, movie, np.ones(8, np.float32), np.zeros(8, np.int64), split, 4, 200)


def test_the_worked_examples_are_right():
    failed, attempted = doctest.testfile(str(PAGE), module_relative=False)
    assert attempted > 20
    assert failed == 0


def test_every_baseline_is_described(data):
    page = PAGE.read_text(encoding="utf-8")
    for name in [*fit_rating_baselines(data), *fit_top_k_baselines(data, seed=0)]:
        assert f"| `{name}` |" in page


def test_every_metric_of_a_report_is_defined(data):
    page = PAGE.read_text(encoding="utf-8")
    titles = [name for line in page.splitlines() if line.startswith("### ") for name in line[4:].split(", ")]
    scorer = fit_top_k_baselines(data, seed=0)["popularity"]
    genres = np.ones((200, 1), bool)
    report = evaluate_ranking(scorer, data.part("train"), data.part("test"), [7], genres=genres, rated=data)
    names = {name.replace("@7", "@k") for name in report.metrics}
    names |= set(evaluate_rating(data.rating, data.rating, 4.0)) - {"ratings"}
    assert sorted(titles) == sorted(names)
