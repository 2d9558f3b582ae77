from pathlib import Path

import pytest

from recommender.errors import RecommenderError
from recommender.exported import ExportedModel, ScoredMovie

tf = pytest.importorskip("tensorflow")
TITLES = {"1": "Toy Story (1995)", "2": "Heat (1995)", "3": "Alien (1979)"}


class Small(tf.Module):
    """A model with a known answer: all movies in order, as many as asked for, padded to four."""

    def answer(self, k: object, known: object) -> dict[str, object]:
        rows = tf.range(4)
        there = (rows < k) & (rows < 3) & known
        return {
            "movie_ids": tf.where(there, tf.constant([*TITLES, ""]), "")[tf.newaxis],
            "titles": tf.where(there, tf.constant([*TITLES.values(), ""]), "")[tf.newaxis],
            "scores": tf.cast(4 - rows, tf.float32)[tf.newaxis],
        }

    @tf.function(
        input_signature=[
            tf.TensorSpec([None], tf.string, "user_id"),
            tf.TensorSpec([None, None], tf.string, "exclude"),
            tf.TensorSpec([], tf.int32, "k"),
        ]
    )
    def recommend(self, user_id: object, exclude: object, k: object) -> dict[str, object]:
        return self.answer(k, tf.reduce_all(tf.equal(exclude, "")))

    @tf.function(
        input_signature=[
            tf.TensorSpec([None], tf.string, "movie"),
            tf.TensorSpec([], tf.int32, "k"),
        ]
    )
    def similar_movies(self, movie: object, k: object) -> dict[str, object]:
        return self.answer(k, tf.equal(movie, "1")[0] | tf.equal(movie, "Toy Story (1995)")[0])


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> ExportedModel:
    folder = tmp_path_factory.mktemp("versions") / "1"
    small = Small()
    signatures = {"recommend": small.recommend, "similar_movies": small.similar_movies}
    tf.saved_model.save(small, str(folder), signatures=signatures)
    return ExportedModel(folder)


def test_recommended_movies_come_best_first_without_the_padding(model: ExportedModel) -> None:
    assert model.recommend("42", 2) == [
        ScoredMovie("1", "Toy Story (1995)", 4.0),
        ScoredMovie("2", "Heat (1995)", 3.0),
    ]
    assert len(model.recommend("42", 10)) == 3


@pytest.mark.parametrize("movie", ["1", "Toy Story (1995)"])
def test_similar_movies_are_found_by_title_and_by_id(model: ExportedModel, movie: str) -> None:
    assert [found.movie_id for found in model.similar(movie, 3)] == ["1", "2", "3"]


def test_a_movie_that_the_model_does_not_know_is_an_error_that_names_it(model: ExportedModel) -> None:
    with pytest.raises(RecommenderError, match="no movie with the title or id 'Nix' is in the model"):
        model.similar("Nix")


def test_a_folder_without_a_model_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RecommenderError, match="no SavedModel that can be loaded"):
        ExportedModel(tmp_path)
