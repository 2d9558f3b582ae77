"""Hyper-parameters as SageMaker passes them, `--name value`, to settings as the command line takes them."""

from __future__ import annotations

from collections.abc import Sequence

from recommender.config import TrainingSettings
from recommender.errors import ConfigError

# What SageMaker's estimators add of their own: a place in S3 that nothing is written to here.
IGNORED = {"model_dir"}
TOP_LEVEL = ("seed", "preset")


def assignments(arguments: Sequence[str]) -> list[str]:
    """Hyper-parameters as `KEY=VALUE`.

    `--training.epochs 20` names a key as the settings file does, `--learning-rate 0.003` one of its section
    `training`; `-` and `_` are the same, and `--name=value` is `--name value`. Raises `ConfigError`.
    """
    words = [part for word in arguments for part in _split(word)]
    found = []
    for name, value in zip(words[::2], words[1::2], strict=False):
        key = _key(name)
        if key.rpartition(".")[2] not in IGNORED:
            found.append(f"{key}={value}")
    if len(words) % 2:
        raise ConfigError(f"{words[-1]}: expected --NAME VALUE, as in --epochs 20")
    return found


def _split(word: str) -> list[str]:
    name, equals, value = word.partition("=")
    return [name, value] if word.startswith("--") and equals else [word]


def _key(name: str) -> str:
    key = name.removeprefix("--").replace("-", "_")
    if not name.startswith("--") or not key:
        raise ConfigError(f"{name}: expected --NAME VALUE, as in --epochs 20")
    if "." in key or key in TOP_LEVEL or key in IGNORED:
        return key
    if key in TrainingSettings.model_fields:
        return f"training.{key}"
    known = ", ".join(f"--{field}" for field in (*TOP_LEVEL, *TrainingSettings.model_fields))
    raise ConfigError(
        f"{name}: unknown hyper-parameter; there are {known} and every key of the settings, "
        "as in --ranking.embedding_size"
    )
