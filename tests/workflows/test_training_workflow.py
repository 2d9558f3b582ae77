"""The mechanics of the training workflow, on quick stand-ins for its heavy stages."""

import base64
import os
import re
import shlex
import signal
from typing import Any

import psutil
import pytest

STAGES = ["prepare", "train", "evaluate", "export"]
Workplace = Any


def test_the_flow_runs_directly_and_leaves_a_version_and_a_card(workplace: Workplace) -> None:
    status, output = workplace.run("flow", "run")
    assert status == 0, output
    assert [version.name for version in workplace.versions()] == ["1"]
    assert "published version 1 in" in output
    (card,) = (workplace.folder / ".metaflow").rglob("cards/*.html")
    data = re.search(r'__MF_DATA__\["[^"]*"\] = "([^"]*)"', card.read_text(encoding="utf-8"))
    assert data is not None
    shown = base64.b64decode(data[1]).decode()
    assert "stand-in: 3 ratings" in shown
    assert "data:image/png" in shown


def test_metaflow_writes_to_the_working_directory_and_nowhere_else(workplace: Workplace) -> None:
    (workplace.folder / "home/.metaflow").mkdir()
    assert workplace.run("flow", "run")[0] == 0
    assert not list((workplace.folder / "home/.metaflow").iterdir())
    assert {path.name for path in workplace.folder.iterdir()} == {".metaflow", "data", "home", "log"}


def test_who_knows_metaflow_finds_its_client_and_its_cards(workplace: Workplace) -> None:
    assert workplace.run("flow", "run")[0] == 0
    program = (
        "from metaflow import Flow, namespace; from metaflow.cards import get_cards; namespace(None); "
        "run = Flow('TrainModelFlow').latest_successful_run; "
        "print(run.data.version, run.data.metrics['dataset'], len(get_cards(run['train'].task)))"
    )
    assert workplace.run("python", "-c", program)[1].splitlines()[-1] == "1 stand-in 1"


def test_the_settings_in_force_are_kept_with_the_run(workplace: Workplace) -> None:
    assert workplace.run("recommender", "run", str(workplace.settings), "seed=7")[0] == 0
    (kept,) = (workplace.folder / "data/runs").glob("*/config.yaml")
    assert "seed: 7\n" in kept.read_text(encoding="utf-8")


@pytest.mark.parametrize("program", ["flow", "recommender"])
def test_the_original_environment_variables_still_set_epochs_and_learning_rate(
    workplace: Workplace, program: str
) -> None:
    arguments = ["run"] if program == "flow" else ["run", str(workplace.settings)]
    assert workplace.run(program, *arguments, HP_FINAL_EPOCHS="3", HP_FINAL_LR="0.5")[0] == 0
    assert workplace.log("train", "end")[0][1] == "epochs=3 lr=0.5"


def test_the_command_line_wins_over_the_environment(workplace: Workplace) -> None:
    arguments = ["run", str(workplace.settings), "training.epochs=4"]
    assert workplace.run("recommender", *arguments, HP_FINAL_EPOCHS="3", HP_FINAL_LR="0.5")[0] == 0
    assert workplace.log("train", "end")[0][1] == "epochs=4 lr=0.5"


def test_the_search_is_shared_by_workers_and_its_best_settings_are_trained(workplace: Workplace) -> None:
    arguments = ["tuning.trials=6", "tuning.workers=3"]
    status, output = workplace.run("recommender", "run", str(workplace.settings), *arguments)
    assert status == 0, output
    assert sorted(detail for _, detail in workplace.log("tune", "end")) == ["0", "1", "2"]
    assert workplace.log("train", "end")[0][1].startswith("epochs=3 ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["training.epochs=0"],
            "error: training.epochs: input should be greater than or equal to 1, received 0",
        ),
        (["training.epoch=3"], "error: training.epoch: unknown key, received 3"),
        (["data.dataset=ml-3"], "error: data.dataset: must be one of ml-100k, "),
        (["ranking.head=big"], "error: ranking.head: must be one of "),
        (["ranking.features=[user_id, x]"], "error: ranking.features: must be among "),
        (["workflow.kind=nix"], "error: workflow.kind: "),
    ],
)
def test_a_wrong_setting_stops_the_command_with_one_line_and_status_2_before_any_work(
    workplace: Workplace, arguments: list[str], message: str
) -> None:
    status, output = workplace.run("recommender", "run", str(workplace.settings), *arguments)
    assert status == 2
    assert output.startswith(message)
    assert output.count("\n") == 1
    assert not (workplace.folder / "data").exists()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("training: {epochs: 0}", "training.epochs: input should be greater than or equal to 1, received 0"),
        ("distribution: {strategy: multi_worker}", "distribution.workers: must be at least 2 in the"),
    ],
)
def test_a_wrong_setting_stops_the_flow_before_any_work_without_a_traceback(
    workplace: Workplace, settings: str, message: str
) -> None:
    status, output = workplace.run("flow", "--config-value", "settings", settings, "run")
    assert status != 0
    assert message in output
    assert "Traceback" not in output
    assert not (workplace.folder / "data/runs").exists()


@pytest.mark.parametrize("stage", ["prepare", "tune", "train"])
def test_bad_data_stop_the_workflow_with_their_line_and_without_a_traceback(
    workplace: Workplace, stage: str
) -> None:
    arguments = ["run", str(workplace.settings), "tuning.trials=1"]
    status, output = workplace.run("recommender", *arguments, STANDIN_FAIL=stage)
    assert status == 1
    assert "u.data, line 7: rating must be within 1 to 5, received 9" in output
    assert "Traceback" not in output
    assert output.splitlines()[-1].startswith(
        "error: the workflow failed, its output says why; to go on with it: "
    )
    assert workplace.versions() == []


