"""Typed settings: YAML, laid over by a preset, the environment and `KEY=VALUE`, checked before any work.

The order, later wins: defaults here < the YAML file < `preset` < `HP_FINAL_EPOCHS`, `HP_FINAL_LR` <
`KEY=VALUE`. An unknown key, a wrong type or an impossible value is one line naming key, rule and value
(`ConfigError`).
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import parse_qs, urlsplit

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    field_validator,
    model_serializer,
    model_validator,
)

from recommender.errors import ConfigError

Share = Annotated[float, Field(gt=0, lt=1)]
Positive = Annotated[int, Field(ge=1)]
Rate = Annotated[float, Field(ge=0, lt=1)]
PathSetting = Annotated[Path, Field(strict=False)]  # YAML has no path type: a string is one


def _number(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError("input should be a finite number")
    return value


Number = Annotated[int | float, BeforeValidator(_number)]  # keeps whole numbers whole


class Section(BaseModel):
    """What all sections share: unknown keys and silent conversions are errors, values cannot change."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, validate_default=True, allow_inf_nan=False
    )


AnySettings = TypeVar("AnySettings", bound=Section)
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]  # of a model: part of paths and URLs


def _complete(resources: dict[str, float]) -> dict[str, float]:
    for name in RESOURCES:
        if resources.get(name, 0) <= 0 and name != "gpu":
            raise ValueError(f"{name} must be above 0")
        if name != "cpu" and resources.get(name, 0) % 1:
            raise ValueError(f"{name} must be a whole number")
    return {"gpu": 0} | resources


SECRET = "must hold no password"  # the rule whose message does not show what it received
RESOURCES = ("cpu", "memory", "disk", "gpu")
Amount = Annotated[Number, Field(ge=0)]
StepResources = Annotated[dict[Literal["cpu", "memory", "disk", "gpu"], Amount], AfterValidator(_complete)]


class WorkflowResources(Section):
    """What each step's container asks for: CPUs, memory and disk in MB, GPUs; `tune` and `fit` are one
    worker's."""

    start: StepResources = {"cpu": 1, "memory": 1_024, "disk": 10_240, "gpu": 0}
    prepare: StepResources = {"cpu": 2, "memory": 8_192, "disk": 10_240, "gpu": 0}
    fan_out: StepResources = {"cpu": 1, "memory": 1_024, "disk": 10_240, "gpu": 0}
    tune: StepResources = {"cpu": 2, "memory": 8_192, "disk": 10_240, "gpu": 0}
    choose: StepResources = {"cpu": 1, "memory": 2_048, "disk": 10_240, "gpu": 0}
    gather: StepResources = {"cpu": 1, "memory": 1_024, "disk": 10_240, "gpu": 0}
    fit: StepResources = {"cpu": 4, "memory": 16_384, "disk": 20_480, "gpu": 0}
    fitted: StepResources = {"cpu": 1, "memory": 1_024, "disk": 10_240, "gpu": 0}
    train: StepResources = {"cpu": 4, "memory": 16_384, "disk": 20_480, "gpu": 0}
    export: StepResources = {"cpu": 2, "memory": 8_192, "disk": 20_480, "gpu": 0}
    end: StepResources = {"cpu": 1, "memory": 1_024, "disk": 10_240, "gpu": 0}


def _endpoint(url: str) -> str:
    if "@" in url:
        raise ValueError(f"{SECRET} and no user; credentials come from the environment")
    if not re.fullmatch(r"https?://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?(/[^\s?#]*)?", url):
        raise ValueError("must be as in http://minio:9000, here or in AWS_ENDPOINT_URL")
    return url


Endpoint = Annotated[str, AfterValidator(_endpoint)]


