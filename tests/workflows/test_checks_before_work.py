from importlib import import_module
from pathlib import Path

import pytest

from recommender.config import load_settings
from recommender.data.movielens import CATALOGUE
from recommender.errors import ConfigError
from recommender.models.heads import head_names
from recommender.workflows import launch, stages, validation
from recommender.workflows.validation import validate


def problem(*overrides: str) -> str:
    with pytest.raises(ConfigError) as error:
        validate(load_settings(None, overrides, {}))
    return str(error.value)


@pytest.mark.parametrize("dataset", [*CATALOGUE, "synthetic"])
def test_every_known_data_set_is_accepted(dataset: str) -> None:
    assert validate(load_settings(None, [f"data.dataset={dataset}"], {})) is None


def test_names_that_do_not_exist_are_listed_with_those_that_do() -> None:
    message = problem("data.dataset=ml-3")
    assert message.startswith("data.dataset: must be one of ml-100k, ml-1m, ")
    assert message.endswith("synthetic, custom, received 'ml-3'")
    assert problem("ranking.head=nix").startswith(
        f"ranking.head: must be one of {', '.join(head_names())}, received"
    )
    assert problem("ranking.features=[nix]").startswith("ranking.features: must be among user_id, ")
    assert problem("retrieval.user_features=[genres]").startswith("retrieval.user_features: must be among ")
    assert problem("retrieval.movie_features=[user_id]").startswith(
        "retrieval.movie_features: must be among "
    )


def test_a_feature_that_the_head_needs_is_named() -> None:
    message = problem("ranking.head=din", "ranking.features=[movie_id, genres]")
    assert message == (
        "ranking.features: must hold history, which the head din needs, received ['movie_id', 'genres']"
    )
    assert problem("ranking.head=neumf").startswith(
        "ranking.features: must hold user_id, which the head neumf"
    )


def test_files_that_do_not_exist_are_named(tmp_path: Path) -> None:
    assert problem("data.archive=nix.zip") == "data.archive: there is no such file, received 'nix.zip'"
    assert problem("data.dataset=custom").startswith("data.custom.ratings: must name a CSV or Parquet file")
    ratings = tmp_path / "ratings.csv"
    own = ["data.dataset=custom", f"data.custom.ratings={ratings}"]
    assert problem(*own).startswith("data.custom.ratings: there is no such file")
    ratings.touch()
    assert validate(load_settings(None, own, {})) is None


def test_the_names_of_the_generated_and_the_own_data_set_are_those_of_their_modules() -> None:
    from recommender.data import custom, synthetic

    assert (validation.GENERATED, validation.OWN) == (synthetic.NAME, custom.NAME)


def test_the_heads_that_are_accepted_are_those_that_are_registered() -> None:
    from recommender.models.heads import head

    for name in head_names():
        import_module(f"recommender.models.heads.{name}")
    assert sorted(head.HEADS) == head_names()


def test_the_workflow_trains_by_one_task_or_by_several() -> None:
    settings_file = Path(__file__).parents[2] / "workflow-train-model.yaml"
    launch.check(settings_file, ["distribution={strategy: multi_worker, workers: 2}"])
    with pytest.raises(ConfigError, match=r"^distribution\.workers: must be at least 2 in the workflow"):
        launch.check(settings_file, ["distribution.strategy=multi_worker"])


def test_a_search_sends_who_wants_a_cluster_to_the_commands_for_it(tmp_path: Path) -> None:
    settings = load_settings(None, ["distribution.strategy=multi_worker"], {})
    with pytest.raises(ConfigError, match=r"^distribution\.strategy: must be single .* recommender worker$"):
        stages.tune(settings, None, tmp_path)  # type: ignore[arg-type]
