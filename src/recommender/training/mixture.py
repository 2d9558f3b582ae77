"""How much each expert of a retrieval model weighs: a few numbers, by maximum likelihood."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse import csr_array

from recommender.data.interactions import Interactions
from recommender.data.prepared import Snapshot
from recommender.models.retrieval import RetrievalModel
from recommender.training.any_users import for_any_users

MOST_SCORES = 2**24  # of each expert: 64 MiB. More users than fit are left out by chance.
BLOCK = 256  # users asked at once


def fit_mixture(
    model: RetrievalModel, snapshot: Snapshot, known: Interactions, held_out: Interactions, seed: int
) -> None:
    """Give `model.mixture` the weights under which `held_out` is most likely, none below 0.

    `known` movies are no candidates; every user counts the same. The ratings must be others than those that
    the experts were fitted on. With one expert there is nothing to weigh.
    """
    if model.mixture.shape[0] == 1:
        return
    users = np.unique(held_out.user)
    most = max(1, MOST_SCORES // held_out.num_movies)
    users = np.sort(np.random.default_rng(seed).permutation(users)[:most])
    weights = most_likely_weights(
        _ask(model, snapshot, users), known.matrix()[users], held_out.matrix()[users], model.mixture.numpy()
    )
    model.mixture.assign(weights)


def _ask(model: RetrievalModel, snapshot: Snapshot, users: NDArray[np.integer]) -> NDArray[np.float32]:
    """What each expert says: `(experts, len(users), num_movies)`."""
    experts = for_any_users(model.experts, snapshot.users)
    blocks = []
    for start in range(0, len(users), BLOCK):
        block = users[start : start + BLOCK]
        columns = {name: tf.constant(column[block]) for name, column in snapshot.users.items()}
        blocks.append(experts(columns).numpy()[:, :, 1:])
    return np.concatenate(blocks, axis=1)


def most_likely_weights(
    experts: NDArray[np.float32], known: csr_array, held_out: csr_array, first: NDArray[np.floating]
) -> NDArray[np.float64]:
    """The weights `(experts,)`, at least 0, of the highest mean log-probability of what is held out.

    `experts` `(experts, users, num_movies)`; `known` and `held_out` `(users, num_movies)`, the latter with
    something in each row. Log-linear pooling; a convex problem, solved by L-BFGS-B from `first`.
    """
    share = held_out.toarray()
    share /= share.sum(axis=1, keepdims=True)
    excluded = known.toarray() > 0
    wanted = np.einsum(
        "eum,um->e", experts, share
    )  # of the log-probabilities, what does not depend on weights

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        scores = np.tensordot(weights.astype(np.float32), experts, 1)
        scores[excluded] = -np.inf
        scores -= scores.max(axis=1, keepdims=True)
        probability = np.exp(scores)
        total = probability.sum(axis=1, keepdims=True)
        scores[excluded] = 0
        likelihood = np.sum(share * scores) - np.log(total).sum()
        gradient = wanted - np.einsum("eum,um->e", experts, probability / total)
        return -likelihood / len(share), -gradient / len(share)

    return minimize(loss, first, jac=True, method="L-BFGS-B", bounds=[(0, None)] * len(first)).x
