import math

import numpy as np
import pytest

from recommender.errors import DataError
from recommender.evaluation import ranking
from recommender.evaluation.ranking import evaluate_ranking
from recommender.evaluation.report import to_json


def slow_metrics(values, data, k, relevant_from=0.0):
    """The definitions once more, one user and one movie at a time."""
    known, held_out = data.part("train"), data.part("test")
    rows, hit_ratings, ratings = [], 0, 0
    for user in range(data.num_users):
        seen = set(known.movie[known.user == user].tolist())
        wanted = set(held_out.movie[(held_out.user == user) & (held_out.rating >= relevant_from)].tolist())
        if not wanted:
            continue
        candidates = [movie for movie in range(data.num_movies) if movie not in seen]
        ranked = sorted(candidates, key=lambda movie: (-values[user, movie], movie))[:k]
        ranks = [rank for rank, movie in enumerate(ranked, start=1) if movie in wanted]
        best = sum(1 / math.log2(rank + 1) for rank in range(1, min(k, len(wanted)) + 1))
        rows.append(
            {
                "recall": len(ranks) / len(wanted),
                "precision": len(ranks) / k,
                "ndcg": sum(1 / math.log2(rank + 1) for rank in ranks) / best,
                "hit_rate": float(bool(ranks)),
                "mrr": 1 / ranks[0] if ranks else 0.0,
                "map": sum(n / rank for n, rank in enumerate(ranks, start=1)) / min(k, len(wanted)),
                "history": len(seen),
            }
        )
        hit_ratings, ratings = hit_ratings + len(ranks), ratings + len(wanted)
    return rows, hit_ratings / ratings


@pytest.mark.parametrize("relevant_from", [None, 4.0])
@pytest.mark.parametrize("k", [3, 10, 100])
def test_metrics_equal_a_plain_loop_over_users_and_movies(k, relevant_from, data, values, evaluate):
    report = evaluate(values, data, ks=[k], relevant_from=relevant_from)
    rows, accuracy = slow_metrics(values, data, k, relevant_from or 0.0)
    assert len(report.users) == len(rows)
    for name in ("recall", "precision", "ndcg", "hit_rate", "mrr", "map"):
        expected = [row[name] for row in rows]
        np.testing.assert_allclose(report.per_user[f"{name}@{k}"], expected)
        assert report.metrics[f"{name}@{k}"] == pytest.approx(np.mean(expected))
    assert report.metrics[f"accuracy@{k}"] == pytest.approx(accuracy)


def test_users_are_split_by_how_many_ratings_are_known_of_them(data, values, evaluate):
    by_history = evaluate(values, data).by_history
    rows, _ = slow_metrics(values, data, 10)
    limits = {"0": (0, 0), "1-4": (1, 4), "5-19": (5, 19), "20-99": (20, 99), "100+": (100, 999)}
    for name, (low, high) in limits.items():
        group = [row["ndcg"] for row in rows if low <= row["history"] <= high]
        assert by_history[name]["users"] == len(group)
        if group:
            assert by_history[name]["ndcg@10"] == pytest.approx(np.mean(group))
    assert sum(group["users"] for group in by_history.values()) == len(rows)


def test_known_movies_are_never_recommended_and_no_movie_twice(data, values, evaluate):
    known = data.part("train")
    report = evaluate(values, data, ks=[100])
    seen = set(zip(known.user.tolist(), known.movie.tolist(), strict=True))
    for user, row in zip(report.users.tolist(), report.top.tolist(), strict=True):
        listed = [movie for movie in row if movie >= 0]
        assert len(set(listed)) == len(listed) == min(100, data.num_movies - int((known.user == user).sum()))
        assert not seen & {(user, movie) for movie in listed}


def test_a_scorer_that_knows_the_future_is_perfect(data, evaluate):
    metrics = evaluate(data.part("test").matrix().toarray(), data, ks=[14], rated=data).metrics
    for name in ("recall@14", "ndcg@14", "hit_rate@14", "mrr@14", "map@14", "accuracy@14"):
        assert metrics[name] == pytest.approx(1)
    assert metrics["hit_rate@14/99neg"] == metrics["ndcg@14/99neg"] == 1


def test_a_scorer_may_rule_movies_out(data, values, evaluate):
    values[:, 5:] = -np.inf
    assert evaluate(values, data, ks=[10]).top.max() < 5


def test_blocks_of_users_do_not_change_the_result_and_the_scorer_is_asked_once_for_each(
    monkeypatch, data, values, table
):
    whole, parts = table(values), table(values)
    known, held_out = data.part("train"), data.part("test")
    expected = evaluate_ranking(whole, known, held_out, [10])
    monkeypatch.setattr(ranking, "SCORES_PER_BLOCK", 7 * data.num_movies + 1)
    report = evaluate_ranking(parts, known, held_out, [10])
    assert to_json(report.as_dict()) == to_json(expected.as_dict())
    assert whole.calls == [len(expected.users)]
    assert len(parts.calls) == math.ceil(len(expected.users) / 7)
    assert max(parts.calls) == 7


def test_a_rating_that_is_known_already_cannot_be_held_out(data, values, table):
    with pytest.raises(DataError, match=r"held-out .* among the known ratings already"):
        evaluate_ranking(table(values), data, data.part("test"), [10])


def test_a_pair_held_out_twice_is_an_error(data, values, table):
    test = data.part("test")
    twice = test.where(np.ones(len(test), bool))
    twice.user[1], twice.movie[1] = twice.user[0], twice.movie[0]
    with pytest.raises(DataError, match=r"1 .* held out more than once"):
        evaluate_ranking(table(values), data.part("train"), twice, [10])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"relevant_from": 6.0}, "at least one relevant held-out rating, received 0"),
        ({"ks": []}, r"whole numbers from 1, received \[\]"),
        ({"ks": [0, 10]}, r"whole numbers from 1, received \[0, 10\]"),
    ],
)
def test_a_question_without_an_answer_is_an_error(options, message, data, values, evaluate):
    with pytest.raises(DataError, match=message):
        evaluate(values, data, **options)


def test_scores_that_are_not_as_promised_are_an_error(data, values, evaluate):
    with pytest.raises(DataError, match=r"must have shape \(\d+, 140\), received \(\d+, 139\)"):
        evaluate(values[:, 1:], data)
    user = int(data.part("test").user[-1])
    values[user, 3] = np.nan
    with pytest.raises(DataError, match=f"received NaN for user code {user}"):
        evaluate(values, data)


def test_a_scorer_may_return_an_array_that_it_keeps(data, values):
    class Keeper:
        def scores(self, users):
            return values[: len(users)]

    before = values.copy()
    evaluate_ranking(Keeper(), data.part("train"), data.part("test"), [10])
    np.testing.assert_array_equal(values, before)
