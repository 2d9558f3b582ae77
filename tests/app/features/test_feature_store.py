"""What every feature store must do, on SQLite and on Redis alike."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from recommender.app.features import (
    CandidateFeatures,
    FeatureStore,
    InvalidRatingError,
    MovieStatistics,
    ReplacedError,
    StoreUnavailableError,
    UnknownModelError,
    UnknownMovieError,
    open_backend,
    push,
)
from recommender.data.features import BY_NAME
from recommender.data.prepared import Prepared
from recommender.similarity.neighbours import Neighbours

MINUTE = 60
BAD_RATINGS = {
    "rating must be a number from 1 to 5, received 5.5": {"rating": 5.5},
    "rating must be a number from 1 to 5, received nan": {"rating": float("nan")},
    "rating must be a number from 1 to 5, received True": {"rating": True},
    "rating must be a number from 1 to 5, received '4'": {"rating": "4"},
    "timestamp must be whole seconds since 1970 UTC, received 1.5": {"timestamp": 1.5},
    "timestamp must be whole seconds since 1970 UTC, received True": {"timestamp": True},
    "timestamp must be whole seconds since 1970 UTC, received -1": {"timestamp": -1},
    "movie_id must be a movie of the catalogue, received 'no movie'": {"movie_id": "no movie"},
    "movie_id must be a movie of the catalogue, received [1]": {"movie_id": [1]},
    "user_id must be a text that is not empty, received ''": {"user_id": ""},
    "user_id must be a text that is not empty, received 42": {"user_id": 42},
}


def same(found: CandidateFeatures, expected: CandidateFeatures) -> bool:
    """Whether all columns are equal, to what sums of fractions in another order may differ."""
    return all(
        np.allclose(mine[name], theirs[name], rtol=1e-6, atol=1e-9, equal_nan=True)
        for mine, theirs in ((found.encoded_user, expected.encoded_user), (found.movies, expected.movies))
        for name in theirs
    )


def neighbours_by(step: int, num_movies: int) -> Neighbours:
    """A table by which a movie is like those `step` and `step + 1` codes further, as far as there are any."""
    codes = np.arange(num_movies, dtype=np.int32)[:, np.newaxis] + np.array([step, step + 1], np.int32)
    there = codes < num_movies
    scores = np.where(there, np.array([1.0, 0.5], np.float32), np.float32(0))
    return Neighbours(np.where(there, codes, np.int32(-1)), scores)


class FeatureStoreConformance:
    """Subclasses give the fixture `address`, an empty store."""

    @pytest.fixture
    def store(self, address: str) -> Iterator[FeatureStore]:
        """An empty store."""
        store = FeatureStore(open_backend(address))
        yield store
        store.close()

    @pytest.fixture
    def filled(self, store: FeatureStore, prepared: Prepared) -> FeatureStore:
        """A store with all prepared data."""
        push(prepared, store.backend)
        return store

    @pytest.fixture
    def now(self, prepared: Prepared) -> int:
        """A minute after the last rating of the data."""
        return int(prepared.interactions.timestamp.max()) + MINUTE

    @pytest.fixture
    def users(self, prepared: Prepared) -> list[str]:
        """User ids in the order of their codes."""
        return prepared.users["user_id"].tolist()

    @pytest.fixture
    def movies(self, prepared: Prepared) -> list[str]:
        """Movie ids in the order of their codes."""
        return prepared.movies["movie_id"].tolist()

    def test_pushed_features_equal_the_snapshot_for_serving(
        self, filled, prepared, users, movies, agree
    ) -> None:
        snapshot = prepared.snapshot("serving")
        for code, user_id in enumerate(users):
            found = filled.features_for(user_id, movies, snapshot.timestamp)
            expected = {name: column[code : code + 1] for name, column in snapshot.users.items()}
            agree(found.encoded_user, expected, f"of user {user_id}")
        agree(found.movies, snapshot.movies)

    def test_live_ratings_one_by_one_give_the_offline_features_of_every_row(
        self, store, prepared, users, movies, agree, rows_offline
    ) -> None:
        every = prepared.interactions
        order = np.argsort(every.timestamp, kind="stable")[-200:]
        push(prepared, store.backend, until=int(every.timestamp[order[0]]))
        for row, (of_user, of_movie) in zip(order, rows_offline(prepared, order), strict=True):
            user, movie = users[every.user[row]], movies[every.movie[row]]
            found = store.features_for(user, [movie], int(every.timestamp[row]))
            agree(found.encoded_user, of_user, f"of row {row}")
            agree(found.movies, of_movie, f"of row {row}")
            store.add_rating(user, movie, float(every.rating[row]), int(every.timestamp[row]))

    def test_ratings_of_the_same_second_do_not_count_as_history(
        self, filled, users, movies, now, offline, agree
    ) -> None:
        before = filled.features_for(users[3], movies, now)
        ratings = [(3, 5, now, 4.5), (3, 6, now, 1.0), (4, 5, now, 1.5)]
        for user, movie, second, rating in ratings:
            filled.add_rating(users[user], movies[movie], rating, second)
        assert same(filled.features_for(users[3], movies, now), before)
        after = filled.features_for(users[3], movies, now + 1)
        of_user, of_movies = offline(3, list(range(len(movies))), now + 1, ratings)
        agree(after.encoded_user, of_user)
        agree(after.movies, of_movies)
        assert after.encoded_user["user_count"] == before.encoded_user["user_count"] + 2

    @pytest.mark.parametrize("seed", range(3))
    def test_ratings_of_one_user_in_any_order_give_the_same_features(
        self, filled, prepared, movies, now, offline, agree, seed: int
    ) -> None:
        random = np.random.default_rng(seed)
        newcomer = prepared.schema.num_users
        rated = random.permutation(len(movies))[:25]
        seconds = now + random.integers(0, 12, 25)  # many share a second
        ratings = [
            (newcomer, int(movie), int(second), float(rating))
            for movie, second, rating in zip(rated, seconds, random.integers(2, 11, 25) / 2, strict=True)
        ]
        for _, movie, second, rating in ratings:
            filled.add_rating("newcomer", movies[movie], rating, second)
        for second in (now + 5, now + 11, now + 90_000):
            found = filled.features_for("newcomer", movies, second)
            of_user, of_movies = offline(newcomer, list(range(len(movies))), second, ratings)
            agree(found.encoded_user, of_user, f"at {second - now}", ("user_id",))
            if second > seconds.max():
                agree(found.movies, of_movies)

    def test_a_late_rating_changes_what_the_user_said_of_movies_afterwards(
        self, filled, prepared, users, movies, now, offline, agree
    ) -> None:
        every = prepared.interactions
        user = int(every.user[np.argmax(every.timestamp)])
        mine = np.sort(every.timestamp[every.user == user])
        last = [every.timestamp[every.movie == movie].max(initial=0) for movie in range(len(movies))]
        movie = int(np.argmin(last))
        late = int(last[movie]) + 1  # nobody else has rated the movie since
        assert (mine > late).sum() > 3
        filled.add_rating(users[user], movies[movie], 1.0, late)
        found = filled.features_for(users[user], movies, now)
        of_user, of_movies = offline(user, list(range(len(movies))), now, [(user, movie, late, 1.0)])
        agree(found.encoded_user, of_user)
        agree(found.movies, of_movies)

    def test_the_deviation_of_a_late_rating_is_from_what_others_had_given_by_then(
        self, filled, prepared, users, movies, now, offline, agree
    ) -> None:
        every = prepared.interactions
        user, movie = 7, int(np.argmax(np.bincount(every.movie)))
        second = int(np.median(every.timestamp[every.movie == movie]))
        filled.add_rating(users[user], movies[movie], 1.0, second)
        found = filled.features_for(users[user], [movies[movie]], now)
        of_user, of_movie = offline(user, [movie], now, [(user, movie, second, 1.0)])
        agree(found.encoded_user, of_user)
        agree(found.movies, of_movie)

    def test_a_movie_rated_twice_counts_twice_and_goes_as_a_whole(
        self, filled, users, movies, now, offline, agree
    ) -> None:
        before = filled.features_for(users[9], movies, now + MINUTE)
        had = filled.ratings_of(users[9])
        rated = {movies.index(rating.movie_id) for rating in had}
        one, other = sorted(set(range(len(movies))) - rated)[:2]
        ratings = [(9, one, now, 2.0), (9, one, now, 5.0), (9, other, now + 1, 4.0), (9, one, now + 2, 3.5)]
        for user, movie, second, rating in ratings:
            filled.add_rating(users[user], movies[movie], rating, second)
        found = filled.features_for(users[9], movies, now + MINUTE)
        of_user, of_movies = offline(9, list(range(len(movies))), now + MINUTE, ratings)
        agree(found.encoded_user, of_user)
        agree(found.movies, of_movies)
        assert filled.remove_rating(users[9], movies[one]) == 3
        assert filled.remove_rating(users[9], movies[other]) == 1
        assert filled.remove_rating(users[9], movies[other]) == 0
        assert same(filled.features_for(users[9], movies, now + MINUTE), before)
        assert filled.ratings_of(users[9]) == had

    @pytest.mark.parametrize("later", [-1, 0, 1, 9])
    def test_a_rating_in_the_place_of_others_is_as_if_they_had_never_been(
        self, filled, users, movies, now, offline, agree, later: int
    ) -> None:
        rated = {movies.index(rating.movie_id) for rating in filled.ratings_of(users[9])}
        one, other = sorted(set(range(len(movies))) - rated)[:2]
        others = [(8, one, now - 5, 1.0), (9, other, now + 1, 4.0)]
        earlier = [(9, one, now, 2.0), (9, one, now + 2, 5.0)]
        for user, movie, second, rating in sorted([*others, *earlier], key=lambda row: row[2]):
            filled.add_rating(users[user], movies[movie], rating, second)
        filled.add_rating(users[9], movies[one], 3.5, now + later, replace=True)
        found = filled.features_for(users[9], movies, now + MINUTE)
        left = sorted([*others, (9, one, now + later, 3.5)], key=lambda row: row[2])
        of_user, of_movies = offline(9, list(range(len(movies))), now + MINUTE, left)
        agree(found.encoded_user, of_user)
        agree(found.movies, of_movies)
        given = [row.rating for row in filled.ratings_of(users[9]) if row.movie_id == movies[one]]
        assert given == [3.5]

    def test_the_place_of_a_rating_is_never_empty_and_holds_one(
        self, filled, address, users, movies, now
    ) -> None:
        filled.add_rating("rater", movies[0], 1.0, now)
        seen, failures = set(), []

        def rate(step: int) -> None:
            try:
                own = FeatureStore(open_backend(address))
                for second in range(now + step, now + 24, 3):
                    own.add_rating("rater", movies[0], 4.0, second, replace=True)
                own.close()
            except Exception as error:  # a thread's errors would go unseen
                failures.append(error)

        threads = [threading.Thread(target=rate, args=(step,)) for step in range(3)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            seen.add(len(filled.ratings_of("rater")))
        assert failures == []
        assert seen | {len(filled.ratings_of("rater"))} == {1}

    def test_a_rating_taken_back_is_nothing_that_a_late_one_deviates_from(
        self, filled, users, movies, now, offline, agree
    ) -> None:
        filled.add_rating("newcomer", movies[5], 1.0, now)
        filled.add_rating(users[1], movies[5], 5.0, now + 9)
        filled.remove_rating("newcomer", movies[5])
        filled.add_rating(users[2], movies[5], 4.0, now + 3)
        found = filled.features_for(users[2], [], now + MINUTE)
        of_user, _ = offline(2, [5], now + MINUTE, [(2, 5, now + 3, 4.0), (1, 5, now + 9, 5.0)])
        agree(found.encoded_user, of_user)

    def test_a_rating_of_the_data_can_be_taken_back(
        self, filled, prepared, users, movies, now, offline, agree
    ) -> None:
        every = prepared.interactions
        row = int(np.argmax(every.timestamp))
        user, movie = int(every.user[row]), int(every.movie[row])
        second = int(every.timestamp[row])
        assert filled.remove_rating(users[user], movies[movie]) == 1
        found = filled.features_for(users[user], movies, now)
        of_user, of_movies = offline(user, list(range(len(movies))), now, until=second)
        agree(found.encoded_user, of_user, "", ("days_since_first",))
        agree(found.movies, of_movies)

    def test_a_question_about_the_past_sees_the_user_as_of_then(
        self, filled, prepared, users, movies, rows_offline, agree
    ) -> None:
        every = prepared.interactions
        rows = np.random.default_rng(5).choice(len(every), 60, replace=False)
        for row, (of_user, _) in zip(rows, rows_offline(prepared, rows), strict=True):
            found = filled.features_for(users[every.user[row]], [], int(every.timestamp[row]))
            agree(found.encoded_user, of_user, f"of row {row}")

    def test_ratings_are_listed_oldest_first(self, filled, prepared, users, movies, now) -> None:
        every = prepared.interactions
        filled.add_rating(users[2], movies[0], 3.5, now)
        filled.add_rating(users[2], movies[1], 4.5, now)
        mine = every.where(every.user == 2)
        order = np.argsort(mine.timestamp, kind="stable")
        listed = [(one.movie_id, one.rating, one.timestamp) for one in filled.ratings_of(users[2])]
        assert listed == [
            *((movies[mine.movie[row]], mine.rating[row], mine.timestamp[row]) for row in order),
            (movies[0], 3.5, now),
            (movies[1], 4.5, now),
        ]

    def test_of_an_unknown_user_and_movie_nothing_is_known(self, filled, movies, now) -> None:
        found = filled.features_for("nobody", ["no movie", movies[0]], now)
        for name, column in {**found.encoded_user, **found.movies}.items():
            feature = BY_NAME.get(name, BY_NAME["history"])
            np.testing.assert_array_equal(column[0], np.full_like(column[0], feature.missing), err_msg=name)
        assert found.movies["movie_id"].tolist() == [0, 1]
        assert found.user["user_id"].tolist() == ["nobody"]
        assert filled.ratings_of("nobody") == []
        assert not filled.is_known("nobody")

    def test_candidates_keep_their_order_and_may_repeat_or_be_none(self, filled, users, movies, now) -> None:
        asked = [movies[7], movies[2], movies[7]]
        assert filled.features_for(users[0], asked, now).movies["movie_id"].tolist() == [8, 3, 8]
        assert filled.features_for(users[0], [], now).movies["genres"].shape[0] == 0

    def test_a_newcomer_is_known_by_what_they_tell_and_rate(self, filled, movies, now) -> None:
        filled.describe_user("Zoë <b>", "F", 31, "artist")
        found = filled.features_for("Zoë <b>", [], now)
        assert filled.is_known("Zoë <b>")
        assert [found.user[name][0] for name in ("gender", "age", "occupation")] == ["F", 31, "artist"]
        assert found.encoded_user["user_id"] == 0
        filled.add_rating("Zoë <b>", movies[3], 5, now)
        after = filled.features_for("Zoë <b>", [], now + 1)
        assert after.user["age"] == 31
        assert after.user["liked_movies"].tolist() == [[movies[3]]]

    @pytest.mark.parametrize(("message", "wrong"), BAD_RATINGS.items())
    def test_a_wrong_rating_is_refused_and_changes_nothing(
        self, filled, users, movies, now, message: str, wrong: dict
    ) -> None:
        before = filled.features_for(users[0], movies, now + 1)
        good = {"user_id": users[0], "movie_id": movies[0], "rating": 4.0, "timestamp": now}
        with pytest.raises(InvalidRatingError) as error:
            filled.add_rating(**{**good, **wrong})
        assert str(error.value) == message
        assert same(filled.features_for(users[0], movies, now + 1), before)

    @pytest.mark.parametrize(
        "wrong", [{"age": -1}, {"age": 31.5}, {"age": True}, {"gender": 1}, {"user_id": ""}]
    )
    def test_a_wrong_description_is_refused(self, filled, wrong: dict) -> None:
        with pytest.raises(InvalidRatingError, match=next(iter(wrong))):
            filled.describe_user(**{"user_id": "newcomer", **wrong})
        assert not filled.is_known("newcomer")

    def test_movie_statistics_count_every_rating_at_once(self, filled, prepared, movies, now) -> None:
        every = prepared.interactions
        for code in (0, 7, len(movies) - 1):
            mine = every.rating[every.movie == code].astype(np.float64)
            mean = pytest.approx(mine.mean()) if len(mine) else None
            assert filled.movie_statistics(movies[code]) == MovieStatistics(len(mine), mean)
        before = filled.movie_statistics(movies[7])
        for user_id, rating, second in (("one", 1.0, now), ("two", 5.0, now), ("three", 2.0, now - 10**6)):
            filled.add_rating(user_id, movies[7], rating, second)
        after = filled.movie_statistics(movies[7])
        assert after.count == before.count + 3
        assert after.mean == pytest.approx((before.mean * before.count + 8.0) / after.count)
        filled.remove_rating("two", movies[7])
        assert filled.movie_statistics(movies[7]).count == before.count + 2
        with pytest.raises(UnknownMovieError, match="movie of the catalogue, received 'no movie'"):
            filled.movie_statistics("no movie")

    def test_similar_movies_are_those_of_the_tables_of_the_current_version(
        self, store, prepared, movies
    ) -> None:
        push(prepared, store.backend, similar={"one": neighbours_by(1, len(movies))})
        assert store.neighbours("one", movies[3], 2) == [(movies[4], 1.0), (movies[5], 0.5)]
        assert store.neighbours("one", movies[-2], 2) == [(movies[-1], 1.0)]
        assert store.neighbours("one", movies[-1], 2) == []
        tables = {"one": neighbours_by(2, len(movies)), "two": neighbours_by(3, len(movies))}
        push(prepared, store.backend, similar=tables)
        assert store.neighbours("one", movies[3], 1) == [(movies[5], 1.0)]
        assert store.neighbours("two", movies[3], 1) == [(movies[6], 1.0)]
        push(prepared, store.backend)
        with pytest.raises(UnknownModelError, match="no similar movies by 'one' were pushed"):
            store.neighbours("one", movies[3], 1)

    def test_what_has_no_similar_movies_is_named(self, filled, movies) -> None:
        with pytest.raises(UnknownModelError, match="no similar movies by 'two' were pushed"):
            filled.neighbours("two", movies[0], 1)
        with pytest.raises(UnknownMovieError, match="movie of the catalogue, received 'no movie'"):
            filled.neighbours("two", "no movie", 1)

    def test_blobs_belong_to_a_version_and_go_with_it(self, filled) -> None:
        backend, first = filled.backend, filled.version()
        assert backend.blob(first, "large") is None
        second = backend.begin(b"{}")
        large = bytes(range(256)) * 10_000
        backend.put_blob(second, "large", b"first")
        backend.put_blob(second, "large", large)
        backend.put_blob(second, "empty", b"")
        assert filled.version() == first
        assert (backend.blob(second, "large"), backend.blob(second, "empty")) == (large, b"")
        assert backend.blob(first, "large") is None
        third = backend.begin(b"{}")
        with pytest.raises(ReplacedError, match=f"version {second} of the features was ended"):
            backend.put_blob(second, "late", b"content")
        backend.remove_old()
        assert [backend.blob(second, name) for name in ("large", "empty", "late")] == [None] * 3
        assert filled.version() == first
        assert third > second

    def test_writers_at_the_same_time_lose_nothing(self, filled, address, users, movies, now) -> None:
        before = filled.features_for(users[0], [movies[0]], now)
        rated = {one.movie_id for one in filled.ratings_of(users[0])}
        unrated = [movie_id for movie_id in movies[1:] if movie_id not in rated][:4]
        failures = []

        def rate(movie_id: str) -> None:
            try:
                own = FeatureStore(open_backend(address))
                for place in range(8):  # one user and one movie that all of them share
                    own.add_rating(users[0], movie_id, 4.0, now + place)
                    own.add_rating(f"fan of {movie_id}", movies[0], 2.0, now + place)
                if movie_id in unrated[:2]:
                    own.remove_rating(users[0], movie_id)
                own.close()
            except Exception as error:  # a thread's errors would go unseen
                failures.append(error)

        threads = [threading.Thread(target=rate, args=(movie_id,)) for movie_id in unrated]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        after = filled.features_for(users[0], [movies[0]], now + MINUTE)
        assert after.encoded_user["user_count"] == before.encoded_user["user_count"] + 16
        assert after.movies["movie_count"] == before.movies["movie_count"] + 32
        listed = [one.movie_id for one in filled.ratings_of(users[0]) if one.timestamp >= now]
        assert sorted(listed) == sorted([unrated[2]] * 8 + [unrated[3]] * 8)

    def test_an_empty_store_says_what_to_do(self, store) -> None:
        for ask in (
            lambda: store.features_for("1", ["1"], 1),
            lambda: store.add_rating("1", "1", 4.0, 1),
            lambda: store.ratings_of("1"),
            lambda: store.neighbours("one", "1", 1),
            store.version,
        ):
            with pytest.raises(
                StoreUnavailableError, match="holds no features yet: run recommender features push"
            ):
                ask()


class TestSQLite(FeatureStoreConformance):
    @pytest.fixture
    def address(self, tmp_path: Path) -> str:
        return f"sqlite:{tmp_path}/features.sqlite"


class TestRedis(FeatureStoreConformance):
    @pytest.fixture
    def address(self, redis_address: str) -> str:
        return redis_address
