"""Which device computes."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import tensorflow as tf

from recommender.errors import ConfigError


def use_device(device: str) -> None:
    """Let TensorFlow see GPUs, or none where `device` is cpu; raises `ConfigError` for gpu without any.

    Must come before TensorFlow has computed anything.
    """
    gpus = tf.config.list_physical_devices("GPU")
    if device == "cpu":
        tf.config.set_visible_devices([], "GPU")
    elif device == "gpu" and not gpus:
        raise _no_gpu()


def computing_on(device: str) -> AbstractContextManager:
    """Compute within on the first GPU or on the CPU, with auto where TensorFlow chooses; the same error.

    For a process that may have computed before, such as a notebook.
    """
    if device == "gpu" and not tf.config.list_logical_devices("GPU"):
        raise _no_gpu()
    return nullcontext() if device == "auto" else tf.device(device.upper())


def _no_gpu() -> ConfigError:
    return ConfigError("distribution.device: gpu, but TensorFlow sees none on this machine")
