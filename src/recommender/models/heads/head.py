"""The one interface of a ranking head, and the registry by name."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, TypeVar

import tensorflow as tf

from recommender.errors import ConfigError
from recommender.models.embedding import Embedded
from recommender.models.heads import head_names

HEADS: dict[str, type[Head]] = {}
HeadClass = TypeVar("HeadClass", bound="type[Head]")


class Head(tf.keras.layers.Layer):
    """Base of every head: subclass it, implement `call`, register it; options are keywords of `__init__`."""

    def call(self, inputs: Embedded, training: bool = False) -> tf.Tensor:
        """Score each row of a batch: `(batch,)`, unbounded, 0 = as good as the average."""
        raise NotImplementedError


def register_head(name: str) -> Callable[[HeadClass], HeadClass]:
    """Class decorator: make a head available as `ranking.head: <name>`."""

    def register(head: HeadClass) -> HeadClass:
        HEADS[name] = head
        return head

    return register


def build_head(name: str, options: Mapping[str, Any]) -> Head:
    """Make a registered head; raises `ConfigError` for an unknown name or option."""
    if name not in head_names():
        raise ConfigError(f"ranking.head: must be one of {', '.join(head_names())}, received {name!r}")
    import_module(f"recommender.models.heads.{name}")
    head = HEADS[name]
    known = [
        parameter
        for parameter in inspect.signature(head.__init__).parameters
        if parameter not in ("self", "kwargs")
    ]
    for option in options:
        if option not in known:
            raise ConfigError(f"ranking.head_options: {name} takes {', '.join(known)}, received {option!r}")
    return head(**options, name=name)
