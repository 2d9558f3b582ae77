"""The signatures of an exported version, asked in a process that has nothing but TensorFlow."""

from __future__ import annotations

import numpy as np
import pytest

from recommender.data.encode import encode_features
from recommender.data.features import FEATURES
from recommender.data.prepared import Prepared

LOWEST = np.finfo(np.float32).min


@pytest.fixture(scope="module")
def user_ids(prepared: Prepared) -> list[str]:
    return prepared.users["user_id"].tolist()


@pytest.fixture(scope="module")
def movie_ids(prepared: Prepared) -> list[str]:
    return prepared.movies["movie_id"].tolist()


@pytest.fixture(scope="module")
def rated(prepared: Prepared) -> dict[str, set[str]]:
    """user id -> ids of the movies that the user has rated."""
    interactions = prepared.interactions
    movies = prepared.movies["movie_id"].to_numpy()
    return {
        user_id: set(movies[interactions.movie[interactions.user == code]])
        for code, user_id in enumerate(prepared.users["user_id"])
    }


@pytest.fixture(scope="module")
def most_rated(prepared: Prepared) -> list[str]:
    """Movie ids by number of ratings, of equally many in the order of codes."""
    counts = np.bincount(prepared.interactions.movie, minlength=len(prepared.movies))
    return prepared.movies["movie_id"].to_numpy()[np.argsort(-counts, kind="stable")].tolist()


def nobody(prepared: Prepared) -> dict[str, np.ndarray]:
    """One row of the user's columns of which nothing is known, written out by hand."""
    schema = prepared.schema
    row: dict[str, float] = dict.fromkeys(["user_id", "gender", "occupation", "user_count"], 0)
    row |= dict.fromkeys(["age", "user_mean", "user_stddev", "user_deviation"], np.nan)
    row |= dict.fromkeys(["user_year_mean", "user_year_stddev", "days_since_first"], np.nan)
    columns = {name: np.array([value], np.float32) for name, value in row.items()}
    for name in ("user_id", "gender", "occupation"):
        columns[name] = columns[name].astype(np.int32)
    columns["top_genres"] = np.zeros((1, schema.top_genres), np.int32)
    columns["liked_movies"] = np.zeros((1, schema.liked_length), np.int32)
    columns["history_movies"] = np.zeros((1, schema.history_length), np.int32)
    for name in ("history_ratings", "history_deviations", "history_ages"):
        columns[name] = np.zeros((1, schema.history_length), np.float32)
    return columns


def test_the_model_loads_and_answers_with_nothing_but_tensorflow(ask) -> None:
    assert ask.start["foreign"] == set()
    assert ask("predict_by_id", user_id=["1"], movie_id=["1"])["rating"].shape == (1,)


@pytest.mark.parametrize("passed", [0, 1, 200_000, 40_000_000])
def test_predictions_are_the_models_for_rows_of_the_feature_sql(
    ask, prepared, trained, offline_rows, user_ids, movie_ids, passed: int
) -> None:
    generator = np.random.default_rng(passed)
    users, movies = generator.integers(0, 120, 40), generator.integers(0, 80, 40)
    timestamp = prepared.snapshot("serving").timestamp + passed
    rows = encode_features(offline_rows(users, movies, timestamp), FEATURES, prepared.schema)
    answer = ask(
        "predict_by_id_at",
        user_id=[user_ids[user] for user in users],
        movie_id=[movie_ids[movie] for movie in movies],
        timestamp=[timestamp] * 40,
    )
    np.testing.assert_allclose(answer["rating"], trained.ranking.predict_rating(rows), atol=1e-5)
    wanted = trained.retrieval.user_vectors(rows).numpy()
    if passed == 0:
        np.testing.assert_allclose(answer["user_embedding"], wanted, atol=1e-5)
    # Ages are float32 seconds: moved on, the time between two ratings may round to another class of gaps.
    lengths = np.linalg.norm(wanted, axis=1) * np.linalg.norm(answer["user_embedding"], axis=1)
    assert (np.sum(wanted * answer["user_embedding"], axis=1) / lengths).min() > 0.9


def test_without_a_timestamp_the_answer_is_as_of_the_second_after_the_last_rating(ask, prepared) -> None:
    pair = {"user_id": ["5"], "movie_id": ["7"]}
    last = int(prepared.interactions.timestamp.max())
    then = ask("predict_by_id_at", **pair, timestamp=[last + 1])["rating"]
    assert ask("predict_by_id", **pair)["rating"] == then


def test_the_default_signature_finds_a_movie_by_its_title(ask, prepared, most_rated) -> None:
    movie_id = most_rated[0]
    title = prepared.movies.set_index("movie_id").loc[movie_id, "title"]
    timestamp = [prepared.snapshot("serving").timestamp]
    by_id = ask("predict_by_id_at", user_id=["3"], movie_id=[movie_id], timestamp=timestamp)
    sloppy = title.upper().replace(",", " ").replace("(", "").replace(")", "!")
    by_title = ask("serving_default", user_id=["3"], movie_title=[sloppy], timestamp=timestamp)
    for name in ("rating", "user_embedding", "movie_embedding"):
        np.testing.assert_array_equal(by_title[name], by_id[name])


