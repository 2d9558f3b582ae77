"""Which models are served, from where, and which of their versions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True)
class VersionPolicy:
    """Which versions of those in a folder are served: the `count` latest, all, or the `specific` ones."""

    kind: Literal["latest", "all", "specific"] = "latest"
    count: int = 1
    specific: frozenset[int] = frozenset()

    def choose(self, versions: Iterable[int]) -> set[int]:
        """The versions to serve out of those that are there."""
        match self.kind:
            case "latest":
                return set(sorted(versions, reverse=True)[: self.count])
            case "specific":
                return set(self.specific.intersection(versions))
            case "all":
                return set(versions)


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """A model: its name in the API, the folder that holds its versions, and names for some of them."""

    name: str
    base_path: Path
    policy: VersionPolicy = VersionPolicy()
    labels: Mapping[str, int] = field(default_factory=dict)
