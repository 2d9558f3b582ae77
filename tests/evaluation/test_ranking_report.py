import json
import math

import numpy as np
import pytest

from recommender.evaluation.report import to_json


def test_coverage_counts_what_anybody_is_shown(data, evaluate):
    values = np.tile(np.arange(data.num_movies, 0, -1, dtype=np.float32), (data.num_users, 1))
    nothing_known = data.where(data.split == 2)
    assert evaluate(values, nothing_known, ks=[1]).metrics["coverage@1"] == pytest.approx(1 / data.num_movies)


def test_novelty_goes_by_the_known_ratings(data, values, evaluate):
    report, known = evaluate(values, data), data.part("train")
    raters, users = np.bincount(known.movie, minlength=data.num_movies), len(set(known.user.tolist()))
    expected = -np.log2(raters[report.top[:, :3]] / users).mean()
    assert report.metrics["novelty@3"] == pytest.approx(expected)


def test_diversity_is_reported_where_genres_are_given(data, values, evaluate):
    assert "diversity@10" not in evaluate(values, data).metrics
    alike = np.ones((data.num_movies, 2), bool)
    metrics = evaluate(values, data, ks=[1, 10], genres=alike).metrics
    assert metrics["diversity@10"] == pytest.approx(0)
    assert math.isnan(metrics["diversity@1"])


def test_the_report_is_valid_json_also_where_groups_are_empty(data, values, evaluate):
    data = data.where(np.isin(data.user, data.user[:1]))
    report = to_json(evaluate(values, data, rated=data).as_dict())
    written = json.loads(json.dumps(report, allow_nan=False))
    assert written["users"] == 1
    assert written["standard_errors"]["ndcg@10"] is None
    assert [group["ndcg@10"] for group in written["by_history"].values()].count(None) == 4


def test_the_standard_error_is_that_of_the_mean_over_users(data, values, evaluate):
    report = evaluate(values, data)
    values = report.per_user["recall@10"]
    assert report.standard_errors["recall@10"] == pytest.approx(values.std(ddof=1) / math.sqrt(len(values)))
