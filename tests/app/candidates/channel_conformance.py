"""What every channel must do."""

from __future__ import annotations

import numpy as np
import pytest

from recommender.app.candidates.channel import Asked, Channel, Sources, build_channel
from recommender.app.candidates.neighbours import Neighbours
from recommender.app.candidates.orders import CatalogueOrders
from recommender.app.features import FeatureStore
from recommender.app.features.store_catalogue import StoreCatalogue

LIMIT = 7


class ChannelConformance:
    """Subclasses name the channel, `channel_name`, and say whether it has something for everybody, and
    whether a lower limit gives the beginning of the same list.
    """

    channel_name: str
    for_everybody = True
    one_order = True

    @pytest.fixture
    def channel(self, filled_store: FeatureStore, scripted_model) -> Channel:
        return build_channel(self.channel_name, Sources(scripted_model, Neighbours(filled_store)))

    @pytest.fixture
    def ask(self, filled_store: FeatureStore, catalogue: StoreCatalogue, now: int):
        """`ask(user_id, is_open)`: what a channel is asked for a user; all movies are open by default."""

        def asked(user_id: str, is_open: np.ndarray | None = None) -> Asked:
            features = filled_store.features_for(user_id, [], now)
            everything = np.ones(len(catalogue.movie_ids), np.bool_)
            opened = everything if is_open is None else is_open
            return Asked(catalogue, CatalogueOrders(catalogue), features, opened)

        return asked

    def test_candidates_are_movies_of_the_catalogue_best_first_and_each_once(
        self, channel, ask, user_ids, catalogue
    ) -> None:
        for user_id in user_ids[:20]:
            found = channel.candidates(ask(user_id), 1_000)
            ids, scores = [pair[0] for pair in found], [pair[1] for pair in found]
            assert len(set(ids)) == len(ids)
            assert set(ids) <= set(catalogue.movie_ids)
            assert scores == sorted(scores, reverse=True)
            assert all(isinstance(score, float) for score in scores)

    def test_no_more_than_the_limit_and_those_first_in_the_order(self, channel, ask, user_ids) -> None:
        for user_id in user_ids[:20]:
            every = channel.candidates(ask(user_id), 1_000)
            found = channel.candidates(ask(user_id), LIMIT)
            assert len(found) == min(LIMIT, len(every))
            assert not self.one_order or found == every[: len(found)]

    def test_only_open_movies(self, channel, ask, user_ids, catalogue) -> None:
        is_open = np.arange(len(catalogue.movie_ids)) % 3 == 1
        allowed = {movie_id for place, movie_id in enumerate(catalogue.movie_ids) if is_open[place]}
        for user_id in user_ids[:20]:
            assert {pair[0] for pair in channel.candidates(ask(user_id, is_open), 1_000)} <= allowed

    def test_what_is_not_open_makes_room_for_what_is(self, channel, ask, user_ids, catalogue) -> None:
        is_open = np.arange(len(catalogue.movie_ids)) % 3 == 1
        for user_id in user_ids[:20]:
            every = channel.candidates(ask(user_id, is_open), 1_000)
            assert len(channel.candidates(ask(user_id, is_open), LIMIT)) == min(LIMIT, len(every))

    def test_where_nothing_is_open_there_is_nothing(self, channel, ask, user_ids, catalogue) -> None:
        is_open = np.zeros(len(catalogue.movie_ids), np.bool_)
        assert channel.candidates(ask(user_ids[0], is_open), LIMIT) == []

    def test_somebody_new_is_no_error(self, channel, ask) -> None:
        found = channel.candidates(ask("somebody new"), LIMIT)
        assert len(found) == (LIMIT if self.for_everybody else 0)

    def test_the_same_question_has_the_same_answer(self, channel, ask, user_ids) -> None:
        asked = ask(user_ids[3])
        assert channel.candidates(asked, LIMIT) == channel.candidates(asked, LIMIT)
