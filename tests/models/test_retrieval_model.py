from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import two_groups

from recommender.errors import ConfigError
from recommender.models.item_to_item_prior import PairTable
from recommender.models.retrieval import RetrievalModel

MOVIES, KNOWN = two_groups.MOVIES, two_groups.SCHEMA.known_movies


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
    return model.scores(columns).numpy()[:, 1:]


def questions(rows: dict[str, np.ndarray]) -> list[tuple[int, int, int, list[int]]]:
    """(row, position, target, movies rated by then) of everything that a batch asks."""
    return [
        (row, position, target, list(movies[:position]))
        for row, movies in enumerate(rows["movies"])
        for position, (target, *_) in enumerate(rows["targets"][row])
        if target
    ]


def logits(model: RetrievalModel, rows: dict[str, np.ndarray]) -> np.ndarray:
    """`(rows, length + 1, movies + 1)`, one inner product at a time."""
    (tower,), (vectors,) = model.towers, model(rows)
    found = np.zeros((*vectors.shape[:2], MOVIES + 1))
    for movie in range(1, MOVIES + 1):
        vector = tower.movie_tower(np.array([movie]))[0].numpy()
        found[:, :, movie] = vectors.numpy() @ vector / tower.temperature
        found[:, :, movie] += tower.bias.numpy()[movie if movie <= KNOWN else 0]
    return found


@pytest.mark.parametrize("temperature", [1.0, 0.3])
def test_the_loss_is_the_softmax_over_known_movies_that_the_user_has_not_rated(temperature: float) -> None:
    model, rows = compiled(temperature=temperature), two_groups.stretches(20)
    found, losses = logits(model, rows), []
    for row, position, target, seen in questions(rows):
        candidates = [movie for movie in range(1, KNOWN + 1) if movie not in seen]
        of = found[row, position]
        losses.append(np.log(np.exp(of[candidates]).sum()) - of[target])
    assert float(model.compute_loss(rows)) == pytest.approx(np.mean(losses), rel=1e-4)


def test_several_right_answers_share_the_loss() -> None:
    model, rows = compiled(), two_groups.stretches(12)
    later = np.pad(rows["targets"][:, 1:], [[0, 0], [0, 1], [0, 0]])
    both = rows | {"targets": np.concatenate([rows["targets"], later], axis=2)}
    one, other = float(model.compute_loss(rows)), 0.0
    found, count = logits(model, rows), 0
    for row, position, _, seen in questions(rows):
        candidates = [movie for movie in range(1, KNOWN + 1) if movie not in seen]
        total = np.log(np.exp(found[row, position, candidates]).sum())
        for target in both["targets"][row, position]:
            other += (total - found[row, position, target]) * (target > 0)
            count += target > 0
    assert float(model.compute_loss(both)) == pytest.approx(other / count, rel=1e-4)
    assert float(model.compute_loss(both)) != pytest.approx(one, rel=1e-3)


def test_sampled_negatives_estimate_the_softmax_over_the_whole_catalogue() -> None:
    """Also where a movie is expected many times in a batch: the correction must not be cut off there."""
    rows = two_groups.stretches(700)
    targets = rows["targets"][rows["targets"] > 0]
    counts = np.bincount(targets, minlength=MOVIES + 1)[1:]
    tf.keras.utils.set_random_seed(7)
    model = two_groups.model(counts, negatives=2000, softmax="sampled", temperature=0.5)
    found, losses = logits(model, rows), []
    for row, position, target, seen in questions(rows):
        candidates = [movie for movie in range(1, KNOWN + 1) if movie not in seen and movie != target]
        expected = counts[target - 1] + 2000 / KNOWN
        own = np.exp(found[row, position, target]) / expected
        losses.append(np.log(own + np.exp(found[row, position, candidates]).sum()) - np.log(own))
    assert float(model.compute_loss(rows)) == pytest.approx(np.mean(losses), rel=0.005)


