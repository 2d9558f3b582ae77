import math
import re
import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import pytest
import yaml

from recommender.config import Range, Section, Settings, load_settings, presets, read_preset, resolve
from recommender.errors import ConfigError

SETTINGS_FILE = Path(__file__).parents[1] / "workflow-train-model.yaml"
NAMES: dict[Any, str] = {
    int: "int",
    float: "float",
    str: "str",
    bool: "bool",
    Path: "path",
    type(None): "null",
    Range: "range",
}


def load(path: Path | None = None, *overrides: str, **environ: str) -> Settings:
    return load_settings(path, overrides, environ)


def written(folder: Path, text: str) -> Path:
    path = folder / "settings.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def type_name(annotation: Any) -> str:
    """How a comment names a type: `int`, `list of str`, `path or null`."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return type_name(arguments[0])
    if origin is Literal:
        return type_name(type(arguments[0]))
    if origin in (Union, types.UnionType):
        return " or ".join(type_name(argument) for argument in arguments)
    if origin is list:
        return f"list of {type_name(arguments[0])}"
    if origin is dict:
        return "mapping" if Any in arguments else f"mapping of {' to '.join(map(type_name, arguments))}"
    return NAMES[annotation]


def fields(section: type[Section], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every key of the settings with its annotation, in declared order."""
    for name, field in section.model_fields.items():
        annotation = field.annotation
        if isinstance(annotation, type) and issubclass(annotation, Section):
            yield from fields(annotation, f"{prefix}{name}.")
        else:
            yield prefix + name, annotation


def leaves(tree: Mapping[str, Any], known: set[str], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in tree.items():
        key = prefix + name
        if key not in known and isinstance(value, dict):
            yield from leaves(value, known, f"{key}.")
        else:
            yield key, value


def comments() -> dict[str, str]:
    """The comment behind each key of the settings file."""
    found, sections = {}, []
    for line in SETTINGS_FILE.read_text(encoding="utf-8").splitlines():
        match = re.match(r"( *)([a-z0-9_]+):(.*)", line)
        if match:
            depth = len(match[1]) // 2
            sections[depth:] = [match[2]]
            found[".".join(sections)] = match[3].partition("#")[2].strip()
    return found


def test_the_settings_file_holds_every_key_in_order_with_the_default_value() -> None:
    annotations = dict(fields(Settings))
    written = dict(leaves(yaml.safe_load(SETTINGS_FILE.read_text(encoding="utf-8")), set(annotations)))
    assert list(written) == list(annotations)
    assert load(SETTINGS_FILE) == load()


@pytest.mark.parametrize(("key", "annotation"), list(fields(Settings)))
def test_every_key_of_the_settings_file_says_its_type_and_its_choices(key: str, annotation: Any) -> None:
    comment = comments()[key]
    assert comment.startswith(f"({type_name(annotation)}) ")
    assert len(comment.split(") ", 1)[1]) > 10
    if get_origin(annotation) is Literal:
        assert all(choice in comment for choice in get_args(annotation))


def test_the_presets_that_there_are_stand_in_the_settings_file() -> None:
    assert all(name in comments()["preset"] for name in presets())
    for name in presets():
        assert load(SETTINGS_FILE, f"preset={name}") == load(None, f"preset={name}")


def test_the_preset_of_the_default_head_is_the_default_spelt_out() -> None:
    assert read_preset(load().ranking.head).keys() == {"features", "ranking", "training"}
    assert load(None, f"preset={load().ranking.head}") == load() == load(None, "preset=default")


def test_a_preset_builds_on_another_one() -> None:
    din, base = load(None, "preset=din"), load(None, "preset=mlp")
    assert (din.ranking.features, din.training.averaging) == (base.ranking.features, base.training.averaging)
    assert din.ranking.head_options == read_preset("din")["ranking"]["head_options"]
    assert "attention_heads" not in din.ranking.head_options


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("training.epoch=3", "training.epoch: unknown key, received 3"),
        ("trainings.epochs=3", "trainings: unknown key"),
        ("training.epochs=three", "training.epochs: input should be a valid integer, received 'three'"),
        ("training.epochs=2.5", "training.epochs: input should be a valid integer"),
        ("training.epochs=true", "training.epochs: input should be a valid integer, received True"),
        ('training.epochs="3"', "training.epochs: input should be a valid integer, received '3'"),
        ("training.epochs=0", "training.epochs: input should be greater than or equal to 1, received 0"),
        (
            "training.learning_rate=.inf",
            "training.learning_rate: input should be a finite number, received inf",
        ),
        (
            "training.optimizer=lion",
            "training.optimizer: input should be 'adam', 'adagrad' or 'sgd', received 'lion'",
        ),
        ("workflow.name=../x", "workflow.name: string should match pattern"),
        (
            "training=3",
            "training: input should be a valid dictionary or instance of TrainingSettings, received 3",
        ),
        ("data.validation_share=0.9", "data: validation_share + test_share must be below 1"),
        (
            "preset=random_split retrieval.softmax=sampled",
            "retrieval: targets left_out is for softmax full, as sampled asks for one movie a row",
        ),
        ("training.epochs", "'training.epochs': expected KEY=VALUE, as in training.epochs=20"),
        ("training..epochs=3", "'training..epochs=3': expected KEY=VALUE"),
        ("seed.x=3", "seed: input should be a valid integer"),
        ("training.epochs=[", "training.epochs: the value is not YAML, received '['"),
        ("preset=nix", "preset: must be one of"),
    ],
)
def test_a_wrong_setting_is_one_line_with_key_rule_and_value(override: str, message: str) -> None:
    with pytest.raises(ConfigError) as error:
        load(None, *override.split())
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)


