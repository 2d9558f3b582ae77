from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import two_groups

from recommender.errors import ConfigError
from recommender.models.retrieval import RetrievalModel


def compiled(**options: object) -> RetrievalModel:
    tf.keras.utils.set_random_seed(7)
    model = two_groups.model(**options)
    model.compile(optimizer=tf.keras.optimizers.Adam(0.03))
    return model


def step(model: RetrievalModel, rows: dict[str, np.ndarray], times: int) -> list[float]:
    """The losses of `times` steps over the same batch."""
    batch = {name: tf.constant(column) for name, column in rows.items()}
    return [float(model.train_step(batch)["loss"]) for _ in range(times)]


def scores(model: RetrievalModel, columns: dict[str, np.ndarray]) -> np.ndarray:
    return (
        model.user_tower(columns).numpy() @ model.movie_tower(np.arange(1, two_groups.MOVIES + 1)).numpy().T
    )


def slow_loss(model: RetrievalModel, rows: dict[str, np.ndarray], temperature: float) -> float:
    """The mean loss of in-batch negatives, one row and one candidate at a time."""
    share = two_groups.COUNTS / two_groups.COUNTS.sum()
    logits = scores(model, rows) / temperature
    positives, losses = rows["movie_id"], []
    for row, positive in enumerate(positives):
        corrected = [logits[row, positive - 1] - np.log(share[positive - 1])]
        for candidate in np.delete(positives, row):
            if candidate != positive and candidate not in rows["history_movies"][row]:
                corrected.append(logits[row, candidate - 1] - np.log(share[candidate - 1]))
        losses.append(np.log(np.exp(corrected).sum()) - corrected[0])
    return float(np.mean(losses))


@pytest.mark.parametrize("temperature", [1.0, 0.3])
def test_the_loss_is_the_corrected_softmax_over_movies_that_the_user_has_not_seen(temperature: float) -> None:
    model = compiled(negatives=0, temperature=temperature)
    rows = two_groups.rated_pairs(40)
    assert float(model.compute_loss(rows)) == pytest.approx(slow_loss(model, rows, temperature), rel=1e-4)


def test_l2_adds_half_the_squared_length_of_the_vectors_per_row() -> None:
    rows = two_groups.rated_pairs(40)
    plain, decayed = compiled(negatives=0), compiled(negatives=0, l2=0.1)
    user, movie = (vectors.numpy() for vectors in plain(rows))
    decayed(rows)
    decayed.set_weights(plain.get_weights())
    penalty = 0.1 * ((user**2).sum() + (movie**2).sum()) / 2 / 40
    assert float(decayed.compute_loss(rows)) == pytest.approx(
        float(plain.compute_loss(rows)) + penalty, rel=1e-4
    )


def test_sampled_negatives_estimate_the_softmax_over_the_whole_catalogue() -> None:
    """Also where a movie is expected many times in a batch: the correction must not be cut off there."""
    rows = two_groups.rated_pairs(3000)
    popular = (rows["movie_id"] <= 4) | (np.arange(3000) % 6 == 0)
    rows = {name: column[popular] for name, column in rows.items()}
    counts = np.bincount(rows["movie_id"] - 1, minlength=two_groups.MOVIES)
    tf.keras.utils.set_random_seed(7)
    model = two_groups.model(counts, negatives=300)
    known = scores(model, rows)[:, : two_groups.SCHEMA.known_movies]
    expected_count = counts[: known.shape[1]] + 300 / known.shape[1]
    losses = []
    for row, positive in enumerate(rows["movie_id"] - 1):
        seen = rows["history_movies"][row] - 1
        others = np.setdiff1d(np.arange(known.shape[1]), [*seen, positive])
        own = np.exp(known[row, positive]) / expected_count[positive]
        losses.append(np.log(own + np.exp(known[row, others]).sum()) - np.log(own))
    assert float(model.compute_loss(rows)) == pytest.approx(np.mean(losses), rel=0.005)


def test_a_movie_without_training_ratings_is_never_drawn_as_a_negative() -> None:
    model = compiled(negatives=500)
    with tf.GradientTape() as tape:
        loss = model.compute_loss(two_groups.rated_pairs(8))
    gradient = tf.convert_to_tensor(tape.gradient(loss, model.movie_tower.id.embeddings)).numpy()
    assert gradient[1 : two_groups.SCHEMA.known_movies + 1].any(axis=1).all()
    tower = compiled(negatives=500, user_features=["user_id"])
    with tf.GradientTape() as tape:
        loss = tower.compute_loss(two_groups.rated_pairs(8))
    assert not tf.convert_to_tensor(tape.gradient(loss, tower.movie_tower.id.embeddings)).numpy()[0].any()


def test_a_handful_of_rows_can_be_learned_by_heart() -> None:
    model = compiled()
    rows = {name: column[:6] for name, column in two_groups.rated_pairs(6, seed=3).items()}
    losses = step(model, rows, 30)
    assert losses[-1] < 0.5 * losses[0]


@pytest.fixture(scope="module")
def trained() -> RetrievalModel:
    """Trained with some users hidden; odd movies have five times the ratings of even ones."""
    model = compiled(unknown_user_rate=0.3)
    rows = two_groups.rated_pairs(600)
    odd = rows["user_id"] % 2 == 0  # index = code + 1
    kept = odd | (np.arange(600) % 5 == 0)
    step(model, {name: column[kept] for name, column in rows.items()}, 40)
    return model


def test_recommends_movies_of_the_users_own_colour(trained: RetrievalModel) -> None:
    everybody = two_groups.users(np.arange(two_groups.USERS), [[]] * two_groups.USERS)
    top = np.argsort(-scores(trained, everybody), axis=1)[:, :5]
    assert (top % 2 == np.arange(two_groups.USERS)[:, np.newaxis] % 2).all()


def test_a_new_user_is_known_by_their_history(trained: RetrievalModel) -> None:
    new = two_groups.users(np.array([-1, -1]), [[2, 4, 6], [3, 5, 7]])
    top = np.argsort(-scores(trained, new), axis=1)[:, :3]
    assert (top % 2 == [[0, 0, 0], [1, 1, 1]]).all()


def test_a_new_user_without_history_is_told_what_is_popular(trained: RetrievalModel) -> None:
    new = two_groups.users(np.array([-1]), [[]])
    assert (np.argsort(-scores(trained, new)[0])[:5] % 2 == 1).all()


def test_the_saved_weights_give_the_same_answer(tmp_path: Path) -> None:
    rows = two_groups.rated_pairs(16)
    model = compiled()
    step(model, rows, 2)
    path = tf.train.Checkpoint(model=model).write(str(tmp_path / "weights"))
    loaded = two_groups.model()
    loaded(rows)
    assert not np.allclose(scores(loaded, rows), scores(model, rows))
    tf.train.Checkpoint(model=loaded).read(path).assert_existing_objects_matched()
    np.testing.assert_array_equal(scores(loaded, rows), scores(model, rows))


def test_the_same_seed_gives_the_same_losses() -> None:
    rows = two_groups.rated_pairs(64)
    first, second = (step(compiled(dropout=0.2, unknown_user_rate=0.3), rows, 3) for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"user_features": ["user_id", "shoe_size"]}, "retrieval.user_features: .*'shoe_size'"),
        ({"user_features": ["movie_id"]}, "retrieval.user_features: .*'movie_id'"),
        ({"movie_features": ["movie_mean"]}, "retrieval.movie_features: .*'movie_mean'"),
    ],
)
def test_a_feature_that_a_tower_cannot_have_is_an_error(options: dict[str, list[str]], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        two_groups.model(**options)
