import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import recommender.cli
from recommender.cli import cli
from recommender.cli.suggestion import same_places, spelled
from recommender.cli.tables import metrics_table, table
from recommender.config import load_settings

COMMANDS = sorted(cli.commands)
HEAVY = (
    "{'tensorflow', 'tf_keras', 'pandas', 'duckdb', 'pyarrow', 'numpy', 'metaflow', 'matplotlib', 'optuna'}"
)
METRICS = {
    "dataset": "synthetic",
    "split": "time_range",
    "seed": 42,
    "models": {
        "item_mean": {"test": {"rmse": 1.0}},
        "deep_ranking": {"test": {"rmse": 0.91, "auc": 0.75}},
        "popularity": {"test": {"ndcg@10": 0.1}},
        "two_stage": {"test": {"ndcg@10": 0.125, "accuracy@100": None}},
        "two_tower_retrieval": {"test": {"accuracy@100": None}},
    },
}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run a command in an empty folder: exit status, standard output and standard error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MOVIELENS_HOME", raising=False)

    def command(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["recommender", *arguments])
        with pytest.raises(SystemExit) as ended:
            recommender.cli.main()
        output = capsys.readouterr()
        return int(ended.value.code or 0), output.out, output.err

    return command


def publish(folder: Path, number: int) -> None:
    version = folder / "data/models/recommender" / str(number)
    version.mkdir(parents=True)
    (version / "metrics.json").write_text(json.dumps(METRICS), encoding="utf-8")


def test_every_command_of_the_readme_is_there() -> None:
    wanted = (
        "fetch prepare train tune evaluate export run recommend similar models doctor "
        "serve query deployments rollback stop features app worker"
    )
    assert sorted(wanted.split()) == COMMANDS


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_imports_nothing_heavy(command: str) -> None:
    program = (
        "import sys; from recommender.cli import cli\n"
        f"cli([*{command.split()!r}, '--help'], standalone_mode=False)\n"
        f"print('heavy:', {HEAVY} & set(sys.modules))"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout.startswith("Usage: ")
    assert answer.stdout.splitlines()[-1] == "heavy: set()"


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        ("nix", 2, "error: No such command 'nix'."),
        ("recommend", 2, "error: Missing option '--user'."),
        ("recommend --user 1 -n 0", 2, "error: Invalid value for '-n': 0 is not in the range x>=1."),
        (
            "prepare training.epochs=0",
            2,
            "error: training.epochs: input should be greater than or equal to 1, received 0",
        ),
        ("prepare nonsense", 2, "error: 'nonsense': expected KEY=VALUE, as in training.epochs=20"),
        ("train --config nix.yaml", 2, "error: nix.yaml: cannot be read: No such file or directory"),
        ("fetch ml-3", 2, "error: 'ml-3' is not a data set to fetch; those are ml-100k, "),
        ("fetch ml-100k --archive nix.zip", 1, "error: nix.zip: "),
        (
            "recommend --user 1",
            1,
            "error: data/models/recommender: no exported version there; make one with ",
        ),
        ("similar --movie X", 1, "error: data/models/recommender: no exported version there; make one with "),
        ("evaluate", 1, "error: data/runs: no run there yet; make one with `recommender train`"),
        ("export --run nix", 1, "error: data/runs/nix: no such run"),
        (
            "tune data.dataset=synthetic",
            2,
            "error: tuning.trials: must be above 0 for a search, received 0",
        ),
        ("run nix.yaml", 2, "error: nix.yaml: cannot be read: No such file or directory"),
    ],
)
def test_a_mistake_is_one_line_on_standard_error(run: Any, arguments: str, status: int, message: str) -> None:
    found, output, error = run(*arguments.split())
    assert (found, output) == (status, "")
    assert error.startswith(message)
    assert error.count("\n") == 1


def test_a_file_where_a_folder_should_be_is_one_line(run: Any, tmp_path: Path) -> None:
    (tmp_path / "runs").touch()
    status, _, error = run("tune", "tuning.trials=1", "workflow.runs=runs")
    assert status == 1
    assert error.startswith("error: runs/")
    assert error.count("\n") == 1


def test_no_command_at_all_shows_the_help(run: Any) -> None:
    status, _, error = run()
    assert status == 2
    assert error.startswith("Usage: recommender [OPTIONS] COMMAND")


def test_ctrl_c_is_one_line_and_status_130(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("recommender.cli.exported.list_versions", interrupted)
    status, output, error = run("models")
    assert (status, output, error.strip()) == (130, "", "error: interrupted")


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (OSError(28, "No space left on device", "data/x"), 1, "error: data/x: No space left on device\n"),
        (PermissionError(13, "Permission denied", "data/x"), 1, "error: data/x: Permission denied\n"),
    ],
)
def test_a_full_disk_and_a_forbidden_file_are_one_line(
    run: Any, monkeypatch: pytest.MonkeyPatch, error: OSError, status: int, message: str
) -> None:
    def failing(*_: object) -> None:
        raise error

    monkeypatch.setattr("recommender.cli.exported.list_versions", failing)
    assert run("models") == (status, "", message)


def test_a_mistake_of_ours_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("recommender.cli.exported.list_versions", broken)
    monkeypatch.setattr(sys, "argv", ["recommender", "models"])
    with pytest.raises(ZeroDivisionError):
        recommender.cli.main()


