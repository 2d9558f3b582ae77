"""Vectors of movies by item2vec and by DeepWalk: known groups come out, and one seed gives one result."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys

import numpy as np
import pytest

from recommender.errors import ConfigError
from recommender.similarity import METHODS
from recommender.similarity.deepwalk import deepwalk
from recommender.similarity.item2vec import item2vec
from recommender.similarity.liked_sequences import LikedSequences
from recommender.similarity.methods import STEPS, Known, check_methods, similar_movies
from recommender.similarity.neighbours import nearest
from recommender.similarity.transition_graph import TransitionGraph

DIGEST = """
import sys
import hashlib
import numpy as np
from recommender.similarity.deepwalk import deepwalk
from recommender.similarity.item2vec import item2vec
from recommender.similarity.liked_sequences import LikedSequences
from recommender.similarity.transition_graph import TransitionGraph
movies = np.random.default_rng(1).integers(0, 30, 900).astype(np.int32)
liked = LikedSequences(movies, np.arange(9, 901, 9))
graph = TransitionGraph.of(liked, 30)
for vectors in (item2vec(liked, 30, seed=3, epochs=2), deepwalk(graph, seed=3, epochs=1)):
    print(hashlib.sha256(vectors.tobytes()).hexdigest())
"""


def vectors_by(method: str, ratings, seed: int = 1) -> np.ndarray:
    liked = LikedSequences.of(ratings, 4.0)
    if method == "item2vec":
        return item2vec(liked, ratings.num_movies, seed=seed, size=16, epochs=20)
    return deepwalk(TransitionGraph.of(liked, ratings.num_movies), seed=seed, size=16, epochs=10, window=5)


@pytest.mark.parametrize("method", ["item2vec", "graph"])
def test_movies_liked_by_the_same_people_are_each_others_neighbours(two_tastes, method: str) -> None:
    found = nearest(vectors_by(method, two_tastes), length=9)
    for movie in range(20):
        group = set(range(10 * (movie // 10), 10 * (movie // 10) + 10))
        assert set(found.codes[movie].tolist()) == group - {movie}


@pytest.mark.parametrize("method", ["item2vec", "graph"])
def test_a_movie_that_nobody_or_one_alone_liked_has_no_vector(two_tastes, method: str) -> None:
    vectors = vectors_by(method, two_tastes)
    assert vectors.dtype == np.float32
    assert vectors.shape == (22, 16)
    assert not vectors[20:].any()
    assert vectors[:20].any(axis=1).all()


def test_without_likes_nobody_has_a_vector(make_ratings) -> None:
    nothing = make_ratings([(0, 0, 1.0, 1)], 1, 3)
    for method in ("item2vec", "graph"):
        assert not vectors_by(method, nothing).any()


@pytest.mark.parametrize("method", ["item2vec", "graph"])
def test_another_seed_gives_other_vectors(two_tastes, method: str) -> None:
    assert not np.array_equal(vectors_by(method, two_tastes, 1), vectors_by(method, two_tastes, 2))


def test_one_seed_gives_the_same_bytes_in_processes_that_hash_texts_differently() -> None:
    answers = set()
    for hash_seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        command = [sys.executable, "-c", DIGEST]
        answers.add(subprocess.run(command, env=environment, capture_output=True, check=True).stdout)
    assert len(answers) == 1
    lines = next(iter(answers)).split()
    assert [len(line) for line in lines] == [2 * hashlib.sha256().digest_size] * 2


@pytest.mark.parametrize("method", METHODS)
def test_every_method_gives_a_table_and_says_how_far_it_is(prepared, method: str) -> None:
    known = Known.of(prepared, prepared.interactions)
    steps: list[None] = []
    found = similar_movies(method, known, seed=1, on_step=lambda: steps.append(None))
    assert len(steps) == STEPS[method]
    assert found.codes.shape == found.scores.shape == (80, 50)
    assert (found.codes != np.arange(80)[:, np.newaxis]).all()
    assert (np.diff(found.scores, axis=1) <= 0).all()
    assert (found.codes[:, 0] >= 0).mean() > 0.5


def test_another_name_is_no_method() -> None:
    check_methods(METHODS)
    with pytest.raises(ConfigError, match="similar: must be of item2vec, graph, genre, received 'magic'"):
        check_methods(["graph", "magic"])