def test_unknown_users_movies_and_titles_are_predicted_from_nothing_known(ask, prepared, trained) -> None:
    movies = {name: column[:1] for name, column in prepared.snapshot("serving").movies.items()}
    user = nobody(prepared)
    context = dict.fromkeys(["hour_sin", "hour_cos", "weekday_sin", "weekday_cos"], np.zeros(1, np.float32))
    expected = trained.ranking.predict_rating({**user, **movies, **context})
    movie_id = prepared.movies["movie_id"].iloc[0]
    answer = ask("predict_by_id", user_id=["nobody"], movie_id=[movie_id])
    np.testing.assert_allclose(answer["rating"], expected, atol=1e-5)
    neither = ask("predict_by_id", user_id=["nobody"], movie_id=["no movie"])["rating"]
    by_title = ask("serving_default", user_id=["nobody"], movie_title=["no movie"], timestamp=[900_000_000])
    low, high = prepared.schema.rating_scale
    assert low <= neither[0] <= high
    np.testing.assert_allclose(by_title["rating"], neither, atol=1e-5)


def retrieved_by_hand(prepared, trained, rated, user_id: str, count: int) -> list[int]:
    """Codes of the unrated movies with the highest scores of retrieval."""
    from recommender.training.retrieval import RetrievalScorer

    code = prepared.users["user_id"].tolist().index(user_id)
    scores = RetrievalScorer(trained.retrieval, prepared.snapshot("serving")).scores(np.array([code]))[0]
    order = np.argsort(-scores, kind="stable")
    return [movie for movie in order if prepared.movies["movie_id"][movie] not in rated[user_id]][:count]


def ranked_by_hand(prepared, ordered, user_id: str, movies: list[int]) -> list[tuple[int, float]]:
    """(code, score) of the candidates, best first."""
    from recommender.training.retrieval import RetrievalScorer

    code = prepared.users["user_id"].tolist().index(user_id)
    snapshot = prepared.snapshot("serving")
    columns = {name: column[[code] * len(movies)] for name, column in snapshot.users.items()}
    columns |= {name: column[movies] for name, column in snapshot.movies.items()}
    retrieved = RetrievalScorer(ordered.retrieval, snapshot).scores(np.array([code]))[0, movies]
    scores = 0.7 * retrieved + 1.3 * ordered.ranking.predict_rating(columns).numpy()
    return [(movies[place], float(scores[place])) for place in np.argsort(-scores, kind="stable")]


def test_retrieved_are_the_unrated_movies_with_the_highest_inner_products(
    ask, prepared, trained, rated, movie_ids
) -> None:
    for user_id in ("1", "17", "99"):
        expected = [movie_ids[code] for code in retrieved_by_hand(prepared, trained, rated, user_id, 12)]
        assert ask.movies("retrieve", user_id=[user_id], k=12) == [expected]


def test_recommended_are_the_retrieved_candidates_in_the_final_order(
    ask, settings, prepared, ordered, rated, movie_ids
) -> None:
    for user_id in ("1", "17", "99"):
        candidates = retrieved_by_hand(prepared, ordered, rated, user_id, settings.retrieval.candidates)
        expected = ranked_by_hand(prepared, ordered, user_id, candidates)[:10]
        answer = ask("recommend", user_id=[user_id], exclude=[[""]], k=10)
        assert [movie_id.decode() for movie_id in answer["movie_ids"][0]] == [
            movie_ids[code] for code, _ in expected
        ]
        np.testing.assert_allclose(answer["scores"][0], [score for _, score in expected], atol=1e-5)


def test_titles_stand_beside_the_ids_that_they_belong_to(ask, prepared) -> None:
    title = prepared.movies.set_index("movie_id")["title"]
    for signature, inputs in (
        ("retrieve", {"user_id": ["8"]}),
        ("recommend", {"user_id": ["8"], "exclude": [[""]]}),
        ("similar_movies", {"movie": ["8"]}),
    ):
        answer = ask(signature, **inputs, k=6)
        pairs = zip(answer["movie_ids"][0], answer["titles"][0], strict=True)
        assert all(title[movie_id.decode()] == name.decode() for movie_id, name in pairs)
        assert (np.diff(answer["scores"][0]) <= 0).all()


def test_rated_movies_never_come_back(ask, user_ids, rated) -> None:
    for signature, more in (("retrieve", {}), ("recommend", {"exclude": [[""]] * len(user_ids)})):
        answers = ask.movies(signature, user_id=user_ids, k=80, **more)
        for user_id, answer in zip(user_ids, answers, strict=True):
            assert not rated[user_id] & set(answer)
            assert len(set(answer)) == 80 - len(rated[user_id])


