"""How versions are loaded."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """See `Servable` for `check_method_names` and `warm_up` for the others."""

    check_method_names: bool = False
    timeout_ms: int = 0
    signatures: frozenset[str] | None = None
