"""The training workflow on a cluster: what Metaflow makes of it, and its pods run without a shared disk."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from argo_pods import REPLICAS, ArgoPods, jobs_of
from loopback_s3 import empty_bucket

from recommender.deployment.targets.kubernetes_manifests import check_manifests
from recommender.errors import ConfigError
from recommender.versions import Version
from recommender.workflows import cluster, hand_over, launch

ROOT = Path(__file__).parents[2]
SETTINGS = ROOT / "workflow-train-model.yaml"
SCHEMA = Path(__file__).with_name("argo_workflow_template.schema.json")
STANDINS = Path(__file__).with_name("standins") / "sitecustomize.py"
IMAGE = "registry.example/recommender:1"
SECRET = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION", "AWS_EC2_METADATA_DISABLED")
SEARCH = ("fan-out", "fan-out-foreach-workers", "choose")
GANG = ("gather", "gather-foreach-parallel", "fitted")
TRAIN = ("train", "export", "end")
TOGETHER = "distribution={strategy: multi_worker, workers: 2}"
BATCH = ("workflow.queue=jobs", "workflow.role=arn:aws:iam::123456789012:role/batch")
TINY = (
    "data.dataset=synthetic",
    "data.synthetic={users: 120, movies: 80, ratings: 3000}",
    "training.epochs=1",
    "retrieval.embedding_size=8",
    "retrieval.training={epochs: 1}",
    "retrieval.candidates=20",
    "retrieval.priors=[]",
    "ranking.embedding_size=4",
    "ranking.head_options={factors: 3, iterations: 2, folds: 2, hidden: [8]}",
)


def launched(bucket: str, target: str, *overrides: str) -> launch.Launch:
    needed = [f"workflow.target={target}", f"workflow.image={IMAGE}", f"workflow.storage={bucket}/team"]
    return launch.check(SETTINGS, [*needed, *TINY, *overrides])


def template(bucket: str, *overrides: str) -> dict[str, Any]:
    path = launch.write_template(launched(bucket, "argo", *overrides))
    return json.loads(path.read_text(encoding="utf-8"))


def secret() -> dict[str, str]:
    """What a Secret with credentials puts into a pod's environment; where the storage is, it does not say."""
    return {name: value for name, value in os.environ.items() if name in SECRET}


@pytest.fixture(scope="module")
def written(s3_address: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A template with all that can be set, as Metaflow's own command writes it."""
    folder = tmp_path_factory.mktemp("written")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        url = empty_bucket(s3_address, patch, folder)
        return template(
            url,
            "workflow.name=Movies_2",
            "workflow.namespace=ml",
            "workflow.service_account=trainer",
            "workflow.secrets=[aws, database]",
            "workflow.resources.train={cpu: 7.5, memory: 30_000, disk: 50_000, gpu: 1}",
            "workflow.resources.fit.cpu=6",
            TOGETHER,
        )


def pods(written: dict[str, Any]) -> dict[str, Any]:
    """By the step that they run; a gang's are `fit-control` and `fit-worker`."""
    found = {
        f"fit-{name}": job["template"]["spec"]["template"]["spec"] for name, job in gang(written).items()
    }
    for each in written["spec"]["templates"]:
        if "container" in each:
            account = each.get("serviceAccountName")
            found[each["name"]] = {
                "containers": [each["container"]],
                "volumes": each.get("volumes"),
                "serviceAccountName": account,
            }
    return found


def containers(written: dict[str, Any]) -> dict[str, Any]:
    return {name: pod["containers"][0] for name, pod in pods(written).items()}


def gang(written: dict[str, Any]) -> dict[str, Any]:
    return jobs_of(manifest(written))


def manifest(written: dict[str, Any]) -> str:
    """Of the gang's JobSet, with the number of its workers as Argo fills it in."""
    (found,) = (each["resource"] for each in written["spec"]["templates"] if "resource" in each)
    return found["manifest"].replace(REPLICAS, "1")


def without_nulls(tree: Any) -> Any:
    """As the API server reads it: a null is a field that is not there."""
    if isinstance(tree, dict):
        return {key: without_nulls(value) for key, value in tree.items() if value is not None}
    return [without_nulls(value) for value in tree] if isinstance(tree, list) else tree


def test_the_template_is_one_that_argo_takes(written: dict[str, Any]) -> None:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(without_nulls(written), schema)
    assert (written["metadata"]["name"], written["metadata"]["namespace"]) == ("movies-2", "ml")
    names = {each["name"] for each in written["spec"]["templates"]}
    main = next(
        each for each in written["spec"]["templates"] if each["name"] == written["spec"]["entrypoint"]
    )
    tasks = [task["name"] for task in main["dag"]["tasks"]]
    assert tasks == ["start", "prepare", *SEARCH, *GANG, *TRAIN]
    assert {task["template"] for task in main["dag"]["tasks"]} < names


def test_a_gang_is_a_jobset_of_one_task_that_leads_and_the_others(written: dict[str, Any]) -> None:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jobset = {"$ref": "#/$defs/jobset", "$defs": schema["$defs"]}
    jsonschema.validate(without_nulls(yaml.safe_load(manifest(written))), jobset)
    assert {name: job["replicas"] for name, job in gang(written).items()} == {"control": 1, "worker": 1}


@pytest.mark.parametrize("release", ["1.25", None])
def test_its_pods_are_valid_in_old_and_new_kubernetes(written: dict[str, Any], release: str | None) -> None:
    for name, spec in pods(written).items():
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}
        check_manifests(yaml.safe_dump(without_nulls(pod)), release)