class WorkflowSettings(Section):
    """How and where the workflow runs."""

    kind: Literal["train"] = "train"
    name: Name = "recommender"
    runs: PathSetting = Path("data/runs")
    target: Literal["local", "kubernetes", "argo", "aws-batch"] = "local"
    image: str | None = None
    storage: Annotated[str, Field(pattern=r"^s3://[^/]+(/[^/]+)*$")] | None = None
    storage_endpoint: Endpoint | None = None
    namespace: str = "default"
    service_account: str | None = None
    secrets: list[str] = []
    queue: str | None = None
    role: str | None = None
    resources: WorkflowResources = WorkflowResources()


class SyntheticSettings(Section):
    """Sizes of the generated data set."""

    users: Positive = 1_000
    movies: Positive = 1_500
    ratings: Positive = 100_000

    @model_validator(mode="after")
    def _everyone_can_rate(self) -> SyntheticSettings:
        if not self.users <= self.ratings <= self.users * self.movies // 2:
            at_most = self.users * self.movies // 2
            raise ValueError(
                f"ratings must be between users ({self.users}) and half of all pairs ({at_most})"
            )
        return self


class CustomSettings(Section):
    """The user's own tables (CSV or Parquet) and what their columns are called."""

    ratings: PathSetting | None = None
    movies: PathSetting | None = None
    users: PathSetting | None = None
    columns: dict[str, str] = {}
    rating_scale: Annotated[list[float], Field(min_length=2, max_length=2)] = [0.5, 5.0]

    @model_validator(mode="after")
    def _scale_ascends(self) -> CustomSettings:
        if self.rating_scale[0] >= self.rating_scale[1]:
            raise ValueError(f"rating_scale must ascend, received {self.rating_scale}")
        return self


def _spark_master(url: str) -> str:
    if not re.fullmatch(r"local(\[(\*|[1-9]\d*)\])?|yarn|(spark|k8s)://\S+", url):
        raise ValueError("must be local[*], local[N], spark://host:port, k8s://address or yarn")
    return url


def _memory_size(size: str) -> str:
    if not re.fullmatch(r"[1-9]\d*(MB|GB)", size):
        raise ValueError("must be whole megabytes or gigabytes, as in 4GB")
    return size


def size_in_bytes(size: str) -> int:
    """Of a `MemorySize`; as for DuckDB, a megabyte is a million bytes."""
    return int(size[:-2]) * {"MB": 10**6, "GB": 10**9}[size[-2:]]


SparkMaster = Annotated[str, AfterValidator(_spark_master)]
MemorySize = Annotated[str, AfterValidator(_memory_size)]


class DataSettings(Section):
    """Which ratings, from where, and how they are split."""

    dataset: str = "ml-100k"
    home: PathSetting = Path("data")
    archive: PathSetting | None = None
    mirrors: list[str] = []
    on_bad_rows: Literal["stop", "drop"] = "stop"
    engine: Literal["duckdb", "spark"] = "duckdb"
    spark_master: SparkMaster = "local[*]"
    memory_limit: MemorySize | None = None
    input_memory: MemorySize | None = None
    split: Literal["time_range", "row_quantile", "leave_last", "random"] = "time_range"
    validation_share: Share = 0.2
    test_share: Share = 0.2
    leave_last: Positive = 1
    synthetic: SyntheticSettings = SyntheticSettings()
    custom: CustomSettings = CustomSettings()

    @model_validator(mode="after")
    def _something_is_left_to_train_on(self) -> DataSettings:
        if self.validation_share + self.test_share >= 1:
            raise ValueError("validation_share + test_share must be below 1")
        return self


class FeatureSettings(Section):
    """How features are computed; which of them a model uses is said under that model."""

    mode: Literal["point_in_time", "frozen"] = "point_in_time"
    history_length: Positive = 200
    liked_length: Positive = 20
    liked_threshold: float = 4.0
    top_genres: Positive = 3


class TrainingSettings(Section):
    """How a model is fitted."""

    epochs: Positive = 2
    batch_size: Positive = 1024
    optimizer: Literal["adam", "adagrad", "sgd"] = "adam"
    learning_rate: Annotated[float, Field(gt=0)] = 0.01
    schedule: Literal["cosine", "constant"] = "cosine"
    weight_decay: Rate = 0.0
    averaging: Rate = 0.99
    patience: Annotated[int, Field(ge=0)] = 3