def test_the_settings_file_of_the_working_directory_is_the_default(run: Any) -> None:
    Path("workflow-train-model.yaml").write_text("workflow: {name: mine}\n", encoding="utf-8")
    assert run("models") == (
        0,
        "no version in data/models/mine yet\nnext: recommender run workflow-train-model.yaml\n",
        "",
    )
    Path("other.yaml").write_text("workflow: {name: other}\n", encoding="utf-8")
    assert "data/models/other" in run("models", "--config", "other.yaml")[1]


def test_versions_are_listed_with_their_metrics(run: Any, tmp_path: Path) -> None:
    for number in (1, 2):
        publish(tmp_path, number)
    _, output, _ = run("models")
    header, _, *rows = output.splitlines()
    assert header.split()[:4] == ["version", "data", "set", "split"]
    assert rows[1].split() == ["2", "synthetic", "time_range", "42", "0.9100", "0.1250", "-"]
    assert [version["version"] for version in json.loads(run("models", "--json")[1])] == [1, 2]


def answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answer in place of an exported model, which would import TensorFlow."""
    movie = SimpleNamespace(movie_id="50", title="Étoiles (1977)", score=4.25)

    class Model(SimpleNamespace):
        def __init__(self, folder: Path) -> None:
            super().__init__(recommend=lambda user, n: [movie] * n, similar=lambda movie_, n: [movie] * n)

    monkeypatch.setitem(sys.modules, "recommender.exported", SimpleNamespace(ExportedModel=Model))


def test_recommendations_have_rank_title_score_and_id(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(tmp_path, 3)
    answers(monkeypatch)
    _, output, _ = run("recommend", "--user", "42", "-n", "2")
    first, _, _, *rows = output.splitlines()
    assert first == "2 movies for user 42, by version 3"
    assert [row.split() for row in rows] == [[rank, "Étoiles", "(1977)", "4.2500", "50"] for rank in "12"]
    answer = json.loads(run("similar", "--movie", "Toy Story (1995)", "-n", "1", "--json")[1])
    assert answer == {
        "movie": "Toy Story (1995)",
        "version": 3,
        "movies": [{"movie_id": "50", "title": "Étoiles (1977)", "score": 4.25}],
    }


def test_the_doctor_fails_when_something_needed_is_missing(run: Any) -> None:
    status, output, _ = run("doctor")
    assert status == 1
    assert "mend it with: recommender fetch ml-100k" in output
    Path("workflow-train-model.yaml").write_text("data: {dataset: synthetic}\n", encoding="utf-8")
    assert run("doctor")[0] == 0


def test_the_command_is_installed_beside_the_interpreter() -> None:
    command = Path(sys.executable).with_name("recommender")
    assert os.access(command, os.X_OK)
    answer = subprocess.run([command, "--version"], capture_output=True, text=True, check=True)
    assert answer.stdout == f"recommender, version {recommender.__version__}\n"


def test_the_next_command_is_spelled_as_the_shell_finds_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "recommender"
    program.touch(0o755)
    monkeypatch.setattr(sys, "argv", [str(program)])
    monkeypatch.setenv("PATH", os.defpath)
    assert spelled("run", "a b.yaml") == f"{program} run 'a b.yaml'"
    monkeypatch.setenv("PATH", str(tmp_path))
    assert spelled("run", "a b.yaml") == "recommender run 'a b.yaml'"
    monkeypatch.setattr(sys, "argv", ["-c"])
    assert spelled("doctor") == "recommender doctor"


def test_preparing_suggests_training_with_the_same_settings(
    run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared = SimpleNamespace(summary=lambda: "3 ratings", folder=Path("data/prepared/x"))
    monkeypatch.setitem(sys.modules, "recommender.data.prepare", SimpleNamespace(prepare=lambda _: prepared))
    _, output, _ = run("prepare", "data.dataset=synthetic", "seed=3")
    assert output.splitlines()[-1] == "next: recommender train data.dataset=synthetic seed=3"


def test_what_to_run_next_names_the_settings_where_runs_and_models_are_elsewhere() -> None:
    folder = Path("runs/1")
    assert same_places(load_settings(overrides=["seed=3"], environ={}), folder) == []
    for elsewhere in ("workflow.runs=runs", "workflow.name=mine", "export.models=models"):
        settings = load_settings(overrides=[elsewhere], environ={})
        assert same_places(settings, folder) == ["--config", "runs/1/config.yaml"]


def test_columns_of_a_table_are_aligned() -> None:
    assert table(["name", "value"], [["a", 1.0], ["long name", None]]).splitlines() == [
        "name        value",
        "---------  ------",
        "a          1.0000",
        "long name       -",
    ]
    assert table(["name", "value"], []).splitlines() == ["name  value", "----  -----"]


def test_each_model_is_in_the_table_of_what_it_does_best_first() -> None:
    title, rating, ranking = metrics_table(METRICS).split("\n\n")
    assert title == "synthetic, test split (time_range), seed 42"
    assert [line.split() for line in rating.splitlines()[2:]] == [
        ["deep_ranking", "0.9100", "0.7500"],
        ["item_mean", "1.0000", "-"],
    ]
    assert [line.split() for line in ranking.splitlines()[2:]] == [
        ["two_stage", "0.1250", "-"],
        ["popularity", "0.1000", "-"],
    ]
