"""Parts of a graph that are traced once, however often they are used."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

Function = Callable[..., tf.Tensor]


def traced_once(function: Function) -> Function:
    """The same function as one node of the graph, which holds its body once for all callers.

    The result is a plain function: an attribute that is a `tf.function` would be saved a second time by
    itself.
    """
    traced = tf.function(function)
    return lambda *arguments: traced(*arguments)
