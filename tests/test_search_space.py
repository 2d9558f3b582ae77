from pathlib import Path
from typing import Any

import pytest

from recommender.config import Range, Settings, load_settings
from recommender.errors import ConfigError
from recommender.search_space import check_search_space, contains, lay_over, present_values

SETTINGS_FILE = Path(__file__).parents[1] / "workflow-train-model.yaml"


def ranged(*ranges: str) -> Settings:
    """The defaults with only these ranges."""
    nothing = [f"tuning.ranges.{key}=null" for key in Settings().tuning.ranges]
    settings = load_settings(SETTINGS_FILE, [*nothing, *(f"tuning.ranges.{text}" for text in ranges)], {})
    assert len(settings.tuning.ranges) == len(ranges)
    return settings


def test_the_ranges_of_the_defaults_hold_the_defaults() -> None:
    check_search_space(Settings())
    assert present_values(Settings()).keys() == Settings().tuning.ranges.keys()


def test_a_range_can_be_given_taken_away_and_changed_on_the_command_line() -> None:
    assert ranged().tuning.ranges == {}
    settings = ranged("training.epochs={low: 1, high: 3}")
    assert settings.tuning.ranges == {"training.epochs": Range(low=1, high=3)}
    changed = load_settings(SETTINGS_FILE, ["tuning.ranges.training.learning_rate.high=0.1"], {})
    default = Settings().tuning.ranges
    assert changed.tuning.ranges == default | {"training.learning_rate": Range(low=0.001, high=0.1, log=True)}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{low: 1}", "must have low and high, or choices"),
        ("{low: 2, high: 1}", "low must be below high, received 2 and 1"),
        ("{low: x, high: 1}", ".low: input should be a finite number, received 'x'"),
        ("{low: 1, high: .inf}", ".high: input should be a finite number, received inf"),
        ("{low: 0, high: 1, log: true}", "log needs low above 0 and no step"),
        ("{low: 1, high: 9, step: 2, log: true}", "log needs low above 0 and no step"),
        ("{low: 0, high: 1, step: 0.3}", "step must be above 0 and divide high - low, received 0.3"),
        ("{low: 0, high: 1, step: 0}", "step must be above 0 and divide high - low, received 0"),
        ("{choices: [adam]}", "choices must be two or more, all different, received ['adam']"),
        ("{choices: [1, 1]}", "choices must be two or more, all different, received [1, 1]"),
        ("{choices: [1, 2], log: true}", "must have either choices or low and high, not both"),
        ("{low: 1, high: 2, sep: 1}", ".sep: unknown key, received 1"),
        ("3", "input should be a valid dictionary or instance of Range, received 3"),
    ],
)
def test_an_impossible_range_is_one_line_with_its_key(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as error:
        ranged(f"training.epochs={text}")
    assert str(error.value).startswith("tuning.ranges.training.epochs")
    assert str(error.value).endswith(message)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("training.epoch={low: 1, high: 2}", r"ranges\.training\.epoch: .* training\.epoch: unknown key"),
        ("training.epochs={low: 0, high: 2}", r"ranges\.training\.epochs: .* greater than .* received 0"),
        ("training.epochs={low: 1.0, high: 2.5}", r"training\.epochs: .* valid integer, received 1\.0"),
        (
            "training.epochs={low: 1, high: 2, step: 0.5}",
            r"training\.epochs: .* valid integer, received 1\.0",
        ),
        ("training.optimizer={choices: [adam, lion]}", r"ranges\.training\.optimizer: .*received 'lion'"),
        ("ranking.unknown_user_rate={low: 0, high: 1}", r"ranking\.unknown_user_rate: .* received 1"),
        ("training.epochs.x={low: 0, high: 1}", r"training\.epochs: input should be a valid integer"),
        ("data.leave_last={low: 1, high: 2}", r"must be a key under training or ranking"),
        ("retrieval.dropout={low: 0.0, high: 0.5}", r"must be a key under training or ranking"),
        ("seed={low: 1, high: 2}", r"must be a key under training or ranking"),
        ("ranking.objective={choices: [rating, like]}", r"must be .* but not ranking\.objective"),
    ],
)
def test_a_range_of_what_is_no_setting_to_search_is_named(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        check_search_space(ranged(text))


def test_a_search_needs_a_range() -> None:
    check_search_space(ranged())
    with pytest.raises(ConfigError, match=r"tuning\.ranges: must have at least one key"):
        check_search_space(lay_over(ranged(), {"tuning.trials": 1}))


def test_what_a_user_of_the_settings_does_not_take_is_an_error_of_the_range() -> None:
    def use(settings: Settings) -> None:
        if settings.training.epochs == 3:
            raise ConfigError("three is one too many")

    with pytest.raises(ConfigError, match=r"tuning\.ranges\.training\.epochs: .*three is one too many"):
        check_search_space(ranged("training.epochs={low: 1, high: 3}"), use)


def test_a_range_of_an_option_that_another_head_has_says_how_to_take_it_away() -> None:
    def use(settings: Settings) -> None:
        if "hidden" in settings.ranking.head_options:
            raise ConfigError("dlrm takes bottom, top, received 'hidden'")

    with pytest.raises(ConfigError) as error:
        check_search_space(ranged("ranking.head_options.hidden={choices: [[8], [4]]}"), use)
    assert str(error.value) == (
        "tuning.ranges.ranking.head_options.hidden: not a possible setting: dlrm takes bottom, top, received "
        "'hidden'; tuning.ranges.ranking.head_options.hidden=null takes the range away"
    )


def test_values_are_laid_over_settings_by_dotted_keys() -> None:
    laid = lay_over(Settings(), {"training.epochs": 7, "ranking.head_options.hidden": [9], "seed": 1})
    assert (laid.training.epochs, laid.seed) == (7, 1)
    assert laid.ranking.head_options == {**Settings().ranking.head_options, "hidden": [9]}
    precise = {"training.learning_rate": 1 / 3e6, "ranking.head_options.l2": 1e-7}
    assert lay_over(Settings(), precise).training.learning_rate == 1 / 3e6
    assert lay_over(Settings(), precise).ranking.head_options["l2"] == 1e-7
    assert lay_over(laid, present_values(Settings()) | {"training.epochs": 2, "seed": 42}) == Settings()


@pytest.mark.parametrize(
    ("allowed", "inside", "outside"),
    [
        (Range(low=8, high=32, step=8), [8, 16, 32], [0, 12, 40, 16.5, True, "16", None]),
        (Range(low=1, high=4), [1, 4], [0, 5, 2.5]),
        (Range(low=0.1, high=0.5), [0.1, 0.25, 0.5], [0.09, 0.51]),
        (Range(low=0.0, high=1.0, step=0.1), [0.0, 0.3, 0.7], [0.25]),
        (Range(low=1e-4, high=1e-2, log=True), [1e-4, 3e-3], [1e-5]),
        (Range(choices=[[64, 32], [64]]), [[64, 32]], [[32, 64], 64]),
    ],
)
def test_a_value_is_within_a_range_if_a_search_could_draw_it(
    allowed: Range, inside: list[Any], outside: list[Any]
) -> None:
    assert all(contains(allowed, value) for value in inside)
    assert not any(contains(allowed, value) for value in outside)


def test_present_values_outside_their_ranges_are_left_out() -> None:
    ranges = ["training.epochs={low: 90, high: 99}", "training.learning_rate={low: 1e-3, high: 1e-2}"]
    assert present_values(ranged(*ranges, "ranking.head_options.l2={low: 0.0, high: 0.1}")) == {
        "training.learning_rate": 0.01
    }