class RetrievalTrainingSettings(TrainingSettings):
    """How the retrieval model is fitted; a row is a stretch of a user's ratings."""

    epochs: Positive = 9
    batch_size: Positive = 32
    learning_rate: Annotated[float, Field(gt=0)] = 2e-3
    averaging: Rate = 0.98


# What does not change while a user rates, and the ratings themselves in order.
RETRIEVAL_USER_FEATURES = ("user_id", "gender", "age", "occupation", "history")


class RetrievalSettings(Section):
    """The model that picks candidates: towers that read what a user rated, in order."""

    user_features: list[str] = ["gender", "age", "occupation", "history"]
    movie_features: list[str] = ["movie_id", "genres", "release_year"]
    history_encoder: Annotated[list[Literal["pooled", "gru", "transformer"]], Field(min_length=1)] = ["gru"]
    history_length: Positive = 100
    targets: Literal["next", "left_out"] = "next"
    next_movies: Positive = 5
    softmax: Literal["full", "sampled"] = "full"
    negatives: Positive = 1024
    hard_negatives: Positive | None = None
    temperature: Annotated[float, Field(gt=0)] = 1.0
    priors: list[
        Literal[
            "transition",
            "nearby",
            "recent_nearby",
            "ease",
            "recent_ease",
            "rated_last",
            "recent_popularity",
        ]
    ] = ["recent_nearby", "ease", "recent_ease", "rated_last", "recent_popularity"]
    embedding_size: Positive = 64
    unknown_user_rate: Rate = 0.5
    dropout: Rate = 0.3
    candidates: Positive = 100
    refit: bool = True
    training: RetrievalTrainingSettings = RetrievalTrainingSettings()

    @model_validator(mode="after")
    def _hard_negatives_are_chosen_from_a_sample(self) -> RetrievalSettings:
        if self.hard_negatives is not None and self.softmax == "full":
            raise ValueError(
                f"hard_negatives are of softmax sampled, received {self.hard_negatives} with full"
            )
        return self

    @model_validator(mode="after")
    def _left_out_movies_are_asked_all_at_once(self) -> RetrievalSettings:
        if self.targets == "left_out" and self.softmax == "sampled":
            raise ValueError("targets left_out is for softmax full, as sampled asks for one movie a row")
        return self

    @field_validator("user_features")
    @classmethod
    def _hold_all_along(cls, names: list[str]) -> list[str]:
        """A tower that reads a history in one go cannot take what changes with every rating beside it."""
        for name in names:
            if name not in RETRIEVAL_USER_FEATURES:
                allowed = ", ".join(RETRIEVAL_USER_FEATURES)
                raise ValueError(f"must be among {allowed}")
        return names


class RankingSettings(Section):
    """The model that orders candidates: features -> embeddings -> head -> score."""

    head: str = "foldin"
    head_options: dict[str, Any] = {
        "factors": 20,
        "iterations": 20,
        "folds": 5,
        "hidden": [64, 32],
        "dropout": 0.3,
    }
    objective: Literal["rating", "like", "implicit"] = "rating"
    like_threshold: float | None = None
    negatives: Positive = 5
    negative_sampling: Literal["uniform", "popularity"] = "uniform"
    features: list[str] = [
        "gender",
        "age",
        "occupation",
        "movie_id",
        "genres",
        "release_year",
        "history",
        "movie_count",
        "movie_deviation",
    ]
    embedding_size: Positive = 16
    unknown_user_rate: Rate = 0.0
    unknown_movie_rate: Rate = 0.0
    refit: bool = False

    @model_validator(mode="after")
    def _negatives_are_drawn_for_one_split(self) -> RankingSettings:
        if self.refit and self.objective == "implicit":
            raise ValueError("refit is for the objectives rating and like, not implicit")
        return self


