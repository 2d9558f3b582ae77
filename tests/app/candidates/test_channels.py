"""Every channel, on the conformance class and by what it is to find."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from channel_conformance import ChannelConformance

from recommender.app.candidates import channel_names
from recommender.app.candidates.channel import Sources, build_channel
from recommender.app.candidates.neighbours import Neighbours
from recommender.app.candidates.similar import LIKED
from recommender.app.features import FeatureStore, open_backend, push
from recommender.app.settings import ALL_CHANNELS
from recommender.errors import ConfigError


def test_the_channels_of_the_settings_are_those_that_there_are() -> None:
    assert set(ALL_CHANNELS) == set(channel_names())


def test_an_unknown_channel_is_named(filled_store, scripted_model) -> None:
    with pytest.raises(ConfigError, match=r"must be among genres, newest, .*, received 'magic'"):
        build_channel("magic", Sources(scripted_model, Neighbours(filled_store)))


class TestRetrieval(ChannelConformance):
    channel_name = "retrieval"

    def test_is_the_models_order(self, channel, ask, user_ids, movie_ids) -> None:
        found = channel.candidates(ask(user_ids[0]), 5)
        assert [pair[0] for pair in found] == movie_ids[::-1][:5]

    def test_movies_that_the_store_does_not_have_are_left_out(
        self, channel, ask, user_ids, scripted_model, movie_ids
    ) -> None:
        scripted_model.retrieved = ["of a newer model", *movie_ids]
        assert "of a newer model" not in dict(channel.candidates(ask(user_ids[0]), 10))

    def test_the_model_is_asked_for_as_many_more_as_filters_leave_out(
        self, channel, ask, user_ids, catalogue
    ) -> None:
        is_open = np.zeros(len(catalogue.movie_ids), np.bool_)
        is_open[:8] = True  # the model has them last
        assert len(channel.candidates(ask(user_ids[0], is_open), 8)) == 8


class TestSimilar(ChannelConformance):
    channel_name = "similar"
    for_everybody = False

    def test_scores_are_the_sums_of_the_similarities_to_the_movies_liked_last(
        self, channel, ask, user_ids, catalogue, neighbour_table
    ) -> None:
        asked = ask(user_ids[5])
        expected: Counter[str] = Counter()
        for place in asked.features.of_user.past.liked[-LIKED:]:
            for other, score in neighbour_table.of(int(place), 50):
                expected[catalogue.movie_ids[other]] += score
        found = dict(channel.candidates(asked, 1_000))
        assert found == pytest.approx(dict(expected))

    def test_a_store_without_the_table_gives_nothing(self, prepared, user_ids, now, tmp_path, ask) -> None:
        store = FeatureStore(open_backend(f"sqlite:{tmp_path}/plain.sqlite"))
        push(prepared, store.backend)
        channel = build_channel("similar", Sources(None, Neighbours(store)))
        assert channel.candidates(ask(user_ids[5]), 10) == []
        store.close()


class TestGenres(ChannelConformance):
    channel_name = "genres"
    for_everybody = False
    one_order = False  # it looks at the `limit` most popular movies of each genre

    def test_movies_have_one_of_the_three_favourite_genres(self, channel, ask, user_ids, catalogue) -> None:
        for user_id in user_ids[:20]:
            asked = ask(user_id)
            likes = asked.features.of_user.past.genre_likes
            found = channel.candidates(asked, 10)
            favourites = np.argsort(-likes, kind="stable")[:3]
            places = [catalogue.places[movie_id] for movie_id, _ in found]
            assert catalogue.genre_matrix[places][:, favourites].any(axis=1).all()
            assert (len(found) > 0) == bool(likes.any())

    def test_a_popular_movie_of_the_only_liked_genre_comes_first(
        self, channel, ask, user_ids, catalogue
    ) -> None:
        asked = ask(user_ids[2])
        asked.features.of_user.past.genre_likes[:] = 0
        asked.features.of_user.past.genre_likes[4] = 3
        found = channel.candidates(asked, 10)
        of_genre = np.flatnonzero(catalogue.genre_matrix[:, 4])
        counts = catalogue.rating_counts[of_genre]
        assert catalogue.rating_counts[catalogue.places[found[0][0]]] == counts.max()
        assert [pair[1] for pair in found] == pytest.approx(np.log1p(np.sort(counts)[::-1][:10]))

    def test_a_genre_counts_as_much_as_its_share_of_the_likes(
        self, channel, ask, user_ids, catalogue
    ) -> None:
        asked = ask(user_ids[2])
        likes = asked.features.of_user.past.genre_likes
        likes[:] = 0
        likes[4], likes[7] = 3, 1
        found = dict(channel.candidates(asked, 1_000))
        shares = 0.75 * catalogue.genre_matrix[:, 4] + 0.25 * catalogue.genre_matrix[:, 7]
        expected = shares * np.log1p(catalogue.rating_counts)
        assert len(found) == (shares > 0).sum()
        for movie_id, score in found.items():
            assert score == pytest.approx(expected[catalogue.places[movie_id]])


class TestRecent(ChannelConformance):
    channel_name = "recent"

    def test_is_the_stores_order_by_recent_popularity(self, channel, ask, user_ids, catalogue) -> None:
        found = channel.candidates(ask(user_ids[0]), 1_000)
        scores = [pair[1] for pair in found]
        np.testing.assert_allclose(scores, np.sort(catalogue.recent_popularity)[::-1])


class TestNewest(ChannelConformance):
    channel_name = "newest"

    def test_is_by_year_and_then_by_number_of_ratings(self, channel, ask, user_ids, catalogue) -> None:
        found = channel.candidates(ask(user_ids[0]), 1_000)
        places = [catalogue.places[movie_id] for movie_id, _ in found]
        pairs = [(catalogue.release_years[place + 1], catalogue.rating_counts[place]) for place in places]
        assert pairs == sorted(pairs, reverse=True)
        assert len(found) == np.isfinite(catalogue.release_years[1:]).sum()
