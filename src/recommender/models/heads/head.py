"""The one interface of a ranking head, and the registry by name."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Annotated, Any, ClassVar, Literal, TypeVar, get_type_hints

import tensorflow as tf
from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError

from recommender.config import Positive
from recommender.errors import ConfigError
from recommender.models.embedding import Embedded, EmbeddedSpec
from recommender.models.heads import head_names

HEADS: dict[str, type[Head]] = {}
HeadClass = TypeVar("HeadClass", bound="type[Head]")


def _list(value: object) -> object:
    if not isinstance(value, (list, tuple)):
        raise ValueError("input should be a list of whole numbers")
    return value


Sizes = Annotated[Sequence[Positive], BeforeValidator(_list)]
Penalty = Annotated[float, Field(ge=0)]
Activation = Literal["relu", "swish", "gelu", "elu", "selu", "tanh", "sigmoid", "linear"]


class Head(tf.keras.layers.Layer):
    """Base of every head: subclass it, implement `call`, register it.

    Options are keywords of `__init__` and checked by their annotations; the rest, `spec` among it, goes to
    this class. `spec` says what the head's inputs will hold.
    """

    has_closed_form: ClassVar[bool] = False  # True: `ShrunkDeviations` are not added to its scores
    shares_history: ClassVar[bool] = False  # True: where all rows are one user's, takes the history once

    def __init__(self, spec: EmbeddedSpec | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.spec = spec or EmbeddedSpec((), {}, 0)

    def call(self, inputs: Embedded, training: bool = False) -> tf.Tensor:
        """Score each row of a batch: `(batch,)`, unbounded, 0 = as good as the average.

        Where `shares_history`, the columns of the history may be `(1, length)`, statically, for all rows.
        """
        raise NotImplementedError


def register_head(name: str) -> Callable[[HeadClass], HeadClass]:
    """Class decorator: make a head available as `ranking.head: <name>`."""

    def register(head: HeadClass) -> HeadClass:
        HEADS[name] = head
        return head

    return register


def build_head(name: str, options: Mapping[str, Any], spec: EmbeddedSpec | None = None) -> Head:
    """Make a registered head for inputs of `spec`.

    Raises `ConfigError` for an unknown name, an unknown option or a value that the option cannot have.
    """
    if name not in head_names():
        raise ConfigError(f"ranking.head: must be one of {', '.join(head_names())}, received {name!r}")
    import_module(f"recommender.models.heads.{name}")
    head = HEADS[name]
    _check_options(name, head, options)
    return head(**options, spec=spec, name=name)


def _check_options(name: str, head: type[Head], options: Mapping[str, Any]) -> None:
    hints = get_type_hints(head.__init__, include_extras=True)
    known = [
        option for option in inspect.signature(head.__init__).parameters if option not in ("self", "kwargs")
    ]
    for option, value in options.items():
        if option not in known:
            raise ConfigError(f"ranking.head_options: {name} takes {', '.join(known)}, received {option!r}")
        try:
            TypeAdapter(hints[option]).validate_python(value, strict=True)
        except ValidationError as error:
            rule = error.errors()[0]["msg"].removeprefix("Value error, ")
            raise ConfigError(
                f"ranking.head_options.{option}: {rule[0].lower()}{rule[1:]}, received {value!r}"
            ) from None