class DistributionSettings(Section):
    """Who trains: this process, the workflow's gang, or a cluster that `recommender worker` is started on."""

    strategy: Literal["single", "multi_worker", "parameter_server"] = "single"
    workers: Positive = 1
    device: Literal["auto", "cpu", "gpu"] = "auto"
    mixed_precision: Literal["none", "bfloat16", "float16"] = "none"
    start_timeout: Annotated[float, Field(gt=0)] = 300.0
    peer_timeout: Annotated[float, Field(gt=0)] = 30.0
    min_shard_bytes: Positive = 262_144

    @model_validator(mode="after")
    def _workers_train_together(self) -> DistributionSettings:
        if self.workers > 1 and self.strategy != "multi_worker":
            raise ValueError(f"workers above 1 are for strategy=multi_worker, not {self.strategy}")
        return self


class OrderSettings(Section):
    """How the final order of the candidates is fitted: a linear score of what both models say."""

    l2: Annotated[float, Field(ge=0)] = 0.1
    folds: Annotated[int, Field(ge=2)] = 5
    users: Positive = 10_000


class Range(Section):
    """What one setting may become: from `low` to `high`, or one of `choices`.

    Whole numbers where `low`, `high` and `step` are. `log` draws evenly over orders of magnitude, `step` only
    every so much from `low` on.
    """

    low: Number | None = None
    high: Number | None = None
    log: bool = False
    step: Number | None = None
    choices: list[Any] | None = None

    @model_serializer(mode="wrap")
    def _what_is_said(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        fields = type(self).model_fields
        return {key: value for key, value in serialize(self).items() if value != fields[key].default}

    @model_validator(mode="after")
    def _is_possible(self) -> Range:
        if self.choices is not None:
            self._check_choices(self.choices)
        elif self.low is None or self.high is None:
            raise ValueError("must have low and high, or choices")
        else:
            self._check_limits(self.low, self.high)
        return self

    def _check_choices(self, choices: list[Any]) -> None:
        if (self.low, self.high, self.step, self.log) != (None, None, None, False):
            raise ValueError("must have either choices or low and high, not both")
        if len({repr(choice) for choice in choices}) < max(len(choices), 2):
            raise ValueError(f"choices must be two or more, all different, received {choices}")

    def _check_limits(self, low: float, high: float) -> None:
        if low >= high:
            raise ValueError(f"low must be below high, received {low} and {high}")
        if self.log and (low <= 0 or self.step is not None):
            raise ValueError("log needs low above 0 and no step")
        if self.step is not None:
            steps = (high - low) / self.step if self.step > 0 else 0.0
            if steps == 0 or not math.isclose(steps, round(steps)):
                raise ValueError(f"step must be above 0 and divide high - low, received {self.step}")


def _with_dotted_keys(ranges: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Each range under its whole key, in order; a mapping without any key of `Range` is a section."""
    for name, value in ranges.items():
        if isinstance(value, dict) and value and not value.keys() & Range.model_fields.keys():
            yield from _with_dotted_keys(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


class TuningSettings(Section):
    """The search for better settings on the validation split: `ranges` says what each key may become."""

    trials: Annotated[int, Field(ge=0)] = 0
    workers: Positive = 1
    storage: str | None = None
    pruning: bool = True
    ranges: dict[str, Range] = {
        "training.learning_rate": Range(low=0.001, high=0.03, log=True),
        "training.batch_size": Range(choices=[512, 1024, 2048]),
        "ranking.head_options.hidden": Range(choices=[[64, 32], [128, 64], [256, 64], [64]]),
        "ranking.head_options.dropout": Range(low=0.0, high=0.5),
    }

    @field_validator("storage")
    @classmethod
    def _holds_no_secret(cls, url: str | None) -> str | None:
        """Settings are printed and saved with every version."""
        if url is not None and not urlsplit(url).scheme:
            raise ValueError("must be a database URL, as in postgresql+psycopg://USER@HOST/DATABASE")
        if url is not None:
            parts = urlsplit(url)
            names = {name.lower() for name in parse_qs(parts.query)}
            if parts.password is not None or names & {"password", "passwd"}:
                raise ValueError(f"{SECRET}; drivers read it from PGPASSWORD or a file of their own")
        return url

    @field_validator("ranges", mode="before")
    @classmethod
    def _with_dots(cls, ranges: Any) -> Any:
        """Sections within `ranges` mean the same as dots; null takes a range away."""
        if not isinstance(ranges, dict):
            return ranges
        flat: dict[str, Any] = {}
        for key, value in _with_dotted_keys(ranges):
            both = isinstance(value, dict) and isinstance(flat.get(key), dict)
            flat[key] = flat[key] | value if both else value
        return {key: value for key, value in flat.items() if value is not None}


class EvaluationSettings(Section):
    """What is measured."""

    k: Annotated[list[Positive], Field(min_length=1)] = [10, 100]
    half_life_days: Annotated[float, Field(gt=0)] = 3.0


class ExportSettings(Section):
    """Where versions go."""

    models: PathSetting = Path("data/models")


class Settings(Section):
    """Everything one run depends on."""

    preset: str | None = None
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 42
    workflow: WorkflowSettings = WorkflowSettings()
    data: DataSettings = DataSettings()
    features: FeatureSettings = FeatureSettings()
    retrieval: RetrievalSettings = RetrievalSettings()
    ranking: RankingSettings = RankingSettings()
    order: OrderSettings = OrderSettings()
    training: TrainingSettings = TrainingSettings()
    distribution: DistributionSettings = DistributionSettings()
    tuning: TuningSettings = TuningSettings()
    evaluation: EvaluationSettings = EvaluationSettings()
    export: ExportSettings = ExportSettings()

    @model_validator(mode="after")
    def _one_process_streams(self) -> Settings:
        if self.data.input_memory is not None and self.distribution.strategy != "single":
            raise ValueError(
                f"data.input_memory must be null with distribution.strategy={self.distribution.strategy}: "
                f"what is streamed trains in one process, received {self.data.input_memory!r}"
            )
        return self

    def to_yaml(self) -> str:
        """The resolved settings as YAML that `load_settings` reads back to an equal object."""
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False)


class _Loader(yaml.SafeLoader):
    """YAML 1.1 reads `1e-3` as a string; people mean a number."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?[0-9][0-9_]*(?:\.[0-9_]*)?[eE][-+]?[0-9]+$"),
    list("-+0123456789"),
)

