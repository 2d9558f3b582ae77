"""Dense layers that multiply in 16 bits while weights, losses and scores stay float32."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf
import tensorflow_recommenders as tfrs

from recommender.models.dense_layers import DenseLayers
from recommender.models.ranking import RankingModel


class LossScaled(tfrs.models.Model):
    """TFRS's training step with a scaled loss, so that small gradients do not vanish in float16.

    The scale is found while training (Micikevicius et al. 2018): a step whose gradients overflow is left out
    and halves it. TFRS's own step takes a `LossScaleOptimizer`, but scales nothing.
    """

    def compile(self, optimizer: tf.keras.optimizers.Optimizer, **kwargs: Any) -> None:
        """As Keras does, with an optimizer that holds the scale."""
        super().compile(optimizer=tf.keras.mixed_precision.LossScaleOptimizer(optimizer), **kwargs)

    def train_step(self, inputs: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """One step; returns the loss as it is without the scale."""
        with tf.GradientTape() as tape:
            loss = self.compute_loss(inputs, training=True)
            total = loss + tf.reduce_sum([tf.reduce_sum(each) for each in self.losses])
            scaled = self.optimizer.get_scaled_loss(total)
        gradients = tape.gradient(scaled, self.trainable_variables)
        gradients = self.optimizer.get_unscaled_gradients(gradients)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
        return {"loss": loss}


class LossScaledRanking(LossScaled, RankingModel):
    """The ranking model for float16."""


def multiply_in(dtype: str, model: RankingModel) -> None:
    """Let the `DenseLayers` of a model that has no weights yet multiply in `dtype`.

    Everything else stays as it is: sums over histories, closed forms and ages in seconds need more bits. The
    dropout after each layer brings its output back to float32.
    """
    policy = f"mixed_{dtype}"
    for layers in model.submodules:
        if isinstance(layers, DenseLayers):
            layers.hidden = [
                type(dense).from_config({**dense.get_config(), "dtype": policy}) for dense in layers.hidden
            ]
