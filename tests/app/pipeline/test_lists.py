"""What is in a list, and in which order, when everything answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from recommender.app.features import FeatureStore, push
from recommender.app.pipeline.listed import Listed
from recommender.app.pipeline.pipeline import Pipeline
from recommender.app.pipeline.wanted import Wanted
from recommender.app.settings import ALL_CHANNELS, VARIANTS, AppSettings, VariantSettings
from recommender.errors import ConfigError

SETTINGS = AppSettings(budget_ms=60_000)  # on a busy machine, too, everything answers
ONLY_NEWEST = VariantSettings(channels={"newest": 3}, order="channel")
RETRIEVAL = VARIANTS["retrieval"]

Recommend = Callable[..., Listed]


@pytest.fixture
def pipeline(filled_store: FeatureStore, scripted_model) -> Iterator[Pipeline]:
    pipeline = Pipeline(SETTINGS, filled_store, scripted_model)
    yield pipeline
    pipeline.close()


@pytest.fixture
def recommend(pipeline: Pipeline, user_ids: list[str], now: int) -> Recommend:
    """`recommend(user_id, n, variant, ...)`, by default ten movies for the same user by both stages."""

    def recommend(user_id: str = user_ids[5], n: int = 10, **asked: object) -> Listed:
        return pipeline.recommend(
            Wanted(user_id, n, **{"variant": VARIANTS["two_stage"], "timestamp": now, **asked})
        )

    return recommend


def ids(listed: Listed) -> list[str]:
    return [place.movie_id for place in listed.places]


def test_seen_movies_are_not_listed_whatever_the_channels_give(
    recommend: Recommend, filled_store: FeatureStore, user_ids: list[str]
) -> None:
    for user_id in user_ids[:20]:
        for variant in VARIANTS.values():
            listed = ids(recommend(user_id, n=500, variant=variant))
            seen = {rated.movie_id for rated in filled_store.ratings_of(user_id)}
            assert len(seen) > 10  # more than the history that the features have of some
            assert not seen & set(listed)
            assert len(listed) == 80 - len(seen)  # everything else is there, each once
            assert len(set(listed)) == len(listed)


def test_a_rating_just_given_takes_the_movie_out_of_the_list(
    own_store: FeatureStore, scripted_model, user_ids: list[str], now: int
) -> None:
    pipeline = Pipeline(SETTINGS, own_store, scripted_model)
    wanted = Wanted(user_ids[5], 5, VARIANTS["retrieval"], now + 1)
    first = ids(pipeline.recommend(wanted))
    own_store.add_rating(user_ids[5], first[0], 5.0, now)
    assert ids(pipeline.recommend(wanted))[:4] == first[1:]
    own_store.remove_rating(user_ids[5], first[0])
    assert ids(pipeline.recommend(wanted)) == first
    pipeline.close()


def test_the_final_order_is_the_models(recommend: Recommend, scripted_model, movie_ids: list[str]) -> None:
    found = ids(recommend())
    scripted_model.favourites = ids(recommend(n=30))[20:23]
    again = recommend()
    assert ids(again)[:3] == scripted_model.favourites
    assert [place.score for place in again.places[:4]] == [10.0, 10.0, 10.0, 0.0]
    assert ids(again)[3:] == found[:7]


def test_another_variant_orders_by_what_is_predicted(recommend: Recommend) -> None:
    listed = recommend(variant=VARIANTS["rating"])
    predictions = [place.prediction for place in listed.places]
    assert predictions == sorted(predictions, reverse=True)
    assert [place.score for place in listed.places] == predictions


def test_ranking_goes_on_from_what_retrieval_has_found(recommend: Recommend, scripted_model) -> None:
    recommend()
    assert [movie_id for movie_id, _ in scripted_model.handed_on] == scripted_model.retrieved
    recommend(variant=VariantSettings(channels={"newest": 30}, order="final"))
    assert scripted_model.handed_on is None


def test_the_channels_order_does_not_ask_the_ranking_model(
    recommend: Recommend, scripted_model, movie_ids: list[str]
) -> None:
    listed = recommend("somebody new", variant=RETRIEVAL)
    assert ids(listed) == movie_ids[::-1][:10]
    assert {place.prediction for place in listed.places} == {None}
    assert "rank" not in scripted_model.asked
    assert listed.degraded == []


def test_every_channel_is_named_at_its_movies(recommend: Recommend) -> None:
    listed = recommend(n=80)
    named = {channel for place in listed.places for channel in place.channels}
    assert named == set(ALL_CHANNELS)


def test_somebody_new_gets_a_full_list(recommend: Recommend) -> None:
    for variant in VARIANTS.values():
        listed = recommend("somebody new", variant=variant)
        assert len(listed.places) == 10
        assert listed.degraded == []


def test_popular_movies_fill_up_what_channels_leave_empty(recommend: Recommend) -> None:
    listed = recommend(variant=ONLY_NEWEST)
    assert [place.channels for place in listed.places] == [("newest",)] * 3 + [("recent",)] * 7
    assert listed.degraded == []


@pytest.mark.parametrize("variant", VARIANTS)
def test_filters_hold_and_leave_no_list_short(recommend: Recommend, catalogue, variant: str) -> None:
    years = catalogue.release_years[1:]
    middle = int(np.nanmedian(years))
    asked = {"genre": catalogue.schema.genres[4], "year_from": middle, "year_to": middle + 8}
    fit = catalogue.genre_matrix[:, 4] & (years >= middle) & (years <= middle + 8)
    expected = {movie_id for place, movie_id in enumerate(catalogue.movie_ids) if fit[place]}
    assert 0 < len(expected) < 40
    listed = recommend("somebody new", n=40, variant=VARIANTS[variant], **asked)
    assert set(ids(listed)) == expected


def test_a_genre_that_there_is_not_leaves_an_empty_list(recommend: Recommend) -> None:
    assert recommend(genre="Telenovela").places == []


def test_diversity_brings_more_genres_and_keeps_the_best_movie(recommend: Recommend, catalogue) -> None:
    def pairs_alike(listed: Listed) -> float:
        genres = catalogue.genre_matrix[[catalogue.places[movie_id] for movie_id in ids(listed)]]
        return sum((one & other).any() for one in genres for other in genres)

    alike, different = recommend(n=8), recommend(n=8, diversity=0.9)
    assert ids(different)[0] == ids(alike)[0]
    assert pairs_alike(different) < pairs_alike(alike)
    assert len(set(ids(different))) == 8


def test_explanations_are_liked_movies_most_like_the_listed_one(
    recommend: Recommend, filled_store: FeatureStore, catalogue, user_ids: list[str]
) -> None:
    user_id = user_ids[5]
    liked = {rated.movie_id for rated in filled_store.ratings_of(user_id) if rated.rating >= 4}
    listed = recommend(user_id, n=40, explain=True)
    assert all(set(place.because) <= liked for place in listed.places)
    by_neighbours = 0
    for place in listed.places:
        near = dict(filled_store.neighbours("item2vec", place.movie_id, 50))
        if near.keys() & set(place.because):
            by_neighbours += 1
            assert near[place.because[0]] == max(near.get(movie_id, 0.0) for movie_id in liked)
    assert by_neighbours > 5


def test_without_near_neighbours_common_genres_explain(recommend: Recommend, catalogue) -> None:
    listed = recommend(n=40, explain=True)
    genres = catalogue.genre_matrix
    for place in listed.places:
        for reason in place.because:
            near = abs(catalogue.places[place.movie_id] - catalogue.places[reason]) <= 10
            common = genres[catalogue.places[place.movie_id]] & genres[catalogue.places[reason]]
            assert near or common.any()


def test_who_liked_nothing_gets_no_reasons_and_who_asks_for_none_gets_none(recommend: Recommend) -> None:
    assert {place.because for place in recommend("somebody new", explain=True).places} == {()}
    assert {place.because for place in recommend().places} == {None}


def test_every_stage_is_timed_with_the_number_of_movies(recommend: Recommend) -> None:
    listed = recommend(diversity=0.2, explain=True)
    stages = [timing.stage for timing in listed.timings]
    after = ["merge", "features", "ranking", "diversity", "explanation"]
    assert stages == ["user", *ALL_CHANNELS, *after]
    assert all(timing.milliseconds > 0 and timing.movies for timing in listed.timings)


def test_pushes_of_new_versions_disturb_no_list(
    prepared, own_store: FeatureStore, scripted_model, user_ids: list[str], now: int
) -> None:
    pipeline = Pipeline(SETTINGS, own_store, scripted_model)
    wanted = Wanted(user_ids[5], 10, VARIANTS["two_stage"], now, explain=True)
    expected = ids(pipeline.recommend(wanted))
    with ThreadPoolExecutor(3) as threads:
        pushed = threads.submit(push, prepared, own_store.backend)
        while not pushed.done():
            lists = threads.map(lambda _: pipeline.recommend(wanted), range(4))
            assert all(ids(listed) and listed.degraded == [] for listed in lists)
    assert own_store.version() == pushed.result()
    without_neighbours = pipeline.recommend(wanted)  # the last push brought none
    assert without_neighbours.degraded == []
    assert len(set(ids(without_neighbours)) & set(expected)) > 3
    pipeline.close()


def test_an_unknown_channel_of_the_settings_is_an_error_at_the_start(filled_store, scripted_model) -> None:
    variants = {"two_stage": VariantSettings(channels={"magic": 10})}
    with pytest.raises(ConfigError, match="received 'magic'"):
        Pipeline(AppSettings(variants=variants), filled_store, scripted_model)