def test_each_step_asks_for_what_the_settings_say(written: dict[str, Any]) -> None:
    found = containers(written)
    asked = {name: found[name]["resources"] for name in ("prepare", "fit-worker", "train", "end")}
    assert asked["prepare"]["requests"] == {"cpu": "2", "memory": "8192M", "ephemeral-storage": "10240M"}
    assert asked["train"]["requests"] == {"cpu": "7.5", "memory": "30000M", "ephemeral-storage": "50000M"}
    assert asked["fit-worker"]["requests"]["cpu"] == "6"
    assert asked["train"]["limits"] == {"nvidia.com/gpu": "1"}
    assert asked["end"]["requests"]["memory"] == "1024M"
    assert "nvidia.com/gpu" not in asked["prepare"]["limits"]


def test_pods_are_not_root_and_get_image_identity_and_secrets(written: dict[str, Any]) -> None:
    steps = [name for name in containers(written) if "hook" not in name]
    assert len(steps) == 12
    for name in steps:
        container = containers(written)[name]
        assert container["image"] == IMAGE
        assert container["securityContext"]["runAsNonRoot"] is True
        assert container["securityContext"]["allowPrivilegeEscalation"] is False
        assert [each["secretRef"]["name"] for each in container["envFrom"]] == ["aws", "database"]
        assert pods(written)[name]["serviceAccountName"] == "trainer"


