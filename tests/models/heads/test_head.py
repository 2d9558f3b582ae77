from __future__ import annotations

import inspect
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from recommender.config import Settings, load_settings
from recommender.data.features import BY_NAME
from recommender.data.prepared import Prepared
from recommender.errors import ConfigError
from recommender.models.heads import REQUIRED_FEATURES, head_names
from recommender.models.heads.head import HEADS, build_head
from recommender.training.ranking import build_ranking
from recommender.workflows.validation import validate


def test_an_unknown_head_is_named_with_those_there_are() -> None:
    with pytest.raises(ConfigError, match=r"ranking.head: must be one of .*mlp.*, received 'mlq'"):
        build_head("mlq", {})


def test_an_unknown_option_is_named_with_those_the_head_takes() -> None:
    with pytest.raises(ConfigError, match=r"ranking.head_options: mlp takes hidden, .*, received 'hiden'"):
        build_head("mlp", {"hiden": [1]})
    with pytest.raises(ConfigError, match=r"ranking.head_options: dcn takes .*, received 'spec'"):
        build_head("dcn", {"spec": None})


@pytest.mark.parametrize(
    ("head", "option", "value", "message"),
    [
        ("mlp", "hidden", 64, "hidden: input should be a list of whole numbers, received 64"),
        ("mlp", "hidden", [64, 0], "hidden: input should be greater than or equal to 1, received [64, 0]"),
        ("mlp", "activation", "rely", "activation: input should be 'relu', 'swish'"),
        ("deepfm", "dropout", 1.0, "dropout: input should be less than 1, received 1.0"),
        (
            "dcn",
            "structure",
            "serial",
            "structure: input should be 'stacked' or 'parallel', received 'serial'",
        ),
        ("dcn", "rank", 0, "rank: input should be greater than or equal to 1, received 0"),
        (
            "wide_deep",
            "cross_buckets",
            1e4,
            "cross_buckets: input should be a valid integer, received 10000.0",
        ),
        ("wide_deep", "wide_l2", -1, "wide_l2: input should be greater than or equal to 0, received -1"),
    ],
)
def test_a_value_that_an_option_cannot_have_is_one_line(
    head: str, option: str, value: Any, message: str
) -> None:
    with pytest.raises(ConfigError) as error:
        build_head(head, {option: value})
    assert str(error.value).startswith(f"ranking.head_options.{message}")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("head", head_names())
def test_options_take_what_their_defaults_are(head: str, settings: Settings, prepared: Prepared) -> None:
    features = settings.ranking.model_copy(
        update={"features": list(BY_NAME), "head": head, "head_options": {}}
    )
    build_ranking(settings.model_copy(update={"ranking": features}), prepared)
    options = {
        option: parameter.default
        for option, parameter in inspect.signature(HEADS[head].__init__).parameters.items()
        if parameter.default is not inspect.Parameter.empty
    }
    ranking = features.model_copy(update={"head_options": options})
    assert build_ranking(settings.model_copy(update={"ranking": ranking}), prepared).head.name == head


@pytest.mark.parametrize("head", sorted(REQUIRED_FEATURES))
def test_a_model_without_a_feature_that_its_head_needs_is_not_built(
    head: str, settings: Settings, prepared: Prepared
) -> None:
    ranking = settings.ranking.model_copy(update={"head": head, "head_options": {}, "features": ["gender"]})
    with pytest.raises(ConfigError, match=rf"ranking\.features: must hold .*, which the head {head} needs"):
        build_ranking(settings.model_copy(update={"ranking": ranking}), prepared)


@pytest.mark.parametrize("head", head_names())
def test_every_head_has_a_preset_of_its_name_with_a_comment(head: str, prepared: Prepared) -> None:
    settings = load_settings(overrides=[f"preset={head}"], environ={})
    validate(settings)
    assert settings.ranking.head == head
    assert build_ranking(settings, prepared).head.name == head
    text = (resources.files("recommender") / "presets" / f"{head}.yaml").read_text(encoding="utf-8")
    assert text.startswith("# ")


@pytest.mark.parametrize("head", head_names())
def test_every_head_is_in_the_documentation(head: str) -> None:
    text = (Path(__file__).parents[3] / "docs" / "heads.md").read_text(encoding="utf-8")
    assert f"| `{head}` |" in text


def test_every_requirement_is_a_features_and_of_a_head_that_there_is() -> None:
    assert REQUIRED_FEATURES.keys() <= set(head_names())
    assert {name for names in REQUIRED_FEATURES.values() for name in names} <= BY_NAME.keys()
