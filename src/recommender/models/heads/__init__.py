"""Ranking heads, one a file of its name: each turns embedded features into one score per row."""

import pkgutil


def head_names() -> list[str]:
    """Names that `ranking.head` takes; importing no head, and so no TensorFlow."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__) if module.name != "head")
