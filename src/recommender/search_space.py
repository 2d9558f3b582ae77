"""What tuning searches: settings by their dotted keys, and the values that they may take."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

from recommender.config import Range, Settings, resolve
from recommender.errors import ConfigError

# The search fits the ranking model on data prepared once: other sections change nothing, or what is measured.
SEARCHED = ("training.", "ranking.")
MEASURE = "ranking.objective"
OPTIONS = "ranking.head_options."  # each head takes its own


def check_search_space(settings: Settings, use: Callable[[Settings], object] = lambda _: None) -> None:
    """Raise `ConfigError` where `tuning.ranges` holds a key that is no setting or a value it cannot have.

    `use` may raise for settings that are well formed but of no use, such as options that the head lacks.
    """
    if settings.tuning.trials and not settings.tuning.ranges:
        raise ConfigError("tuning.ranges: must have at least one key when tuning.trials is above 0")
    for key, allowed in settings.tuning.ranges.items():
        if not key.startswith(SEARCHED) or key == MEASURE:
            raise ConfigError(
                f"tuning.ranges.{key}: must be a key under training or ranking, but not {MEASURE}"
            )
        for value in limits(allowed):
            try:
                use(lay_over(settings, {key: value}))
            except ConfigError as error:
                hint = f"; tuning.ranges.{key}=null takes the range away" if key.startswith(OPTIONS) else ""
                raise ConfigError(f"tuning.ranges.{key}: not a possible setting: {error}{hint}") from None


def lay_over(settings: Settings, values: Mapping[str, Any]) -> Settings:
    """`settings` with other values for dotted keys such as `training.learning_rate`; raises `ConfigError`."""
    assignments = [f"{key}={json.dumps(value)}" for key, value in values.items()]
    return resolve(settings.model_dump(mode="json"), assignments, environ={})


def present_values(settings: Settings) -> dict[str, Any]:
    """What the searched keys are set to now, where that is within their ranges."""
    found = {}
    for key, allowed in settings.tuning.ranges.items():
        section: Any = settings.model_dump(mode="json")
        *sections, last = key.split(".")
        for name in sections:
            section = section[name]
        if last in section and contains(allowed, section[last]):
            found[key] = section[last]
    return found


def contains(allowed: Range, value: Any) -> bool:
    """Whether a search of this range could come upon the value."""
    if allowed.choices is not None:
        return value in allowed.choices
    low, high = limits(allowed)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        return False
    steps = (value - low) / allowed.step if allowed.step else 0.0
    return math.isclose(steps, round(steps), abs_tol=1e-9) and (not is_whole(allowed) or value == int(value))


def limits(allowed: Range) -> list[Any]:
    """The lowest and the highest value, or all choices."""
    if allowed.choices is not None:
        return allowed.choices
    kind = int if is_whole(allowed) else float
    return [kind(number) for number in (allowed.low, allowed.high) if number is not None]


def is_whole(allowed: Range) -> bool:
    """Whether a range of numbers holds whole numbers only."""
    return all(isinstance(number, int) for number in (allowed.low, allowed.high, allowed.step or 1))