def test_of_hard_negatives_only_the_best_scored_count() -> None:
    rows = two_groups.stretches(700)
    asked = rows["targets"][rows["targets"] > 0]
    counts = np.bincount(asked, minlength=MOVIES + 1)[1:]
    model = two_groups.model(counts, negatives=2000, softmax="sampled", hard_negatives=1)
    expected = np.append(0, len(asked) * counts / counts.sum()) + 2000 / KNOWN
    corrected, losses = logits(model, rows) - np.log(expected), []
    for row, position, target, seen in questions(rows):
        others = [movie for movie in range(1, KNOWN + 1) if movie not in seen and movie != target]
        found = corrected[row, position]
        losses.append(np.log1p(np.exp(found[others].max() - found[target])))
    assert float(model.compute_loss(rows)) == pytest.approx(np.mean(losses), rel=1e-4)


def test_a_movie_without_training_ratings_is_no_negative() -> None:
    for softmax in ("full", "sampled"):
        model, rows = compiled(softmax=softmax, negatives=500), two_groups.stretches(8)
        rows["movies"][rows["movies"] == 0] = 1  # padding is embedded as the unknown movie, but asks nothing
        with tf.GradientTape() as tape:
            loss = model.compute_loss(rows)
        table = model.towers[0].movie_tower.id.embeddings
        gradient = tf.convert_to_tensor(tape.gradient(loss, table)).numpy()
        assert gradient[1 : KNOWN + 1].any(axis=1).all()
        assert not gradient[0].any()


@pytest.mark.slow
@pytest.mark.parametrize("encoder", ["gru", "transformer", "pooled"])
def test_ten_rows_can_be_learned_by_heart(encoder: str) -> None:
    model, rows = compiled(history_encoder=[encoder]), two_groups.stretches(10, seed=3)
    losses = step(model, rows, 60)
    assert losses[-1] < 0.5 * losses[0]


@pytest.fixture(scope="module")
def trained() -> RetrievalModel:
    """Odd movies have five times the ratings of even ones."""
    model = compiled(user_features=["user_id", "history"], unknown_user_rate=0.3)
    rows = two_groups.stretches(300)
    odd = rows["user_id"] % 2 == 0  # index = code + 1
    kept = odd | (np.arange(300) % 5 == 0)
    step(model, {name: column[kept] for name, column in rows.items()}, 40)
    return model


def test_recommends_movies_of_the_users_own_colour(trained: RetrievalModel) -> None:
    everybody = two_groups.users(
        np.arange(two_groups.USERS), [[code % 2] for code in range(two_groups.USERS)]
    )
    top = np.argsort(-scores(trained, everybody), axis=1)[:, :5]
    assert (top % 2 == np.arange(two_groups.USERS)[:, np.newaxis] % 2).all()


def test_a_new_user_is_known_by_their_history(trained: RetrievalModel) -> None:
    new = two_groups.users(np.array([-1, -1]), [[2, 4, 6], [3, 5, 7]])
    top = np.argsort(-scores(trained, new), axis=1)[:, :3]
    assert (top % 2 == [[0, 0, 0], [1, 1, 1]]).all()


def test_a_new_user_without_history_is_told_what_is_popular(trained: RetrievalModel) -> None:
    new = two_groups.users(np.array([-1]), [[]])
    assert (np.argsort(-scores(trained, new)[0])[:5] % 2 == 1).all()


def test_scores_are_those_after_the_last_rating() -> None:
    model, rows = compiled(), two_groups.stretches(3)
    asked = two_groups.users(rows["user_id"] - 1, [list(movies[:4][::-1] - 1) for movies in rows["movies"]])
    np.testing.assert_allclose(scores(model, asked), logits(model, rows)[:, 4, 1:], atol=1e-5)


