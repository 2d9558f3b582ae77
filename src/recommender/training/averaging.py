"""Moving averages of weights: what a noisy optimizer circles around, rather than where it stands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import tensorflow as tf


class AveragedWeights(tf.Module):
    """Exponential moving averages of weights (Polyak and Juditsky 1992).

    After step t, average = d * average + (1 - d) * weight with d = min(decay, t / (t + 9)), so that the first
    steps are not held back by where the weights began. With decay 0 the averages are the weights.
    """

    def __init__(self, weights: Sequence[tf.Variable], decay: float) -> None:
        super().__init__()
        self.weights = list(weights)
        self.decay = decay
        self.averages = self.weights  # copies cost as much as a step where tables are large
        if decay:
            self.averages = [tf.Variable(weight, trainable=False) for weight in weights]
        self.steps = tf.Variable(0, dtype=tf.int64, trainable=False)

    @tf.function
    def update(self) -> None:
        """Take one more step's weights in."""
        self.steps.assign_add(1)
        if not self.decay:
            return
        steps = tf.cast(self.steps, tf.float32)
        decay = tf.minimum(self.decay, steps / (steps + 9.0))
        for average, weight in zip(self.averages, self.weights, strict=True):
            average.assign_add((1.0 - decay) * (weight - average))

    @contextmanager
    def applied(self) -> Iterator[None]:
        """The model with its averages for weights; ends with the weights as they were."""
        if not self.decay:
            yield
            return
        kept = [weight.numpy() for weight in self.weights]
        for weight, average in zip(self.weights, self.averages, strict=True):
            weight.assign(average)
        try:
            yield
        finally:
            for weight, value in zip(self.weights, kept, strict=True):
                weight.assign(value)
