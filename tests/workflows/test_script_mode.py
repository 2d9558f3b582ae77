"""The training file in a SageMaker container: hyper-parameters, channels, and what is left for deployment."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from recommender.config import Settings
from recommender.errors import ConfigError, DataError
from recommender.workflows import script_mode

Workplace = Any
ROOT = Path(__file__).parents[2]
SETTINGS = ROOT / "workflow-train-model.yaml"
SYNTHETIC = ("--data.dataset", "synthetic")


def settings(*arguments: str, **environ: str) -> Settings:
    return script_mode.script_settings(arguments, environ, SETTINGS)


def problem(*arguments: str) -> str:
    with pytest.raises(ConfigError) as error:
        settings(*arguments)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.fixture
def channel(tmp_path: Path) -> Path:
    folder = tmp_path / "training"
    folder.mkdir()
    return folder


def test_hyper_parameters_lay_over_the_settings_file() -> None:
    found = settings("--epochs", "20", "--learning-rate", "0.5", "--batch_size=64", *SYNTHETIC)
    assert (found.training.epochs, found.training.learning_rate, found.training.batch_size) == (20, 0.5, 64)
    assert (
        settings("--training.epochs", "20", *SYNTHETIC).training
        == settings("--epochs", "20", *SYNTHETIC).training
    )
    assert settings("--seed", "7", "--preset", "frozen", *SYNTHETIC).features.mode == "frozen"
    assert settings("--retrieval.embedding-size", "8", *SYNTHETIC).retrieval.embedding_size == 8
    assert settings(*SYNTHETIC).training.epochs == 2  # the file's


def test_values_come_as_sagemaker_writes_them() -> None:
    """Its toolkit passes `str` of the Python value, and nothing for None (mapping.py, to_cmd_args)."""
    found = settings("--ranking.head_options", "{'hidden': [8, 4]}", "--tuning.pruning", "False", *SYNTHETIC)
    assert found.ranking.head_options["hidden"] == [8, 4]
    assert found.tuning.pruning is False
    assert settings("--data.archive", "", *SYNTHETIC).data.archive is None


def test_what_estimators_add_of_their_own_is_no_hyper_parameter() -> None:
    assert settings("--model_dir", "s3://bucket/job/model", *SYNTHETIC) == settings(*SYNTHETIC)


def test_an_unknown_hyper_parameter_is_told_with_those_that_there_are() -> None:
    message = problem("--momentum", "0.9")
    assert message.startswith("--momentum: unknown hyper-parameter; there are --seed, --preset, --epochs, ")
    assert problem("--training.momentum", "0.9") == "training.momentum: unknown key, received 0.9"
    assert problem("--epochs", "0").startswith("training.epochs: ")
    assert problem("--epochs") == "--epochs: expected --NAME VALUE, as in --epochs 20"
    assert problem("20", "--epochs").startswith("20: expected --NAME VALUE")


def test_training_on_several_machines_is_refused_before_any_work() -> None:
    with pytest.raises(ConfigError, match=r"^training runs on one machine, received 2 \(instance_count\)$"):
        settings(*SYNTHETIC, SM_HOSTS='["algo-1", "algo-2"]')
    assert settings(*SYNTHETIC, SM_HOSTS='["algo-1"]') == settings(*SYNTHETIC)


def test_the_run_goes_to_the_jobs_output_unless_told_otherwise() -> None:
    assert settings(*SYNTHETIC, SM_OUTPUT_DATA_DIR="/opt/out").workflow.runs == Path("/opt/out")
    checkpoints = ("--workflow.runs", "/opt/ml/checkpoints")
    assert settings(*checkpoints, *SYNTHETIC, SM_OUTPUT_DATA_DIR="/opt/out").workflow.runs == Path(
        "/opt/ml/checkpoints"
    )


@pytest.mark.parametrize("place", ["ml-100k.zip", "ml-100k", "."])
def test_a_channel_holds_an_archive_its_folder_or_its_files(channel: Path, place: str) -> None:
    if place == "ml-100k.zip":
        with zipfile.ZipFile(channel / place, "w") as archive:
            archive.writestr("ml-100k/u.data", "")
    else:
        (channel / place).mkdir(exist_ok=True)
        (channel / place / "u.data").touch()
    found = settings(SM_CHANNEL_TRAINING=str(channel))
    assert found.data.archive == channel / place


def test_a_channel_without_the_data_set_is_told_with_what_it_holds(channel: Path) -> None:
    (channel / "ratings.csv").touch()
    with pytest.raises(DataError) as error:
        settings(SM_CHANNEL_TRAINING=str(channel))
    assert str(error.value) == (
        f"SM_CHANNEL_TRAINING: {channel} must hold ml-100k as ml-100k.zip, as a folder ml-100k "
        "or as its files such as u.data, and holds ratings.csv"
    )
    with pytest.raises(DataError, match="and holds nothing: there is no such folder"):
        settings(SM_CHANNEL_TRAINING=str(channel / "nix"))


def test_own_tables_are_looked_for_in_the_channel(channel: Path) -> None:
    for name in ("ours.csv", "films.parquet"):
        (channel / name).touch()
    own = ("--data.dataset", "custom", "--data.custom.ratings", "ours.csv")
    found = settings(*own, "--data.custom.movies", "films.parquet", SM_CHANNEL_TRAINING=str(channel))
    assert found.data.custom.ratings == channel / "ours.csv"
    assert found.data.custom.movies == channel / "films.parquet"
    assert found.data.custom.users is None


def test_a_metaflow_command_is_one_also_in_a_container() -> None:
    container = {"SM_MODEL_DIR": "/opt/ml/model"}
    assert script_mode.is_script_mode(["--epochs", "20"], container)
    assert script_mode.is_script_mode([], container)
    assert not script_mode.is_script_mode(["--epochs", "20"], {})
    for arguments in (["run"], ["--no-pylint", "resume"], ["card", "view", "train"], ["show"]):
        assert not script_mode.is_script_mode(arguments, container)


def test_every_command_of_metaflow_is_known(workplace: Workplace) -> None:
    program = (
        f"import sys; sys.argv = [{str(ROOT / 'workflow_train_model.py')!r}]; "
        "from metaflow.plugins import get_plugin_cli; from metaflow.cli import cli; "
        "names = set(cli.commands); [names.update(group.commands) for group in get_plugin_cli()]; "
        "print(' '.join(sorted(names)))"
    )
    status, output = workplace.run("python", "-c", program, METAFLOW_USER="test")
    assert status == 0, output
    assert set(output.split()) <= script_mode.METAFLOW_COMMANDS


def container(workplace: Workplace, *arguments: str, **environ: str) -> tuple[int, str]:
    """Run the training file as SageMaker does."""
    places = {
        "SM_MODEL_DIR": str(workplace.folder / "opt/ml/model"),
        "SM_OUTPUT_DATA_DIR": str(workplace.folder / "opt/ml/output/data"),
        "SM_NUM_CPUS": "2",
        "SM_HOSTS": '["algo-1"]',
        "TRAINING_JOB_NAME": "job-1",
    }
    command = [str(ROOT / "workflow_train_model.py"), *SYNTHETIC, *arguments]
    return workplace.run("python", *command, **{**places, **environ})


def test_all_stages_run_in_one_process_and_leave_what_sagemaker_deploys(workplace: Workplace) -> None:
    status, output = container(workplace, "--epochs", "9", "--learning-rate", "0.25")
    assert status == 0, output
    ended = [workplace.log(stage, "end") for stage in ("prepare", "train", "evaluate", "export")]
    assert len({process for ((process, _),) in ended}) == 1
    assert workplace.log("train", "end")[0][1] == "epochs=9 lr=0.25"
    model = workplace.folder / "opt/ml/model"
    assert [path.relative_to(model).as_posix() for path in sorted(model.rglob("*"))] == [
        "1",
        "1/metrics.json",
        "1/saved_model.pb",
    ]
    assert f"version 1 for deployment in {model}/1" in output
    assert "deep_ranking test rmse = 0.95" in output  # for the job's metric definitions
    kept = workplace.folder / "opt/ml/output/data/job-1"
    assert json.loads((kept / "metrics.json").read_text(encoding="utf-8"))["dataset"] == "stand-in"
    assert not (workplace.folder / ".metaflow").exists()


def test_a_job_that_is_started_again_goes_on_where_it_was(workplace: Workplace) -> None:
    assert container(workplace, STANDIN_FAIL="export")[0] == 1
    assert container(workplace)[0] == 0
    assert len(workplace.log("train", "begin")) == 1
    assert container(workplace, TRAINING_JOB_NAME="job-2")[0] == 0
    assert len(workplace.log("train", "begin")) == 2


def test_the_search_runs_before_the_training_when_it_is_asked_for(workplace: Workplace) -> None:
    assert container(workplace, "--tuning.trials", "2")[0] == 0
    assert [detail for _, detail in workplace.log("tune", "end")] == ["0"]


@pytest.mark.parametrize(
    ("arguments", "environ", "status", "message"),
    [
        (["--momentum", "0.9"], {}, 2, "error: --momentum: unknown hyper-parameter; "),
        (["--training.momentum", "0.9"], {}, 2, "error: training.momentum: unknown key, received 0.9"),
        ([], {"STANDIN_FAIL": "prepare"}, 1, "error: u.data, line 7: rating must be within 1 to 5"),
    ],
)
def test_errors_are_one_line_and_an_exit_status(
    workplace: Workplace, arguments: list[str], environ: dict[str, str], status: int, message: str
) -> None:
    ended, output = container(workplace, *arguments, **environ)
    assert (ended, len(output.splitlines())) == (status, 1)
    assert output.startswith(message)
    assert not (workplace.folder / "opt/ml/model/1").exists()


def test_the_flow_still_runs_in_a_container_when_it_is_told_to(workplace: Workplace) -> None:
    model = workplace.folder / "opt/ml/model"
    status, output = workplace.run("flow", "show", SM_MODEL_DIR=str(model))
    assert status == 0, output
    assert "Step prepare" in output


def test_script_mode_needs_no_metaflow_and_no_installed_package(tmp_path: Path) -> None:
    """As in a container that has the requirements and the checkout."""
    program = (
        "import runpy, sys; sys.modules['metaflow'] = None; "
        "sys.path[:] = [path for path in sys.path if not path.startswith(sys.argv[1])]; "
        "sys.meta_path[:] = [f for f in sys.meta_path if '__editable__' not in str(f)]; "
        "sys.argv = [sys.argv[2], '--momentum', '1']; runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    command = [sys.executable, "-c", program, str(ROOT / "src"), str(ROOT / "workflow_train_model.py")]
    environ = {"SM_MODEL_DIR": str(tmp_path / "model")}
    answer = subprocess.run(command, env=environ, cwd=tmp_path, capture_output=True, text=True)
    assert answer.returncode == 2
    assert answer.stderr.startswith("error: --momentum: unknown hyper-parameter; ")
