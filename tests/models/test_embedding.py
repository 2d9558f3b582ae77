from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from recommender.data.encode import Arrays
from recommender.data.features import FEATURES
from recommender.data.prepared import Prepared
from recommender.models.embedding import FeatureEmbedding
from recommender.models.movie_embedding import MovieEmbedding, movie_content

NAMES = {feature.name for feature in FEATURES}


@pytest.fixture
def movies(prepared: Prepared) -> MovieEmbedding:
    content = movie_content(prepared.movies, prepared.schema)
    return MovieEmbedding(prepared.schema, content, 4, NAMES)


@pytest.fixture
def examples(prepared: Prepared) -> Arrays:
    return {name: values[-64:] for name, values in prepared.examples("train", FEATURES).items()}


def test_shapes_and_names(prepared: Prepared, movies: MovieEmbedding, examples: Arrays) -> None:
    embedded = FeatureEmbedding(FEATURES, prepared.schema, movies)(examples)
    assert set(embedded.embeddings) == {
        feature.name for feature in FEATURES if feature.kind != "numeric" and feature.name != "history"
    }
    assert {tuple(value.shape) for value in embedded.embeddings.values()} == {(64, 4)}
    assert embedded.numeric.shape == (64, sum(feature.kind == "numeric" for feature in FEATURES))
    assert embedded.history.movies.shape == (64, prepared.schema.history_length, 4)


def test_a_user_unseen_in_training_is_the_unknown_one(
    prepared: Prepared, movies: MovieEmbedding, examples: Arrays
) -> None:
    layer = FeatureEmbedding(FEATURES, prepared.schema, movies)
    shown = {**examples, "user_id": np.full(64, prepared.schema.known_users + 1, np.int32)}
    nobody = {**examples, "user_id": np.zeros(64, np.int32)}
    np.testing.assert_array_equal(layer(shown).embeddings["user_id"], layer(nobody).embeddings["user_id"])
    somebody = layer({**examples, "user_id": np.ones(64, np.int32)}).embeddings["user_id"]
    assert not np.allclose(somebody, layer(nobody).embeddings["user_id"])


def test_a_movie_unseen_in_training_is_its_content_alone(prepared: Prepared, movies: MovieEmbedding) -> None:
    unseen = prepared.schema.num_movies
    assert unseen > prepared.schema.known_movies
    movies(tf.constant([1]))
    content = movies.content[unseen] @ movies.projection.kernel.numpy()
    expected = movies.id.embeddings.numpy()[0] + content
    np.testing.assert_allclose(movies(tf.constant([unseen]))[0], expected, atol=1e-6)


def test_numeric_columns_are_standardised_and_missing_ones_are_the_mean(
    prepared: Prepared, movies: MovieEmbedding, examples: Arrays
) -> None:
    layer = FeatureEmbedding(FEATURES, prepared.schema, movies)
    numeric = [feature.name for feature in FEATURES if feature.kind == "numeric"]
    shown = {
        **examples,
        "user_mean": np.full(64, np.nan, np.float32),
        "user_count": np.full(64, 7.0, np.float32),
    }
    found = layer(shown).numeric.numpy()
    np.testing.assert_array_equal(found[:, numeric.index("user_mean")], 0)
    mean, stddev = prepared.schema.numeric["user_count"]
    np.testing.assert_allclose(found[:, numeric.index("user_count")], (np.log(8) - mean) / stddev, rtol=1e-5)
    assert np.isfinite(found).all()


def test_deviations_lose_the_users_own_mean(
    prepared: Prepared, movies: MovieEmbedding, examples: Arrays
) -> None:
    history = FeatureEmbedding(FEATURES, prepared.schema, movies)(examples).history
    row = int(np.argmax((examples["history_movies"] > 0).sum(1)))
    n = int((examples["history_movies"][row] > 0).sum())
    mine = examples["history_deviations"][row, :n]
    np.testing.assert_allclose(history.deviations[row, :n], mine - mine.sum() / (n + 1), atol=1e-6)
    assert not np.any(history.deviations[row, n:])


def test_forgotten_users_look_like_new_people_and_only_in_training(
    prepared: Prepared, movies: MovieEmbedding, examples: Arrays
) -> None:
    layer = FeatureEmbedding(FEATURES, prepared.schema, movies, unknown_user_rate=0.999999)
    new = dict(examples)
    for feature in FEATURES:
        for column in feature.columns:
            if feature.source == "user_history" or feature.name == "user_id":
                missing = np.nan if feature.kind == "numeric" and column != "user_count" else 0
                new[column] = np.full_like(examples[column], missing)
    forgotten, expected = layer(layer.forget(examples)), layer(new)
    np.testing.assert_array_equal(forgotten.numeric, expected.numeric)
    np.testing.assert_array_equal(forgotten.history.mask, expected.history.mask)
    for name, value in expected.embeddings.items():
        np.testing.assert_array_equal(forgotten.embeddings[name], value)
    assert np.any(layer(examples).history.mask)
    np.testing.assert_allclose(
        layer(examples).embeddings["gender"], forgotten.embeddings["gender"]
    )  # who somebody is, is known of new people too


def test_lists_are_averaged_without_padding(
    prepared: Prepared, movies: MovieEmbedding, examples: Arrays
) -> None:
    layer = FeatureEmbedding(FEATURES, prepared.schema, movies)
    genres = np.zeros_like(examples["genres"])
    genres[0, :2] = [1, 3]
    found = layer({**examples, "genres": genres}).embeddings["genres"].numpy()
    table = layer.tables["genre"].embeddings.numpy()
    np.testing.assert_allclose(found[0], (table[1] + table[3]) / 2, atol=1e-6)
    np.testing.assert_array_equal(found[1], np.zeros(4))


def test_indices_are_those_of_tables_and_zero_for_what_training_has_not_seen(
    prepared: Prepared, movies: MovieEmbedding, examples: Arrays
) -> None:
    schema = prepared.schema
    liked = np.zeros_like(examples["liked_movies"])
    liked[:, :2] = [schema.known_movies, schema.known_movies + 1]
    unseen = {
        **examples,
        "user_id": np.full(64, schema.known_users + 1, np.int32),
        "movie_id": np.full(64, schema.known_movies + 1, np.int32),
        "liked_movies": liked,
    }
    layer = FeatureEmbedding(FEATURES, schema, movies)
    indices = layer(unseen).indices
    assert not np.any(indices["user_id"])
    assert not np.any(indices["movie_id"])
    np.testing.assert_array_equal(indices["liked_movies"][0, :2], [schema.known_movies, 0])
    for name in ("gender", "occupation", "genres", "top_genres"):
        np.testing.assert_array_equal(indices[name], examples[name])


def test_the_spec_says_what_the_layer_returns(
    prepared: Prepared, movies: MovieEmbedding, examples: Arrays
) -> None:
    layer = FeatureEmbedding(FEATURES, prepared.schema, movies)
    spec, embedded = layer.spec, layer(examples)
    assert spec.embedding_size == 4
    assert spec.features == FEATURES
    assert set(spec.rows) == set(embedded.indices) == set(embedded.embeddings)
    everything = layer(prepared.examples("train", FEATURES)).indices
    for name, rows in spec.rows.items():
        assert tf.reduce_max(everything[name]) < rows
    training = prepared.interactions.part("train")
    assert spec.rows["user_id"] == len(np.unique(training.user)) + 1
    assert spec.rows["movie_id"] == spec.rows["liked_movies"] == len(np.unique(training.movie)) + 1