# The names under which the original training script took its final epochs and learning rate.
ENVIRONMENT = {"HP_FINAL_EPOCHS": "training.epochs", "HP_FINAL_LR": "training.learning_rate"}


def load_settings(
    path: Path | str | None = None,
    overrides: Iterable[str] = (),
    environ: Mapping[str, str] | None = None,
) -> Settings:
    """Read settings from a YAML file (None: the defaults), a preset, the environment and `KEY=VALUE` strings.

    Raises `ConfigError` with one line per mistake: the key, the rule and the value.
    """
    return resolve(read_yaml(Path(path)) if path is not None else {}, overrides, environ)


def resolve(
    tree: Mapping[str, Any],
    overrides: Iterable[str] = (),
    environ: Mapping[str, str] | None = None,
) -> Settings:
    """The same for a tree of plain values.

    The result names no preset: its values are in, and laid again over saved settings they would win over
    what came after them.
    """
    environ = os.environ if environ is None else environ
    # Named here, so that `merge` sees when a tree chooses another head.
    tree = merge({"ranking": RankingSettings().model_dump(mode="json")}, tree)
    assignments = [f"{key}={environ[name]}" for name, key in ENVIRONMENT.items() if name in environ]
    over = read_assignments([*assignments, *overrides])
    preset = over.pop("preset", tree.get("preset"))
    if preset is not None:
        tree = merge(tree, read_preset(str(preset)))
    return check({**merge(tree, over), "preset": None})