@pytest.mark.parametrize(
    ("stage", "whom"), [*((stage, "everything") for stage in [*STAGES, "tune"]), ("train", "the task")]
)
def test_a_run_killed_at_any_stage_is_resumed_and_publishes_once(
    workplace: Workplace, stage: str, whom: str
) -> None:
    arguments = ["--config-value", "settings", "tuning: {trials: 2, workers: 1}", "run"]
    flow = workplace.start("flow", *arguments, STANDIN_HOLD=stage)
    workplace.wait_for(lambda: workplace.log(stage, "begin"))
    assert workplace.versions() == []
    if whom == "everything":
        os.killpg(flow.pid, signal.SIGKILL)
    else:
        os.kill(workplace.log(stage, "begin")[0][0], signal.SIGKILL)
    assert workplace.finish(flow)[0] != 0
    assert workplace.versions() == []
    status, output = workplace.run("flow", "resume")
    assert status == 0, output
    assert [version.name for version in workplace.versions()] == ["1"]
    assert {path.name for path in workplace.versions()[0].iterdir()} == {"saved_model.pb", "metrics.json"}
    earlier = ["prepare", "tune", "train"]
    for done in earlier[: earlier.index(stage) if stage in earlier else 2]:
        assert len(workplace.log(done, "begin")) == 1


def test_a_resumed_run_waits_for_an_orphan_that_still_trains(workplace: Workplace) -> None:
    flow = workplace.start("flow", "run", STANDIN_HOLD="train")
    workplace.wait_for(lambda: workplace.log("train", "begin"))
    ((orphan, _),) = workplace.log("train", "begin")
    os.kill(flow.pid, signal.SIGKILL)
    flow.wait()
    resumed = workplace.start("flow", "resume")
    line = ""
    while f"waiting for process {orphan}, which is still at train" not in line:
        line = resumed.stdout.readline()
        assert line, "the resumed run did not wait"
    assert len(workplace.log("train", "begin")) == 1
    workplace.release.touch()
    status, output = workplace.finish(resumed)
    assert status == 0, output
    assert [process for process, _ in workplace.log("train", "begin")] == [orphan]
    assert [version.name for version in workplace.versions()] == ["1"]


def test_two_runs_at_once_do_not_collide(workplace: Workplace) -> None:
    flows = [workplace.start("flow", "run", STANDIN_HOLD="export") for _ in range(2)]
    workplace.wait_for(lambda: len(workplace.log("export", "begin")) == 2)
    workplace.release.touch()
    for flow in flows:
        status, output = workplace.finish(flow)
        assert status == 0, output
    assert [version.name for version in workplace.versions()] == ["1", "2"]
    assert len(list((workplace.folder / "data/runs").iterdir())) == 2


def alive(process: int) -> bool:
    try:
        return psutil.Process(process).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_command_ends_its_tasks_and_says_how_to_go_on(workplace: Workplace, number: int) -> None:
    command = workplace.start("recommender", "run", str(workplace.settings), STANDIN_HOLD="train")
    workplace.wait_for(lambda: workplace.log("train", "begin"))
    os.kill(command.pid, number)
    status, output = workplace.finish(command)
    assert status == 128 + number
    (last,) = output.splitlines()[-1:]
    assert last.startswith("error: the workflow was stopped; to go on with it: recommender run ")
    workplace.wait_for(lambda: not alive(workplace.log("train", "begin")[0][0]))
    arguments = shlex.split(last.split("recommender ", 1)[1])
    status, output = workplace.run("recommender", *arguments)
    assert status == 0, output
    assert len(workplace.log("prepare", "begin")) == 1
    assert [version.name for version in workplace.versions()] == ["1"]


def test_a_finished_command_shows_the_metrics_and_what_to_do_next(workplace: Workplace) -> None:
    status, output = workplace.run("recommender", "run", str(workplace.settings))
    assert status == 0
    assert output.startswith("preset: null\nseed: 42\n")
    assert output.splitlines()[-2:] == [
        f"published version 1 in {workplace.versions()[0]}",
        "next: recommender recommend --user 42",
    ]
    table = output[output.index("rating prediction") :].splitlines()
    assert [line.split() for line in table[:4:1]] == [
        ["rating", "prediction", "rmse"],
        ["-----------------", "------"],
        ["deep_ranking", "0.9500"],
        ["item_mean", "1.0000"],
    ]


def test_settings_cannot_change_in_a_resumed_run(workplace: Workplace) -> None:
    arguments = ["run", str(workplace.settings), "seed=3", "--resume", "1"]
    assert workplace.run("recommender", *arguments) == (
        2,
        "error: a resumed run keeps its settings; leave out seed=3\n",
    )


def test_resuming_a_run_that_never_was_is_an_error_that_names_those_there_are(workplace: Workplace) -> None:
    resume = ["run", str(workplace.settings), "--resume"]
    message = "error: there is no run {} of TrainModelFlow; the newest: {}\n"
    assert workplace.run("recommender", *resume, "latest") == (1, message.format("latest", "none"))
    workplace.run("flow", "run", STANDIN_FAIL="prepare")
    (run,) = (path.name for path in (workplace.folder / "data/runs").iterdir())
    assert workplace.run("recommender", *resume, "17") == (1, message.format("17", run))
    status, output = workplace.run("recommender", *resume, "latest")
    assert status == 0, output