def test_every_mistake_has_its_line() -> None:
    with pytest.raises(ConfigError) as error:
        load(None, "training.epochs=0", "seed=-1", "data.x=1")
    assert [line.split(":")[0] for line in str(error.value).splitlines()] == [
        "seed",
        "data.x",
        "training.epochs",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("training: [", "settings.yaml: not YAML"),
        ("- 1", "settings.yaml: expected sections with keys, found list"),
        ("training:\n  epochs: x", "training.epochs: input should be a valid integer, received 'x'"),
    ],
)
def test_a_file_that_is_no_settings_file_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)):
        load(written(tmp_path, text))


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nix\.yaml: cannot be read: No such file"):
        load(tmp_path / "nix.yaml")
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match=r"binary\.yaml: not UTF-8 text"):
        load(binary)


def test_an_empty_file_means_the_defaults(tmp_path: Path) -> None:
    assert load(written(tmp_path, "")) == load() == Settings()


def test_numbers_are_read_as_people_write_them(tmp_path: Path) -> None:
    path = written(tmp_path, "training:\n  learning_rate: 1e-3\n  batch_size: 8_192\n")
    assert (load(path).training.learning_rate, load(path).training.batch_size) == (0.001, 8192)
    assert load(None, "training.learning_rate=3E-4").training.learning_rate == 3e-4
    assert math.isclose(load(None, "training.learning_rate=1").training.learning_rate, 1.0)


def test_the_command_line_wins_over_the_environment_over_the_preset_over_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, "training: {epochs: 7, learning_rate: 0.5, batch_size: 77}\nseed: 5\n")
    environ = {"HP_FINAL_EPOCHS": "11", "HP_FINAL_LR": "0.25"}
    preset = read_preset("tutorial")["training"]
    assert load(path).training.epochs == 7
    with_preset = load(path, "preset=tutorial")
    assert (with_preset.training.epochs, with_preset.seed) == (preset["epochs"], 5)
    with_environment = load(path, "preset=tutorial", **environ)
    assert (with_environment.training.epochs, with_environment.training.learning_rate) == (11, 0.25)
    assert with_environment.training.batch_size == preset["batch_size"]
    everything = load(path, "preset=tutorial", "training.epochs=13", **environ)
    assert (everything.training.epochs, everything.training.learning_rate) == (13, 0.25)
    assert load(None, "training.epochs=3", "training.epochs=4").training.epochs == 4


def test_a_wrong_value_in_the_environment_is_an_error_too() -> None:
    with pytest.raises(
        ConfigError, match=r"training\.epochs: input should be a valid integer, received 'many'"
    ):
        load(None, HP_FINAL_EPOCHS="many")


@pytest.mark.parametrize(
    "overrides", [[], ["preset=tutorial", "training.epochs=3"], ["data.archive=/a b/c.zip"]]
)
def test_resolved_settings_are_read_back_as_they_were(tmp_path: Path, overrides: list[str]) -> None:
    settings = load(None, *overrides)
    assert load(written(tmp_path, settings.to_yaml())) == settings


def test_settings_cannot_be_changed_afterwards() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load().training.epochs = 3


def test_another_head_does_not_inherit_the_options_of_the_first() -> None:
    tree = {"ranking": {"head": "mlp", "head_options": {"hidden": [8]}}}
    assert resolve(tree, ["ranking.head=dlrm"], {}).ranking.head_options == {}
    assert resolve(tree, ["ranking.head=dlrm", "ranking.head_options.d=4"], {}).ranking.head_options == {
        "d": 4
    }
    same = resolve(tree, ["ranking.head_options.dropout=0.1"], {}).ranking.head_options
    assert same == {"hidden": [8], "dropout": 0.1}
    assert resolve({"ranking": {"head": "dlrm"}}, [], {}).ranking.head_options == {}
    assert resolve({}, ["ranking.head=dlrm"], {}).ranking.head_options == {}
    assert resolve({}, ["ranking.head_options.folds=7"], {}).ranking.head_options["factors"] == 20
