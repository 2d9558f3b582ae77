"""Channels: where the candidates of a list come from, one a file."""

from __future__ import annotations

from importlib import resources

# Files here that hold no channel.
OTHERS = ("channel", "neighbours", "orders")


def channel_names() -> list[str]:
    """Names that the key `channels` of a variant takes, without importing any channel."""
    folder = resources.files("recommender.app.candidates")
    names = (entry.name.removesuffix(".py") for entry in folder.iterdir() if entry.name.endswith(".py"))
    return sorted(name for name in names if name not in (*OTHERS, "__init__"))
