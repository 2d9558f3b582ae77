"""Deploying, rolling back and stopping, with a stand-in for the model server."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from recommender import deployment
from recommender.client import ModelClient, ServerUnavailable
from recommender.deployment.record import Record, read_record, write_record
from recommender.deployment.settings import DeploySettings
from recommender.deployment.targets.local import LocalTarget
from recommender.errors import RecommenderError

HOME = Path("data/deployments")
Publish = Callable[..., Path]
Settings = Callable[..., DeploySettings]
Rating = Callable[[DeploySettings], float]

pytestmark = pytest.mark.usefixtures("stand_in")


def record() -> Record:
    found = read_record(HOME / "recommender")
    assert found is not None
    return found


def refused(settings: DeploySettings) -> list[str]:
    with pytest.raises(RecommenderError) as error:
        deployment.deploy(settings, lambda line: None)
    return str(error.value).splitlines()


def test_the_latest_version_is_deployed_and_every_step_is_told(
    publish: Publish, deploy_settings: Settings, rating: Rating, said: list[str], workplace: Path
) -> None:
    publish(1)
    publish(2, answered=4.0, expected=4.0)
    found = deployment.deploy(deploy_settings(), said.append)
    url = f"http://127.0.0.1:{deploy_settings().local.port}"
    log = workplace / HOME / "recommender/server.log"
    assert said == [
        f"version 2 (latest) of recommender: {workplace}/data/models/recommender/2",
        "loaded and asked: 1 predictions as at export, at most 0 apart",
        f"waiting until version 2 is AVAILABLE at {url}; logs: {log}",
        "asked over REST: 1 predictions as at export, at most 0 apart",
        f"recommender: version 2 serves at {url}; logs: {log}",
        said[-1],
    ]
    assert (found.version, found.state, found.url, found.logs) == (2, "serving", url, str(log))
    assert rating(deploy_settings()) == 4.0
    assert record() == found


def test_the_line_for_a_shell_works_as_it_stands(
    publish: Publish, deploy_settings: Settings, said: list[str]
) -> None:
    publish(1)
    deployment.deploy(deploy_settings(), said.append)
    line = said[-1].removeprefix("ask it: ")
    answer = subprocess.run(["bash", "-c", f"{line} --silent"], capture_output=True, text=True, check=True)
    assert json.loads(answer.stdout)["predictions"][0]["rating"] == 3.5


def test_another_version_takes_over_in_the_same_process_and_no_request_fails(
    publish: Publish, deploy_settings: Settings, rating: Rating, said: list[str]
) -> None:
    publish(1)
    pid = deployment.deploy(deploy_settings(), said.append).details["pid"]
    publish(2, answered=4.0, expected=4.0)
    answers: list[float] = []
    done = threading.Event()

    def ask_all_the_time() -> None:
        while not done.is_set():
            answers.append(rating(deploy_settings()))

    users = threading.Thread(target=ask_all_the_time)
    users.start()
    try:
        assert deployment.deploy(deploy_settings(), said.append).details["pid"] == pid
        assert deployment.rollback(HOME, say=said.append).details["pid"] == pid
    finally:
        done.set()
        users.join()
    assert rating(deploy_settings()) == 3.5
    assert answers[0] == 3.5
    assert set(answers) <= {3.5, 4.0}


def test_rolling_back_twice_goes_two_versions_back(
    publish: Publish, deploy_settings: Settings, rating: Rating, said: list[str]
) -> None:
    for number in (1, 2, 3):
        publish(number, answered=number, expected=number)
        deployment.deploy(deploy_settings(), said.append)
    assert [deployment.rollback(HOME, say=said.append).version for _ in range(2)] == [2, 1]
    with pytest.raises(RecommenderError, match="recommender: no version was served before version 1"):
        deployment.rollback(HOME, say=said.append)
    assert rating(deploy_settings()) == 1
    assert deployment.rollback(HOME, to=3, say=said.append).version == 3
    assert rating(deploy_settings()) == 3
    with pytest.raises(RecommenderError, match="recommender serves version 3 already, at http://127"):
        deployment.rollback(HOME, to=3, say=said.append)
    with pytest.raises(RecommenderError, match="no version 7, there are 1, 2, 3"):
        deployment.rollback(HOME, to=7, say=said.append)


def test_a_version_that_answers_otherwise_than_at_export_gives_way_to_the_one_before(
    publish: Publish, deploy_settings: Settings, rating: Rating, said: list[str]
) -> None:
    publish(1)
    deployment.deploy(deploy_settings(), said.append)
    publish(2, answered=4.0, expected=4.5)
    failed, went_back = refused(deploy_settings())
    assert failed == (
        "recommender: version 2 is not deployed: the smoke request's predictions differ from those at "
        "export by 0.5, at most 0.0001 is allowed"
    )
    assert went_back.startswith("went back to version 1, which serves at http://127.0.0.1:")
    assert rating(deploy_settings()) == 3.5
    assert (record().version, record().state) == (1, "serving")
    change = record().history[-1]
    assert (change.event, change.version) == ("refused", 2)
    assert change.why.startswith("the smoke request's predictions differ")
    with pytest.raises(RecommenderError, match="no version was served before version 1"):
        deployment.rollback(HOME, say=said.append)


def test_a_version_that_cannot_be_loaded_gives_way_to_the_one_before(
    publish: Publish, deploy_settings: Settings, rating: Rating, said: list[str]
) -> None:
    publish(1)
    deployment.deploy(deploy_settings(), said.append)
    publish(2, answered=None)
    failed, _ = refused(deploy_settings())
    assert failed.endswith(
        "version 2 is not deployed: version 2 cannot be loaded: Could not find SavedModel in 2"
    )
    assert rating(deploy_settings()) == 3.5


def test_a_version_that_cannot_be_loaded_can_be_mended_and_deployed(
    publish: Publish, deploy_settings: Settings, rating: Rating, said: list[str]
) -> None:
    publish(1)
    deployment.deploy(deploy_settings(), said.append)
    broken = publish(2, answered=None)
    refused(deploy_settings())
    shutil.rmtree(broken)
    publish(2, answered=4.0, expected=4.0)
    deployment.deploy(deploy_settings(), said.append)
    assert rating(deploy_settings()) == 4.0


def test_with_no_version_before_it_everything_is_stopped(publish: Publish, deploy_settings: Settings) -> None:
    publish(1, answered=4.0, expected=3.5)
    failed, stopped = refused(deploy_settings())
    assert "differ from those at export by 0.5" in failed
    assert stopped.startswith("no version served before it, so it is stopped; logs: ")
    assert (record().version, record().state, record().details) == (None, "stopped", {})
    with pytest.raises(ServerUnavailable):
        ModelClient(record().url, retries=0).status()


def test_a_server_that_does_not_start_is_told_with_its_last_words(
    publish: Publish, deploy_settings: Settings, workplace: Path
) -> None:
    publish(1)
    folder = workplace / HOME / "recommender"
    folder.mkdir(parents=True)
    (folder / "refuse-to-start").touch()
    failed, _ = refused(deploy_settings())
    assert failed.endswith("the server has ended, its last words: error: told not to start")


def test_waiting_has_an_end(
    publish: Publish, deploy_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(1)
    sleeper = (sys.executable, "-c", "import time; time.sleep(60)")
    monkeypatch.setattr("recommender.deployment.targets.local.SERVE", sleeper)
    failed, _ = refused(deploy_settings("deployment.wait_seconds=0.2"))
    assert failed.endswith("version 1 is not AVAILABLE after 0.2 seconds: nobody answers")


def test_an_interrupted_deployment_goes_back_too(
    publish: Publish,
    deploy_settings: Settings,
    rating: Rating,
    said: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    publish(1)
    deployment.deploy(deploy_settings(), said.append)
    publish(2, answered=4.0, expected=4.0)

    def interrupt(line: str) -> None:
        if line.startswith("asked over REST"):
            raise KeyboardInterrupt

    with pytest.raises(
        RecommenderError, match="version 2 is not deployed: interrupted\nwent back to version 1"
    ) as error:
        deployment.deploy(deploy_settings(), interrupt)
    assert error.value.exit_status == 130
    assert rating(deploy_settings()) == 3.5


def test_a_port_that_is_taken_is_told_before_anything_changes(
    publish: Publish, deploy_settings: Settings, said: list[str]
) -> None:
    publish(1)
    deployment.deploy(deploy_settings(), said.append)
    with pytest.raises(RecommenderError) as error:
        deployment.deploy(deploy_settings("deployment.name=second"), said.append)
    pid = record().details["pid"]
    assert str(error.value) == (
        f"port {deploy_settings().local.port} of 127.0.0.1 is taken by process {pid} "
        f"({psutil.Process(pid).name()}); end that, or choose another with local.port=PORT"
    )
    assert read_record(HOME / "second") is None


def test_other_settings_of_the_server_start_another_process(
    publish: Publish, deploy_settings: Settings, said: list[str]
) -> None:
    publish(1)
    first = deployment.deploy(deploy_settings(), said.append)
    second = deployment.deploy(deploy_settings("local.workers=2"), said.append)
    assert first.details["pid"] != second.details["pid"]
    assert not psutil.pid_exists(first.details["pid"])
    assert second.version == 1


def test_going_back_also_goes_back_to_the_settings_before(
    publish: Publish, deploy_settings: Settings, rating: Rating, said: list[str]
) -> None:
    publish(1)
    deployment.deploy(deploy_settings(), said.append)
    publish(2, answered=4.0, expected=4.5)
    refused(deploy_settings("local.workers=2"))
    assert record().settings.local.workers == 1
    assert "--workers=1" in psutil.Process(record().details["pid"]).cmdline()
    assert rating(deploy_settings()) == 3.5


def test_a_stopped_deployment_keeps_its_record_and_can_be_deployed_again(
    publish: Publish, deploy_settings: Settings, rating: Rating, said: list[str]
) -> None:
    publish(1)
    deployment.deploy(deploy_settings(), said.append)
    pid = record().details["pid"]
    deployment.stop(HOME, say=said.append)
    assert said[-1] == f"recommender is stopped; logs: {record().logs}"
    assert not psutil.pid_exists(pid)
    assert [one.state for one in deployment.overview(HOME)] == ["stopped"]
    with pytest.raises(RecommenderError, match="recommender is stopped already; logs: "):
        deployment.stop(HOME, say=said.append)
    with pytest.raises(RecommenderError, match="recommender is stopped; to start it, deploy a version"):
        deployment.rollback(HOME, say=said.append)
    publish(2, answered=4.0, expected=4.0)
    deployment.deploy(deploy_settings(), said.append)
    assert deployment.rollback(HOME, say=said.append).version == 1
    assert rating(deploy_settings()) == 3.5


def test_a_process_that_has_ended_by_itself_is_told_and_can_be_replaced(
    publish: Publish, deploy_settings: Settings, rating: Rating, said: list[str]
) -> None:
    publish(1)
    pid = deployment.deploy(deploy_settings(), said.append).details["pid"]
    psutil.Process(pid).kill()
    psutil.Process(pid).wait()
    (one,) = deployment.overview(HOME)
    assert (one.state, one.pid) == ("ended", None)
    deployment.deploy(deploy_settings(), said.append)
    assert rating(deploy_settings()) == 3.5
    pid = record().details["pid"]
    psutil.Process(pid).kill()
    deployment.stop(HOME, say=said.append)
    assert said[-1].startswith(f"recommender is stopped, process {pid} had ended by itself; logs: ")


def test_a_process_that_has_got_the_same_id_is_left_alone(
    publish: Publish, deploy_settings: Settings, said: list[str]
) -> None:
    publish(1)
    deployment.deploy(deploy_settings(), said.append)
    deployment.stop(HOME, say=said.append)
    somebody = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        text = (HOME / "recommender/deployment.json").read_text(encoding="utf-8")
        details = {"pid": somebody.pid, "started": 1_000_000.0, "command": []}
        recycled = json.loads(text) | {"state": "serving", "version": 1, "details": details}
        (HOME / "recommender/deployment.json").write_text(json.dumps(recycled), encoding="utf-8")
        assert [one.state for one in deployment.overview(HOME)] == ["ended"]
        deployment.stop(HOME, say=said.append)
        assert somebody.poll() is None
    finally:
        somebody.communicate(b"\n")


def test_commands_at_the_same_time_wait_for_each_other(
    publish: Publish, deploy_settings: Settings, said: list[str], rating: Rating
) -> None:
    publish(1)
    publish(2, answered=4.0, expected=4.0)
    others = set(psutil.Process().children())  # such as multiprocessing's, of earlier tests
    deployments = [
        threading.Thread(
            target=deployment.deploy, args=(deploy_settings(f"model.version={number}"), said.append)
        )
        for number in (1, 2, 1, 2)
    ]
    for one in deployments:
        one.start()
    for one in deployments:
        one.join()
    assert [change.event for change in record().history] == ["deployed"] * 4
    assert rating(deploy_settings()) == {1: 3.5, 2: 4.0}[record().version or 0]
    ours = set(psutil.Process().children()) - others
    running = [child.pid for child in ours if child.status() != psutil.STATUS_ZOMBIE]
    assert running == [record().details["pid"]]


def test_a_deployment_at_one_target_is_not_left_running_for_another(
    publish: Publish, deploy_settings: Settings, said: list[str]
) -> None:
    publish(1)
    deployment.deploy(deploy_settings(), said.append)
    with pytest.raises(RecommenderError, match="recommender runs at target local, not docker: stop it first"):
        deployment.deploy(deploy_settings("deployment.target=docker"), said.append)


def test_without_a_smoke_request_there_is_none(
    publish: Publish, deploy_settings: Settings, said: list[str]
) -> None:
    (publish(1) / "smoke.json").unlink()
    with pytest.raises(RecommenderError, match=r"smoke\.json: cannot be read: .* deployment\.smoke=false"):
        deployment.deploy(deploy_settings(), said.append)
    deployment.deploy(deploy_settings("deployment.smoke=false"), said.append)
    assert not any("asked" in line for line in said)
    assert shlex.split(said[-1].removeprefix("ask it: "))[-1].endswith("/v1/models/recommender")


def test_a_plan_renders_and_starts_nothing(
    publish: Publish, deploy_settings: Settings, workplace: Path
) -> None:
    publish(1)
    planned = deployment.plan(deploy_settings())
    assert planned.folder == workplace / HOME / "recommender/dry-run"
    assert planned.files == ["models.config"]
    assert "versions: 1" in (planned.folder / "models.config").read_text(encoding="utf-8")
    assert f"--model_config_file={planned.folder}/models.config" in planned.commands[0]
    assert f"--rest_api_port={deploy_settings().local.port}" in planned.commands[0]
    assert deployment.overview(HOME) == []


def test_several_deployments_have_to_be_named(
    publish: Publish, deploy_settings: Settings, said: list[str], other_port: int
) -> None:
    with pytest.raises(RecommenderError, match="no deployment there; make one with `recommender run"):
        deployment.stop(HOME, say=said.append)
    publish(1)
    deployment.deploy(deploy_settings(), said.append)
    deployment.deploy(deploy_settings("deployment.name=second", f"local.port={other_port}"), said.append)
    with pytest.raises(RecommenderError, match="several deployments, name one: recommender, second"):
        deployment.stop(HOME, say=said.append)
    with pytest.raises(RecommenderError, match="no deployment 'third'; there are: recommender, second"):
        deployment.rollback(HOME, "third", say=said.append)
    deployment.stop(HOME, "second", say=said.append)
    assert [(one.name, one.state) for one in deployment.overview(HOME)] == [
        ("recommender", "serving"),
        ("second", "stopped"),
    ]


def test_after_a_command_that_was_killed_the_version_from_before_it_can_be_brought_back(
    publish: Publish, deploy_settings: Settings, rating: Rating, said: list[str]
) -> None:
    publish(1)
    deployment.deploy(deploy_settings(), said.append)
    serving = record()
    publish(2, answered=4.0, expected=4.0)
    deployment.deploy(deploy_settings(), said.append)
    killed_on_its_way_to_2 = serving.model_copy(update={"state": "starting"})
    for to in (None, 1):
        write_record(killed_on_its_way_to_2, HOME / "recommender")
        assert deployment.rollback(HOME, to=to, say=said.append).version == 1
        assert rating(deploy_settings()) == 3.5


def test_no_reason_is_lost_where_stopping_fails_too(
    publish: Publish, deploy_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(1, answered=4.0, expected=3.5)
    stop = LocalTarget.stop

    def fails(target: LocalTarget) -> None:
        if target.details:
            raise RecommenderError("the engine is gone")

    monkeypatch.setattr(LocalTarget, "stop", fails)
    failed, outcome = refused(deploy_settings())
    assert "differ from those at export by 0.5" in failed
    assert outcome.startswith(
        "no version served before it, and stopping it failed too: the engine is gone; logs: "
    )
    assert (record().state, record().version) == ("failed", None)
    monkeypatch.setattr(LocalTarget, "stop", stop)
    with pytest.raises(RecommenderError, match="recommender runs at target local, not docker: stop it first"):
        deployment.deploy(deploy_settings("deployment.target=docker"), lambda line: None)
    deployment.stop(HOME, say=lambda line: None)
    assert record().details == {}


def test_no_reason_is_lost_where_the_record_cannot_be_written(
    publish: Publish, deploy_settings: Settings, workplace: Path
) -> None:
    publish(1)
    (workplace / HOME / "recommender/deployment.json/in-its-place").mkdir(parents=True)
    with pytest.raises(RecommenderError, match=r"deployment\.json: cannot be read: Is a directory"):
        deployment.deploy(deploy_settings(), lambda line: None)
    (workplace / HOME / "recommender/deployment.json/in-its-place").rmdir()
    (workplace / HOME / "recommender/deployment.json").rmdir()
    (workplace / HOME / "recommender/models.config/in-its-place").mkdir(parents=True)
    failed, outcome = refused(deploy_settings())
    assert failed.endswith("models.config: cannot be written: Is a directory")
    assert outcome.startswith("no version served before it, so it is stopped; logs: ")


def test_the_versions_of_another_model_are_no_way_back(
    publish: Publish, deploy_settings: Settings, said: list[str], workplace: Path
) -> None:
    for number in (1, 2):
        publish(number)
    deployment.deploy(deploy_settings("model.version=1"), said.append)
    shutil.copytree(workplace / "data/models/recommender", workplace / "other/recommender")
    deployment.deploy(deploy_settings("model.version=2", "model.base=other"), said.append)
    with pytest.raises(RecommenderError, match="no version was served before version 2"):
        deployment.rollback(HOME, say=said.append)


def test_a_damaged_record_hides_and_hinders_no_other(
    publish: Publish, deploy_settings: Settings, said: list[str], workplace: Path
) -> None:
    publish(1)
    deployment.deploy(deploy_settings(), said.append)
    shutil.copytree(workplace / HOME / "recommender", workplace / HOME / "a-copy")
    (workplace / HOME / "damaged").mkdir()
    (workplace / HOME / "damaged/deployment.json").write_bytes(b"\xff")
    copy, damaged, good = deployment.overview(HOME)
    assert (copy.name, copy.state, damaged.name, damaged.state) == ("a-copy", "unknown", "damaged", "unknown")
    assert copy.error.endswith("a-copy/deployment.json: the record of 'recommender', not of 'a-copy'")
    assert "damaged/deployment.json: not the record of a deployment: Invalid JSON" in damaged.error
    assert (good.name, good.state) == ("recommender", "serving")
    deployment.stop(HOME, "recommender", said.append)
    for name in ("damaged", "a-copy"):
        with pytest.raises(RecommenderError, match=rf"{name}/deployment\.json: "):
            deployment.stop(HOME, name, said.append)
    shutil.rmtree(workplace / HOME / "a-copy")
    shutil.rmtree(workplace / HOME / "damaged")


def test_a_folder_that_cannot_be_made_is_told(publish: Publish, deploy_settings: Settings) -> None:
    publish(1)
    Path("in-the-way").touch()
    with pytest.raises(RecommenderError, match=r"recommender: this folder cannot be made: Not a directory"):
        deployment.deploy(deploy_settings("deployment.home=in-the-way"), lambda line: None)
    with pytest.raises(RecommenderError, match=r"dry-run: this folder cannot be made: Not a directory"):
        deployment.plan(deploy_settings("deployment.home=in-the-way"))