def test_some_movies_alone_get_the_scores_that_they_have_among_all() -> None:
    pairs = np.pad(np.random.default_rng(1).random((MOVIES, MOVIES)).astype(np.float32), [[1, 0], [1, 0]])
    settings = two_groups.retrieval_settings(history_encoder=["gru", "pooled"], priors=["ease", "rated_last"])
    prior = {"ease": PairTable(pairs, decay=1.0, mean=False, smallest=0.1), "rated_last": 1 + pairs[3]}
    model = RetrievalModel(settings, two_groups.SCHEMA, two_groups.CONTENT, two_groups.COUNTS, prior)
    model.mixture.assign([0.5, 0.3, 0.7, 1.2])
    columns = two_groups.users(np.arange(2), [[3, 5], [2]])
    some = np.array([7, 2, 2, 5], np.int32)
    of_some = model.scores(columns, movies=some).numpy()
    np.testing.assert_allclose(of_some, model.scores(columns).numpy()[:, some], rtol=1e-5)


def test_several_towers_and_priors_are_added_by_their_weights() -> None:
    pairs = np.random.default_rng(1).random((MOVIES + 1, MOVIES + 1)).astype(np.float32)
    pairs[0], pairs[:, 0] = 0, 0
    names = ["ease", "rated_last"]
    settings = two_groups.retrieval_settings(history_encoder=["gru", "pooled"], priors=names)
    ease, lifts = PairTable(pairs, decay=1.0, mean=False, smallest=0.1), 1 + pairs[3]
    priors = dict(zip(names, (ease, lifts), strict=True))
    model = RetrievalModel(settings, two_groups.SCHEMA, two_groups.CONTENT, two_groups.COUNTS, priors)
    columns = two_groups.users(np.arange(2), [[3, 5], [2]])
    said = model.experts(columns).numpy()[:, :, 1:]
    np.testing.assert_allclose(model.mixture, [0.5, 0.5, 0.0, 0.0])
    np.testing.assert_allclose(
        np.exp(said[2]), np.array([pairs[4, 1:] + pairs[6, 1:], pairs[3, 1:]]) + 0.1, rtol=1e-5
    )
    np.testing.assert_allclose(np.exp(said[3]), [lifts[1:]] * 2, rtol=1e-5)
    for weights in ([0.5, 0.5, 0.0, 0.0], [0.2, 0.9, 1.5, 0.3]):
        model.mixture.assign(weights)
        np.testing.assert_allclose(
            scores(model, columns), np.tensordot(weights, said, 1), rtol=1e-4, atol=1e-5
        )
    assert model.user_vectors(columns).shape == (2, 16)
    assert model.movie_vectors(np.arange(5)).shape == (5, 16)


def test_the_saved_weights_give_the_same_answer(tmp_path: Path) -> None:
    rows, columns = two_groups.stretches(16), two_groups.users(np.arange(3), [[3], [2, 4], []])
    model = compiled(history_encoder=["gru", "transformer"])
    step(model, rows, 2)
    path = tf.train.Checkpoint(model=model).write(str(tmp_path / "weights"))
    loaded = two_groups.model(history_encoder=["gru", "transformer"])
    loaded(rows)
    assert not np.allclose(scores(loaded, columns), scores(model, columns))
    tf.train.Checkpoint(model=loaded).read(path).assert_existing_objects_matched()
    np.testing.assert_array_equal(scores(loaded, columns), scores(model, columns))


def test_the_same_seed_gives_the_same_losses() -> None:
    rows = two_groups.stretches(32)
    first, second = (step(compiled(dropout=0.2, unknown_user_rate=0.3), rows, 3) for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"movie_features": ["movie_mean"]}, "retrieval.movie_features: .*'movie_mean'"),
        ({"movie_features": ["user_id"]}, "retrieval.movie_features: .*'user_id'"),
    ],
)
def test_a_feature_that_a_tower_cannot_have_is_an_error(options: dict[str, list[str]], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        two_groups.model(**options)
