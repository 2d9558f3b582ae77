"""Who gets which variant of an experiment: always the same one, on whatever machine."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

HASH_BYTES = 8


def assign(user_id: str, experiment: str, weights: Mapping[str, float]) -> str:
    """The variant of a user: users are spread over variants in proportion to `weights`, at least one above 0.

    It depends on the user, the experiment's name and the weights in their order, and on nothing else: other
    experiments may come, go and change. The name salts the hash, so that the variant in one experiment says
    nothing of that in another. Changed weights move the users between the old and the new boundaries.
    """
    point = _point(user_id, experiment) * sum(weights.values())
    reached = 0.0
    for variant, weight in weights.items():
        reached += weight
        if point < reached:
            return variant
    return max(weights, key=lambda variant: weights[variant])  # the sum was rounded up


def _point(user_id: str, experiment: str) -> float:
    """Between 0 and 1, as if drawn evenly."""
    # No name of an experiment has a zero byte, so no two pairs are hashed alike.
    salted = experiment.encode() + b"\0" + user_id.encode(errors="surrogatepass")
    digest = hashlib.blake2b(salted, digest_size=HASH_BYTES).digest()
    return int.from_bytes(digest, "big") / 2 ** (8 * HASH_BYTES)
