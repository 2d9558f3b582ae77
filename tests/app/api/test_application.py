"""The application without HTTP: facts, lists, changes, against the data that was pushed."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest

from recommender.app.answers import Event
from recommender.app.application import Application, InvalidRequestError, NotFoundError
from recommender.app.pipeline.circuit_breaker import FAILURES
from recommender.data.prepared import Prepared


def ids(movies) -> list[str]:
    return [movie.movie_id for movie in movies]


def ratings_of_movie(prepared: Prepared, code: int) -> np.ndarray:
    return prepared.interactions.rating[prepared.interactions.movie == code]


def test_a_movie_has_the_number_and_mean_of_its_ratings(application: Application, titled: Prepared) -> None:
    given = ratings_of_movie(titled, 0)
    facts = application.movie(titled.movies["movie_id"][0])
    assert facts.title == "Matrix, The (1999)"
    assert facts.count == len(given)
    assert facts.average == pytest.approx(given.mean())
    assert [rater.rating for rater in facts.top_raters] == sorted(given.tolist(), reverse=True)[:10]


def test_a_user_has_all_ratings_newest_first(application: Application, titled: Prepared) -> None:
    facts = application.user(titled.users["user_id"][0])
    mine = titled.interactions.where(titled.interactions.user == 0)
    assert facts.count == len(mine) == len(facts.history)
    assert facts.average == pytest.approx(mine.rating.mean())
    assert (facts.highest, facts.lowest) == (mine.rating.max(), mine.rating.min())
    assert [line.timestamp for line in facts.history] == sorted(mine.timestamp.tolist(), reverse=True)


def test_a_movie_that_only_a_push_in_between_knows_is_left_out_of_a_users_facts(
    application: Application, titled: Prepared, monkeypatch: pytest.MonkeyPatch
) -> None:
    user_id = titled.users["user_id"][0]
    given = application.store.ratings_of(user_id)
    newer = replace(given[0], movie_id="of a newer catalogue")
    monkeypatch.setattr(application.store, "ratings_of", lambda user_id: [*given, newer])
    assert application.user(user_id).count == len(given)


def test_favourite_genres_are_those_of_most_liked_movies(application: Application, titled: Prepared) -> None:
    facts = application.user(titled.users["user_id"][0])
    liked = [line for line in facts.history if line.rating >= titled.schema.liked_threshold]
    for favourite in facts.favourite_genres:
        assert favourite.liked == sum(favourite.genre in line.genres for line in liked) > 0
    counts = [favourite.liked for favourite in facts.favourite_genres]
    assert counts == sorted(counts, reverse=True)


def test_a_genre_is_ordered_by_the_average_shrunk_by_ten_ratings(application: Application, titled: Prepared):
    genre = application.genres()[0].genre
    overall = titled.interactions.rating.astype(float).mean()
    expected = {}
    for code, row in titled.movies.iterrows():
        if genre in row["genres"]:
            given = ratings_of_movie(titled, code).astype(float)
            expected[row["movie_id"]] = (given.sum() + 10 * overall) / (len(given) + 10)
    found = application.genre_movies(genre, n=100)
    assert {movie.movie_id: movie.average for movie in found} == pytest.approx(expected)
    averages = [movie.average for movie in found]
    assert averages == sorted(averages, reverse=True)


def test_a_genre_can_be_ordered_by_year_and_by_popularity(application: Application) -> None:
    genre = application.genres()[0].genre
    years = [movie.year for movie in application.genre_movies(genre, 100, "year")]
    counts = [movie.count for movie in application.genre_movies(genre, 100, "popularity")]
    assert years == sorted(years, reverse=True)
    assert counts == sorted(counts, reverse=True)
    assert (
        application.genre_movies(genre, 2, "popularity")
        == application.genre_movies(genre, 100, "popularity")[:2]
    )


def test_similar_movies_come_from_the_model_that_is_asked_for(application: Application, titled) -> None:
    movies = titled.movies["movie_id"].tolist()
    by_model = application.similar(movies[3], 2, "embedding")
    assert ids(by_model) == movies[:2]
    by_genre = application.similar(movies[3], 5, "genre")
    assert len(by_genre) == 5
    assert movies[3] not in ids(by_genre)
    scores = [movie.score for movie in by_genre]
    assert scores == sorted(scores, reverse=True)
    with pytest.raises(InvalidRequestError, match="model: must be one of embedding"):
        application.similar(movies[3], 5, "magic")


def test_a_list_holds_no_movie_that_the_user_has_rated(application: Application, titled: Prepared) -> None:
    for user_id in titled.users["user_id"][:5]:
        seen = set(ids(application.user(user_id).history))
        answer = application.recommend(user_id, 20)
        assert len(answer.items) == 20 or len(seen) + len(answer.items) == 80
        assert not seen & set(ids(answer.items))
        assert answer.degraded == []


def test_a_rated_movie_leaves_the_next_list_and_comes_back_when_the_rating_is_taken_back(
    application: Application, titled: Prepared
) -> None:
    user_id = titled.users["user_id"][0]
    first = ids(application.recommend(user_id, 5).items)
    application.rate(user_id, first[0], 4.0)
    assert first[0] not in ids(application.recommend(user_id, 5).items)
    application.unrate(user_id, first[0])
    assert ids(application.recommend(user_id, 5).items) == first


def test_a_second_rating_of_a_movie_takes_the_place_of_the_first(application: Application, titled) -> None:
    user_id = titled.users["user_id"][0]
    movie_id = application.recommend(user_id).items[0].movie_id
    count = application.movie(movie_id).count
    application.rate(user_id, movie_id, 2.0)
    application.rate(user_id, movie_id, 5.0)
    assert application.movie(movie_id).count == count + 1
    assert [line.rating for line in application.user(user_id).history if line.movie_id == movie_id] == [5.0]


@pytest.mark.parametrize("rating", [0.0, 5.5, float("nan")])
def test_a_rating_off_the_scale_leaves_the_old_one(application: Application, titled, rating: float) -> None:
    user_id = titled.users["user_id"][0]
    rated = application.user(user_id).history[0]
    with pytest.raises(InvalidRequestError, match="rating: must be from"):
        application.rate(user_id, rated.movie_id, rating)
    assert application.user(user_id).history[0] == rated


def test_nobody_rates_in_the_future(application: Application, titled: Prepared) -> None:
    user_id, movie_id = titled.users["user_id"][0], titled.movies["movie_id"][0]
    now = application.rate(user_id, movie_id, 3.0)
    with pytest.raises(InvalidRequestError, match="timestamp: must be from 0 to"):
        application.rate(user_id, movie_id, 3.0, now + 3600)


def test_the_clock_of_the_data_starts_where_the_data_ends(application: Application, titled: Prepared) -> None:
    ends = int(titled.interactions.timestamp.max())
    pushed = application.store.catalogue().pushed_at
    listed_at = application.recommend(titled.users["user_id"][0], 1).timestamp
    assert listed_at - ends >= 1
    assert listed_at < pushed  # by the wall it is decades later


def test_the_clock_of_the_data_is_not_behind_ratings_that_a_push_has_kept(
    make_application, app_settings, titled: Prepared
) -> None:
    user_id = titled.users["user_id"][0]
    movie_id = make_application(app_settings).recommend(user_id, 1).items[0].movie_id
    later = int(titled.interactions.timestamp.max()) + 100_000
    make_application(app_settings).store.add_rating(user_id, movie_id, 4.0, later)
    answer = make_application(app_settings).recommend(user_id, 20)
    assert answer.timestamp > later
    assert movie_id not in ids(answer.items)


def test_a_newcomer_gets_a_list_without_the_liked_movies(application: Application, titled: Prepared) -> None:
    liked = titled.movies["movie_id"][:3].tolist()
    user_id, answer = application.newcomer(liked, age=30)
    assert answer.user_id == user_id
    assert answer.items
    assert not set(liked) & set(ids(answer.items))
    facts = application.user(user_id)
    assert facts.age == 30
    assert {line.rating for line in facts.history} == {5.0}


def test_a_newcomer_who_tells_nothing_gets_a_list(application: Application) -> None:
    user_id, answer = application.newcomer([])
    assert len(answer.items) == 10
    assert application.user(user_id).average is None


def test_a_newcomer_with_an_unknown_movie_is_nobody(application: Application) -> None:
    with pytest.raises(InvalidRequestError, match="liked: must be ids of movies, received 'nope'"):
        application.newcomer(["nope"])


def test_unknown_ids_are_said_so(application: Application, titled: Prepared) -> None:
    user_id, movie_id = titled.users["user_id"][0], titled.movies["movie_id"][0]
    for ask in (
        lambda: application.movie("nope"),
        lambda: application.user("nope"),
        lambda: application.similar("nope"),
        lambda: application.genre_movies("nope"),
        lambda: application.recommend("nope"),
        lambda: application.predict("nope", movie_id),
        lambda: application.predict(user_id, "nope"),
        lambda: application.rate("nope", movie_id, 3.0),
        lambda: application.rate(user_id, "nope", 3.0),
        lambda: application.unrate(user_id, "nope"),
    ):
        with pytest.raises(NotFoundError, match=r"(no|has not).*'nope'"):
            ask()


def test_the_prediction_is_that_of_the_ranking_model(application: Application, titled: Prepared) -> None:
    user_id, movies = titled.users["user_id"][0], titled.movies["movie_id"]
    assert application.predict(user_id, movies[10]) == pytest.approx(4.9)
    application.model.down = True
    assert application.predict(user_id, movies[10]) is None


def test_lists_do_without_the_model(application: Application, titled: Prepared) -> None:
    application.model.down = True
    answer = application.recommend(titled.users["user_id"][0], 5)
    assert len(answer.items) == 5
    assert answer.degraded
    assert {item.rating for item in answer.items} == {None}


def test_a_list_that_has_waited_too_long_for_its_turn_is_full_and_made_without_what_takes_time(
    application: Application, titled: Prepared
) -> None:
    user_id = titled.users["user_id"][0]
    for _ in range(2 * FAILURES):
        found = application.recommend(user_id, began=time.perf_counter() - 3600)
        assert found.degraded == ["features"]
        assert len(found.items) == 10
    assert application.recommend(user_id).degraded == []  # nobody was blamed


def test_events_count_for_the_list_they_refer_to(make_application, app_settings, titled: Prepared) -> None:
    experiments = {"order": {"decides": "model", "variants": {"two_stage": 1.0, "popular": 1.0}}}
    settings = app_settings.model_validate({**app_settings.model_dump(), "experiments": experiments})
    application = make_application(settings)
    answer = application.recommend(titled.users["user_id"][0], 4)
    assert answer.assigned_by == "order"
    shown = {"request_id": answer.request_id, "user_id": answer.user_id, "movie_ids": ids(answer.items)}
    assert application.record(Event(kind="impression", **shown))
    assert application.record(Event(kind="click", **{**shown, "movie_ids": shown["movie_ids"][:1]}))
    assert not application.record(Event(kind="click", **{**shown, "request_id": "nope"}))
    (result,) = application.experiments()
    (variant,) = [one for one in result.variants if one.variant == answer.model]
    assert (variant.requests, variant.impressions, variant.clicks) == (1, 4, 1)


def test_an_override_is_logged_as_one(application: Application, titled: Prepared) -> None:
    answer = application.recommend(titled.users["user_id"][0], model="popular")
    assert (answer.model, answer.assigned_by) == ("popular", "override")


def test_filters_that_cannot_be_are_refused(application: Application, titled: Prepared) -> None:
    user_id = titled.users["user_id"][0]
    with pytest.raises(InvalidRequestError, match="model: must be one of two_stage"):
        application.recommend(user_id, model="magic")
    with pytest.raises(InvalidRequestError, match="genre: must be one of"):
        application.recommend(user_id, genre="magic")
    with pytest.raises(InvalidRequestError, match="year_from: must not be after year_to"):
        application.recommend(user_id, year_from=2000, year_to=1990)


def test_users_to_choose_from_are_users_of_the_data(application: Application, titled: Prepared) -> None:
    chosen = application.users(10)
    assert len(set(chosen)) == 10
    assert set(chosen) <= set(titled.users["user_id"])
    assert application.users(10) == chosen
    assert len(application.users(1000)) == 120


def test_search_finds_titles_with_typing_errors(application: Application) -> None:
    assert application.search("the matrx")[0].title == "Matrix, The (1999)"
    assert application.search("amelie")[0].title == "Amélie (2001)"


def test_what_was_rated_is_there_after_a_restart(make_application, app_settings, titled: Prepared) -> None:
    user_id = titled.users["user_id"][0]
    first = make_application(app_settings)
    movie_id = first.recommend(user_id, 1).items[0].movie_id
    first.rate(user_id, movie_id, 4.5)
    second = make_application(app_settings)
    assert second.user(user_id).history[0].movie_id == movie_id
    assert movie_id not in ids(second.recommend(user_id, 20).items)