def check(tree: Mapping[str, Any]) -> Settings:
    """Turn a tree of plain values into `Settings`, or raise `ConfigError` saying what is wrong."""
    return check_as(Settings, tree)


def check_as(settings: type[AnySettings], tree: Mapping[str, Any]) -> AnySettings:
    """The same for the settings of another workflow."""
    try:
        return settings.model_validate(dict(tree))
    except ValidationError as error:
        raise ConfigError("\n".join(_explain(item) for item in error.errors())) from None


def read_yaml(path: Path) -> dict[str, Any]:
    """A YAML file as a tree of sections; raises `ConfigError` where it cannot be read or is not one."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 text: {error}") from None
    return parse_yaml(text, str(path))


def parse_yaml(text: str, origin: str) -> dict[str, Any]:
    """YAML text as a tree of sections; `origin` says in errors where it came from."""
    try:
        tree = yaml.load(text, _Loader)
    except yaml.YAMLError as error:
        raise ConfigError(f"{origin}: not YAML: {' '.join(str(error).split())}") from None
    if tree is None:
        return {}
    if not isinstance(tree, dict):
        raise ConfigError(f"{origin}: expected sections with keys, found {type(tree).__name__}")
    return tree


def presets() -> list[str]:
    """Names that the key `preset` takes."""
    folder = resources.files("recommender") / "presets"
    return sorted(
        entry.name.removesuffix(".yaml") for entry in folder.iterdir() if entry.name.endswith(".yaml")
    )


def read_preset(name: str) -> dict[str, Any]:
    """The settings that a preset lays over a file, those of the preset that it builds on included."""
    if name not in presets():
        raise ConfigError(f"preset: must be one of {', '.join(presets())}, received {name!r}")
    with resources.as_file(resources.files("recommender") / "presets" / f"{name}.yaml") as path:
        tree = read_yaml(path)
    base = tree.pop("preset", None)
    return merge(read_preset(base), tree) if base else tree


def read_assignments(assignments: Iterable[str]) -> dict[str, Any]:
    """`KEY=VALUE` strings as a tree of plain values; the last of a key counts."""
    tree: dict[str, Any] = {}
    for assignment in assignments:
        _assign(tree, assignment)
    return tree


def _assign(tree: dict[str, Any], assignment: str) -> None:
    """Put `a.b=value` into a tree; the value is read as YAML."""
    key, equals, text = assignment.partition("=")
    if not equals or not all(key.split(".")):
        raise ConfigError(f"{assignment!r}: expected KEY=VALUE, as in training.epochs=20")
    try:
        value = yaml.load(text, _Loader)
    except yaml.YAMLError:
        raise ConfigError(f"{key}: the value is not YAML, received {text!r}") from None
    *sections, last = key.split(".")
    for section in sections:
        tree = tree.setdefault(section, {})
        if not isinstance(tree, dict):
            raise ConfigError(f"{key}: {section} is a value, not a section")
    tree[last] = value


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with the keys of `over` laid over it, section by section."""
    merged = dict(base)
    if "head" in over and over["head"] != base.get("head"):
        merged["head_options"] = {}  # options are a head's own: another head starts from its own defaults
    for key, value in over.items():
        inner = merged.get(key)
        merged[key] = merge(inner, value) if isinstance(inner, dict) and isinstance(value, dict) else value
    return merged


def _explain(error: Mapping[str, Any]) -> str:
    """One pydantic error as `key: rule, received value`."""
    key = ".".join(str(part) for part in error["loc"]) or "settings"
    if error["type"] == "extra_forbidden":
        return f"{key}: unknown key, received {error['input']!r}"
    message = error["msg"].removeprefix("Value error, ")
    hidden = SECRET in message or isinstance(error["input"], (dict, BaseModel))
    received = "" if hidden else f", received {error['input']!r}"
    return f"{key}: {message[0].lower()}{message[1:]}{received}"