def test_excluded_movies_are_left_out_for_their_own_row_only(ask) -> None:
    free = ask.movies("recommend", user_id=["4", "4"], exclude=[[""], [""]], k=5)[0]
    exclude = [[free[0], free[2], "no movie"], ["", "", ""]]
    first, second = ask.movies("recommend", user_id=["4", "4"], exclude=exclude, k=5)
    assert not {free[0], free[2]} & set(first)
    assert first[:3] == [free[1], free[3], free[4]]
    assert second == free


def test_more_than_the_catalogue_is_cut_to_the_catalogue(ask, movie_ids, rated) -> None:
    answer = ask("recommend", user_id=["12"], exclude=[[""]], k=1_000)
    assert answer["scores"].shape == (1, 80)
    left = 80 - len(rated["12"])
    assert (answer["movie_ids"][0, left:] == b"").all()
    assert (answer["titles"][0, left:] == b"").all()
    assert (answer["scores"][0, left:] == LOWEST).all()
    assert set(ask.movies("retrieve", user_id=["12"], k=1_000)[0]) == set(movie_ids) - rated["12"]
    assert ask("similar_movies", movie=["1"], k=1_000)["scores"].shape == (1, 80)


@pytest.mark.parametrize("k", [0, -3])
def test_asking_for_nothing_gets_nothing(ask, k: int) -> None:
    assert ask("recommend", user_id=["12"], exclude=[[""]], k=k)["movie_ids"].shape == (1, 0)
    assert ask("retrieve", user_id=["12"], k=k)["movie_ids"].shape == (1, 0)


def test_where_everything_is_excluded_all_places_are_empty(ask, movie_ids) -> None:
    answer = ask("recommend", user_id=["12"], exclude=[movie_ids], k=3)
    assert answer["movie_ids"].tolist() == [[b"", b"", b""]]
    assert answer["titles"].tolist() == [[b"", b"", b""]]
    assert (answer["scores"] == LOWEST).all()


def test_a_batch_is_answered_like_its_rows_one_by_one(ask) -> None:
    users = ["3", "nobody", "77", "3"]
    for signature, more in (("retrieve", {}), ("recommend", {"exclude": [["5", ""]]})):
        together = ask(signature, user_id=users, k=7, **{name: value * 4 for name, value in more.items()})
        for row, user_id in enumerate(users):
            alone = ask(signature, user_id=[user_id], k=7, **more)
            assert together["movie_ids"][row].tolist() == alone["movie_ids"][0].tolist()
            np.testing.assert_allclose(together["scores"][row], alone["scores"][0], rtol=1e-5)


def test_an_empty_batch_has_an_empty_answer(ask) -> None:
    none = np.zeros([0], object)
    assert ask("recommend", user_id=none, exclude=np.zeros([0, 1], object), k=3)["titles"].shape == (0, 3)
    assert ask("retrieve", user_id=none, k=3)["titles"].shape == (0, 3)
    assert ask("predict_by_id", user_id=none, movie_id=none)["rating"].shape == (0,)


def test_similar_movies_are_the_nearest_by_cosine_without_the_movie_itself(ask, trained, movie_ids) -> None:
    vectors = trained.retrieval.movie_vectors(np.arange(1, 81)).numpy()
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    for code in (0, 33, 79):
        cosines = vectors @ vectors[code]
        nearest = [other for other in np.argsort(-cosines, kind="stable") if other != code][:5]
        answer = ask("similar_movies", movie=[movie_ids[code]], k=5)
        assert [movie_id.decode() for movie_id in answer["movie_ids"][0]] == [movie_ids[i] for i in nearest]
        np.testing.assert_allclose(answer["scores"][0], cosines[nearest], atol=1e-5)


def test_similar_movies_takes_an_id_or_else_a_title(ask, prepared, most_rated) -> None:
    movie_id = most_rated[0]
    title = prepared.movies.set_index("movie_id").loc[movie_id, "title"]
    by_id, by_title, unknown = ask.movies("similar_movies", movie=[movie_id, title.lower(), "no movie"], k=4)
    assert by_id == by_title
    assert len(by_id) == 4
    assert unknown == []


def test_a_model_of_likes_answers_with_probabilities(settings, prepared, trained) -> None:
    import dataclasses

    from recommender.export.serving_module import ServingModule
    from recommender.training.ranking import build_ranking

    ranking = settings.ranking.model_copy(update={"objective": "like"})
    liking = settings.model_copy(update={"ranking": ranking})
    model = dataclasses.replace(trained, ranking=build_ranking(liking, prepared))
    module = ServingModule(liking, prepared, model)
    import tensorflow as tf

    answer = module.predict_by_id(tf.constant(["1", "2"]), tf.constant(["1", "2"]))
    assert set(answer) == {"like", "user_embedding", "movie_embedding"}
    recommended = module.recommend(tf.constant(["1"]), tf.constant([[""]]), tf.constant(5))
    assert ((answer["like"].numpy() > 0) & (answer["like"].numpy() < 1)).all()
    assert (recommended["movie_ids"].numpy() != b"").all()