@pytest.mark.slow
def test_pods_of_an_argo_workflow_share_nothing_but_the_storage(
    bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With stand-ins for the heavy stages; what they need of earlier ones, they read from disk."""
    monkeypatch.chdir(tmp_path)
    log = tmp_path / "log"
    standins = {"POD_STANDINS": str(STANDINS), "STANDIN_LOG": str(log)}
    pods = ArgoPods(template(bucket, "tuning.trials=2"), tmp_path / "pods", secret() | standins)
    for task in ("start", "prepare", *SEARCH, *TRAIN):
        (output,) = pods.run(task)
        assert not list((tmp_path / "pods").iterdir())
    assert f"published version 1 in {bucket}/team/models/recommender/1" in output
    notes = [line.split()[:2] for line in log.read_text(encoding="utf-8").splitlines()]
    assert [stage for stage, moment in notes if moment == "end"] == [
        *("prepare", "tune", "train", "evaluate", "export")
    ]


@pytest.mark.large
@pytest.mark.parametrize(("more", "fit"), [([], ()), ([TOGETHER], GANG)], ids=["alone", "together"])
def test_pods_train_and_publish_a_version(
    bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: list[str], fit: tuple[str, ...]
) -> None:
    """The same without stand-ins: tiny synthetic data, real models, a real version."""
    monkeypatch.chdir(tmp_path)
    pods = ArgoPods(template(bucket, *more), tmp_path / "pods", secret())
    for task in ("start", "prepare", *fit, *TRAIN):
        pods.run(task)
        assert not list((tmp_path / "pods").iterdir())
    settings = cluster.with_endpoint(launched(bucket, "argo").settings)
    version = hand_over.bring_version(settings, Version(1, Path("1")))
    assert version.folder == tmp_path / "data/models/recommender/1"
    assert version.metrics()["models"]["deep_ranking"]["test"]["rmse"] > 0
    assert {"saved_model.pb", "smoke.json"} <= {path.name for path in version.folder.iterdir()}


@pytest.mark.parametrize(
    ("target", "more", "decorator"),
    [
        (
            "kubernetes",
            [],
            ("kubernetes", {"disk": 20_480, "security_context": cluster.UNPRIVILEGED}),
        ),
        ("aws-batch", BATCH, ("batch", {"queue": "jobs", "iam_role": BATCH[1].partition("=")[2]})),
    ],
)
def test_a_run_on_a_cluster_is_metaflows_own_run_with_a_decorator_for_each_step(
    target: str, more: list[str], decorator: tuple[str, dict[str, Any]]
) -> None:
    started = launched("s3://bucket", target, *more)
    workflow = started.settings.workflow
    flow, *options = launch.run_command(started, started.settings)[1:]
    assert flow == str(ROOT / "workflow_train_model.py")
    assert options[:4] == ["--no-pylint", "--datastore", "s3", "--config-value"]
    assert options[-1] == "run"
    assert launch.run_command(started, started.settings, "17")[-3:] == ["resume", "--origin-run-id", "17"]
    name, arguments = decorator
    of_train = {"image": IMAGE, "cpu": 4, "memory": 16_384}
    assert cluster.decorator(workflow, "train") == (name, of_train | arguments)
    assert cluster.environment(workflow)["METAFLOW_DATASTORE_SYSROOT_S3"] == "s3://bucket/team/metaflow"


@pytest.mark.parametrize(
    ("target", "more"),
    [("kubernetes", ()), ("kubernetes", (TOGETHER,)), ("aws-batch", BATCH)],
)
def test_metaflow_takes_the_flow_as_it_is_for_a_cluster(
    bucket: str, tmp_path: Path, target: str, more: tuple[str, ...]
) -> None:
    started = launched(bucket, target, *more)
    settings = cluster.with_endpoint(started.settings)
    command = [*launch.run_command(started, settings)[:-1], "check"]
    environ = {**os.environ, "METAFLOW_USER": "test", **cluster.environment(settings.workflow)}
    ended = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    assert "The graph looks good!" in ended.stderr + ended.stdout


def test_a_gang_on_aws_batch_is_refused_where_its_tasks_would_wait_in_vain_for_each_other(
    bucket: str, tmp_path: Path
) -> None:
    started = launched(bucket, "aws-batch", *BATCH, TOGETHER)
    settings = cluster.with_endpoint(started.settings)
    command = [*launch.run_command(started, settings)[:-1], "check"]
    environ = {**os.environ, "METAFLOW_USER": "test", **cluster.environment(settings.workflow)}
    ended = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True)
    assert ended.returncode != 0
    assert "workflow.target: aws-batch trains with several workers where Metaflow has" in ended.stderr
    assert "Traceback" not in ended.stderr
    cluster.check_metadata(settings, "service")


def test_nothing_is_told_to_metaflow_where_steps_run_here() -> None:
    started = launch.check(SETTINGS, ["data.dataset=synthetic"])
    assert cluster.decorator(started.settings.workflow, "train") is None
    assert cluster.environment(started.settings.workflow) == {}
    assert launch.run_command(started, started.settings)[3] == "--config-value"


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["workflow.image=null"], "workflow.image: must be set when workflow.target is argo"),
        (["workflow.storage=null"], "workflow.storage: must be set when workflow.target is argo"),
        (["workflow.storage=bucket/team"], "workflow.storage: string should match pattern"),
        (["workflow.target=aws-batch"], "workflow.queue: must be set when workflow.target is aws-batch"),
        (["workflow.resources.train.memory=0"], "workflow.resources.train: memory must be above 0"),
        (["workflow.resources.train.cpu=0"], "workflow.resources.train: cpu must be above 0"),
        (["workflow.resources.train.gpu=0.5"], "workflow.resources.train: gpu must be a whole number"),
        (["workflow.resources.train.cores=2"], "workflow.resources.train.cores"),
        (["tuning.trials=4", "tuning.workers=2"], "tuning.storage: must be a database URL when workflow"),
        (
            ["tuning.trials=4", "tuning.storage=sqlite:///studies.db"],
            "tuning.storage: must be a database that all machines reach when workflow.target is argo, rec",
        ),
        (
            ["workflow.target=aws-batch", *BATCH, "workflow.resources.train.disk=50_000"],
            "workflow.resources.train.disk: is for kubernetes and argo, must stay 20480 when workflow.target",
        ),
        (["data.home=/data"], "data.home: must be relative when workflow.target is argo, received '/data'"),
        (["workflow.runs=/runs"], "workflow.runs: must be relative when workflow.target is argo, received"),
        (["export.models=/models"], "export.models: must be relative when workflow.target is argo, received"),
        (["workflow.storage_endpoint=minio:9000"], "workflow.storage_endpoint: must be as in http://minio"),
    ],
)
def test_what_a_cluster_cannot_run_is_refused_before_any_work(overrides: list[str], message: str) -> None:
    with pytest.raises(ConfigError) as error:
        launched("s3://bucket", "argo", *overrides)
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)


def test_steps_are_told_where_an_s3_compatible_storage_is() -> None:
    settings = launched("s3://bucket", "argo").settings
    environ = {"AWS_ENDPOINT_URL": "http://all", "AWS_ENDPOINT_URL_S3": "http://minio:9000"}
    found = cluster.with_endpoint(settings, environ).workflow
    assert found.storage_endpoint == "http://minio:9000"
    assert cluster.environment(found)["METAFLOW_S3_ENDPOINT_URL"] == "http://minio:9000"
    said = launched("s3://bucket", "argo", "workflow.storage_endpoint=http://ceph").settings
    assert cluster.with_endpoint(said, environ).workflow.storage_endpoint == "http://ceph"
    assert cluster.with_endpoint(settings, {}) == settings


@pytest.mark.parametrize(
    ("endpoint", "message"),
    [
        ("minio:9000", "must be as in http://minio:9000, here or in AWS_ENDPOINT_URL, received 'minio:9000'"),
        (
            "https://me:secret@minio",
            "must hold no password and no user; credentials come from the environment",
        ),
    ],
)
def test_an_endpoint_that_the_environment_names_is_checked_like_one_of_the_settings(
    endpoint: str, message: str
) -> None:
    with pytest.raises(ConfigError) as error:
        cluster.with_endpoint(launched("s3://bucket", "argo").settings, {"AWS_ENDPOINT_URL": endpoint})
    assert str(error.value) == f"workflow.storage_endpoint: {message}"


def test_a_run_on_a_cluster_is_resumed_with_the_settings_that_it_was_begun_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Metaflow's commands are noted instead of run; the settings file by itself says `local`."""
    monkeypatch.chdir(tmp_path)
    calls: list[tuple[list[str], dict[str, str]]] = []

    def note(command: list[str], environ: dict[str, str]) -> tuple[int, None]:
        calls.append((command, environ))
        Path(command[-1]).write_text("17" if len(calls) == 1 else "18", encoding="utf-8")
        return 0, None

    monkeypatch.setattr(launch, "_run_in_group", note)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://minio:9000")
    assert launch.run(launched("s3://bucket", "kubernetes")).run_id == "17"
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    again = launch.check(SETTINGS)
    told_before: list[str | None] = []

    def known(started: launch.Launch) -> list[str]:
        told_before.append(os.environ.get("METAFLOW_S3_ENDPOINT_URL"))
        return ["17"]

    with monkeypatch.context() as patch:
        patch.setattr(launch, "_known_runs", known)
        patch.setattr(os, "environ", dict(os.environ))
        assert launch.find_run(again, "17") == "17"
    assert told_before == ["http://minio:9000"]  # Metaflow reads it while it is imported
    assert launch.run(again, "17").run_id == "18"
    (command, environ), resumed = calls[0], calls[1]
    assert "storage_endpoint: http://minio:9000" in command[command.index("settings") + 1]
    assert resumed[0][3:7] == ["--datastore", "s3", "resume", "--origin-run-id"]
    told = [
        {name: value for name, value in each.items() if "METAFLOW" in name} for each in (environ, resumed[1])
    ]
    assert told[0] == told[1]
    assert told[0]["METAFLOW_S3_ENDPOINT_URL"] == "http://minio:9000"
    assert (tmp_path / "data/runs/18/cluster.yaml").is_file()
    assert launch.run(again).run_id == "18"
    assert "--datastore" not in calls[2][0]
