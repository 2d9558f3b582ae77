"""Typed settings of the online recommender: what `recommender app --config FILE KEY=VALUE` reads.

The rules are those of `recommender.config`: an unknown key, a wrong type or an impossible value is one line
naming key, rule and value (`ConfigError`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from recommender.config import (
    Name,
    PathSetting,
    Positive,
    Section,
    check_as,
    merge,
    read_assignments,
    read_yaml,
)

Weight = Annotated[float, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Milliseconds = Annotated[int, Field(ge=1, le=60_000)]

# The names under which platforms hand these addresses to a server.
ENVIRONMENT = {"REDIS_URL": "store", "TF_SERVING_URL": "model.url"}


class ModelSettings(Section):
    """Which model answers: a published version in this process, or a model server's at `url`.

    `threads` are those of TensorFlow in the process of `recommender app`, for one operation and for several
    at once: handing pieces as small as a list's to another thread takes longer than they do.
    """

    name: Name = "recommender"
    models: PathSetting = Path("data/models")
    url: str | None = None
    poll_seconds: Annotated[float, Field(gt=0)] = 5.0
    threads: Positive = 1


class VariantSettings(Section):
    """One way to make a list: how many candidates each channel may give, and what orders them.

    `final` is the order of the two stages together, `prediction` the predicted rating, `channel` the order of
    the channels themselves, without the ranking model.
    """

    channels: dict[str, Positive]
    order: Literal["final", "prediction", "channel"] = "final"


class ExperimentSettings(Section):
    """Which users get which value of what the experiment decides, in proportion to weights."""

    decides: Literal["model", "diversity"]
    variants: dict[str, Weight]

    @model_validator(mode="after")
    def _somebody_gets_something(self) -> ExperimentSettings:
        if not sum(self.variants.values()) > 0:
            raise ValueError(f"variants must have weights of more than 0 in all, received {self.variants}")
        if self.decides == "diversity":
            for value in self.variants:
                check_diversity(value)
        return self


class LimitSettings(Section):
    """What one client may ask for. `requests_per_second` 0 is no limit; `burst` may come at once."""

    body_bytes: Positive = 65_536
    requests_per_second: Weight = 0.0
    burst: Positive = 50


ALL_CHANNELS = {"retrieval": 100, "similar": 30, "genres": 20, "recent": 20, "newest": 5}
VARIANTS = {
    "two_stage": VariantSettings(channels=ALL_CHANNELS),
    "rating": VariantSettings(channels=ALL_CHANNELS, order="prediction"),
    "retrieval": VariantSettings(channels={"retrieval": 200}, order="channel"),
    "popular": VariantSettings(channels={"recent": 200}, order="channel"),
}


class AppSettings(Section):
    """Everything the online recommender depends on."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535)] = 6010
    store: str = "sqlite:data/features.sqlite"
    events: PathSetting = Path("data/events")
    model: ModelSettings = ModelSettings()
    # `wall`: now is now. `data`: the data ended when the store was filled, and time has gone on since.
    clock: Literal["wall", "data"] = "data"
    budget_ms: Milliseconds = 200
    variants: dict[Name, VariantSettings] = VARIANTS
    default_variant: Name = "two_stage"
    diversity: Share = 0.0
    experiments: dict[Name, ExperimentSettings] = Field(default_factory=dict)
    cors_origins: list[str] = Field(default_factory=list)
    limits: LimitSettings = LimitSettings()

    @model_validator(mode="after")
    def _what_is_named_exists(self) -> AppSettings:
        if self.default_variant not in self.variants:
            raise ValueError(
                f"default_variant must be among {', '.join(self.variants)}, received {self.default_variant!r}"
            )
        decided = [experiment.decides for experiment in self.experiments.values()]
        if len(set(decided)) < len(decided):
            raise ValueError("experiments must not decide the same thing twice")
        for name, experiment in self.experiments.items():
            unknown = set(experiment.variants) - set(self.variants)
            if experiment.decides == "model" and unknown:
                raise ValueError(f"experiments.{name}.variants: {min(unknown)!r} is not among variants")
        return self


def check_diversity(value: str) -> float:
    """A variant of an experiment that decides diversity: a number from 0 to 1; raises `ValueError`."""
    try:
        number = float(value)
    except ValueError:
        number = -1.0
    if not 0 <= number <= 1:
        raise ValueError(f"variants of diversity must be numbers from 0 to 1, received {value!r}")
    return number


def load_app_settings(path: Path | None, overrides: Iterable[str], environ: Mapping[str, str]) -> AppSettings:
    """Settings from a YAML file (None: the defaults), the environment and `KEY=VALUE`; the later wins.

    Raises `ConfigError`.
    """
    assignments = [f"{key}={environ[name]}" for name, key in ENVIRONMENT.items() if environ.get(name)]
    tree = read_yaml(path) if path is not None else {}
    return check_as(AppSettings, merge(tree, read_assignments([*assignments, *overrides])))
