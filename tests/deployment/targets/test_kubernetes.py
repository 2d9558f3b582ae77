"""The kubernetes target: manifests against Kubernetes' schemas and rules, its calls of a `kubectl`."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from recommender.deployment.settings import DeploySettings
from recommender.deployment.targets import kubernetes as kubernetes_target
from recommender.deployment.targets import make_target
from recommender.deployment.targets.kubernetes import KubernetesTarget
from recommender.deployment.targets.kubernetes_manifests import check_manifests
from recommender.errors import RecommenderError
from recommender.versions import Version

Settings = Callable[..., DeploySettings]
BUCKET = ["kubernetes.storage={kind: bucket, bucket: 's3://models/recommender', secret: aws}"]
EVERYTHING = [
    *BUCKET,
    "kubernetes.create_namespace=true",
    "kubernetes.namespace=prod",
    "kubernetes.service_account=reader",
    "kubernetes.service_type=LoadBalancer",
    "kubernetes.port=80",
]
# Pod Security Standards, "restricted": the kinds of volume that it allows.
ALLOWED_VOLUMES = {"configMap", "emptyDir", "persistentVolumeClaim", "secret", "projected", "downwardAPI"}


def target_of(settings: DeploySettings) -> KubernetesTarget:
    return KubernetesTarget(settings, settings.folder)


def manifests(settings: DeploySettings, version: Version) -> dict[str, Any]:
    """By kind."""
    text = target_of(settings).files(version)["manifests.yaml"]
    return {document["kind"]: document for document in yaml.safe_load_all(text)}


def pod(settings: DeploySettings, version: Version) -> dict[str, Any]:
    return manifests(settings, version)["Deployment"]["spec"]["template"]["spec"]


def differences(one: Any, other: Any, path: str = "") -> Iterator[str]:
    """Where two trees differ."""
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        for key in one:
            yield from differences(one[key], other[key], f"{path}.{key}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for first, second in zip(one, other, strict=True):
            yield from differences(first, second, path)
    elif one != other:
        yield path


def test_kubernetes_is_what_the_target_is_called(engine_settings: Settings) -> None:
    found = engine_settings("deployment.target=kubernetes")
    assert isinstance(make_target(found, found.folder), KubernetesTarget)


@pytest.mark.parametrize("release", ["1.25", "1.29", "1.33", None])
@pytest.mark.parametrize("overrides", [[], EVERYTHING])
def test_the_manifests_are_valid_in_old_and_new_kubernetes(
    engine_settings: Settings, version: Version, overrides: list[str], release: str | None
) -> None:
    check_manifests(target_of(engine_settings(*overrides)).files(version)["manifests.yaml"], release)


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        (
            "enableServiceLinks",
            "enableServiceLink",
            r"^Deployment: spec\.template\.spec: .*'enableServiceLink'",
        ),
        ("minReplicas: 2", "minReplicas: two", r"^HorizontalPodAutoscaler: spec\.minReplicas: 'two' is not"),
    ],
)
def test_manifests_that_are_wrong_are_refused_with_the_place(
    engine_settings: Settings, version: Version, right: str, wrong: str, message: str
) -> None:
    target = target_of(engine_settings())
    files = target.files(version)
    target.validate(files)
    with pytest.raises(RecommenderError, match=message):
        target.validate({name: text.replace(right, wrong) for name, text in files.items()})


@pytest.mark.parametrize("overrides", [[], EVERYTHING])
def test_pods_keep_the_rules_of_the_restricted_pod_security_standard(
    engine_settings: Settings, version: Version, overrides: list[str]
) -> None:
    found = pod(engine_settings(*overrides), version)
    assert found["securityContext"]["runAsNonRoot"] is True
    assert found["securityContext"]["runAsUser"] > 0
    assert found["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not {"hostNetwork", "hostPID", "hostIPC"} & found.keys()
    assert {kind for volume in found["volumes"] for kind in volume.keys() - {"name"}} <= ALLOWED_VOLUMES
    for container in [*found["containers"], *found.get("initContainers", [])]:
        context = container["securityContext"]
        assert context["allowPrivilegeEscalation"] is False
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert context["readOnlyRootFilesystem"] is True  # beyond the standard
        assert container["resources"].keys() == {"requests", "limits"}


def test_pods_cannot_talk_to_the_cluster(engine_settings: Settings, version: Version) -> None:
    assert pod(engine_settings(), version)["automountServiceAccountToken"] is False
    assert "serviceAccountName" not in pod(engine_settings(), version)
    assert (
        pod(engine_settings("kubernetes.service_account=reader"), version)["serviceAccountName"] == "reader"
    )


def test_service_budget_and_autoscaler_find_the_pods(engine_settings: Settings, version: Version) -> None:
    found = manifests(engine_settings("kubernetes.port=80"), version)
    deployment = found["Deployment"]
    labels = deployment["spec"]["template"]["metadata"]["labels"].items()
    selectors = [
        found["Service"]["spec"]["selector"],
        found["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
        deployment["spec"]["selector"]["matchLabels"],
    ]
    assert all(selector.items() <= labels for selector in selectors)
    (port,) = found["Service"]["spec"]["ports"]
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert (port["port"], port["targetPort"]) == (80, container["ports"][0]["name"])
    assert f"--rest_api_port={container['ports'][0]['containerPort']}" in container["args"]
    scaled = found["HorizontalPodAutoscaler"]["spec"]
    assert scaled["scaleTargetRef"]["name"] == deployment["metadata"]["name"]
    assert (scaled["minReplicas"], scaled["maxReplicas"]) == (2, 6)


def test_the_number_of_pods_is_left_to_the_autoscaler(engine_settings: Settings, version: Version) -> None:
    assert "replicas" not in manifests(engine_settings(), version)["Deployment"]["spec"]


def test_all_three_probes_ask_for_the_version_that_is_deployed(
    engine_settings: Settings, version: Version
) -> None:
    (container,) = pod(engine_settings("deployment.wait_seconds=300"), version)["containers"]
    for name in ("startupProbe", "readinessProbe", "livenessProbe"):
        path = "/v1/models/recommender/versions/3"
        assert container[name]["httpGet"] == {"path": path, "port": "rest"}
    startup = container["startupProbe"]
    assert startup["periodSeconds"] * startup["failureThreshold"] == 300


def test_another_version_changes_what_names_it_and_nothing_else(
    engine_settings: Settings, version: Version, another_version: Version
) -> None:
    before, after = manifests(engine_settings(), version), manifests(engine_settings(), another_version)
    template = ".Deployment.spec.template"
    assert set(differences(before, after)) == {
        ".ConfigMap.metadata.name",
        ".ConfigMap.data.models.config",
        f"{template}.metadata.labels.app.kubernetes.io/version",
        f"{template}.spec.volumes.configMap.name",
        *(
            f"{template}.spec.containers.{probe}.httpGet.path"
            for probe in ("startupProbe", "readinessProbe", "livenessProbe")
        ),
    }
    config = after["ConfigMap"]
    assert config["metadata"]["name"] == "recommender-v4"
    assert "versions: 4" in config["data"]["models.config"]


def test_a_volume_is_mounted_where_the_server_looks_and_cannot_be_written_to(
    engine_settings: Settings, version: Version
) -> None:
    storage = "kubernetes.storage={claim: shared, path: /team/models/}"
    found = pod(engine_settings(storage), version)
    (mount,) = (one for one in found["containers"][0]["volumeMounts"] if one["name"] == "models")
    assert mount == {
        "name": "models",
        "mountPath": "/models/recommender",
        "subPath": "team/models/recommender",
        "readOnly": True,
    }
    (volume,) = (one for one in found["volumes"] if one["name"] == "models")
    assert volume["persistentVolumeClaim"] == {"claimName": "shared", "readOnly": True}
    assert "initContainers" not in found
    assert (
        'base_path: "/models/recommender"'
        in manifests(engine_settings(storage), version)["ConfigMap"]["data"]["models.config"]
    )


@pytest.mark.parametrize(
    ("bucket", "source"),
    [
        ("s3://models/recommender", ":s3,provider=AWS,env_auth=true:models/recommender/3"),
        ("gs://models/", ":gcs,env_auth=true:models/3"),
    ],
)
def test_a_bucket_is_copied_from_before_the_server_starts(
    engine_settings: Settings, version: Version, bucket: str, source: str
) -> None:
    found = pod(
        engine_settings(f"kubernetes.storage={{kind: bucket, bucket: '{bucket}', secret: keys}}"), version
    )
    (fetch,) = found["initContainers"]
    assert {"name": "SOURCE", "value": source} in fetch["env"]
    assert {"name": "TARGET", "value": "/models/recommender/3"} in fetch["env"]
    assert fetch["envFrom"] == [{"secretRef": {"name": "keys"}}]
    assert {"name": "models", "emptyDir": {}} in found["volumes"]


@pytest.mark.parametrize("there", [True, False])
def test_a_pod_does_not_start_without_the_model(
    engine_settings: Settings, version: Version, tmp_path: Path, there: bool
) -> None:
    """Its first container's command, run with an `rclone` that may copy nothing."""
    (fetch,) = pod(engine_settings(*BUCKET), version)["initContainers"]
    rclone, target = tmp_path / "rclone", tmp_path / "models/3"
    copy = 'mkdir -p "$3" && touch "$3/saved_model.pb"' if there else ":"
    rclone.write_text(f'#!/bin/sh\ntest "$1" = copy && {copy}\n', encoding="utf-8")
    rclone.chmod(0o755)
    environ = {"PATH": f"{tmp_path}:{os.defpath}", "SOURCE": ":s3:bucket/3", "TARGET": str(target)}
    assert (subprocess.run(fetch["command"], env=environ).returncode == 0) is there


def test_a_namespace_is_made_only_when_asked_for(engine_settings: Settings, version: Version) -> None:
    assert "Namespace" not in manifests(engine_settings("kubernetes.namespace=prod"), version)
    found = manifests(
        engine_settings("kubernetes.namespace=prod", "kubernetes.create_namespace=true"), version
    )
    assert next(iter(found)) == "Namespace"  # the rest needs it
    assert found.pop("Namespace")["metadata"]["name"] == "prod"
    assert {document["metadata"]["namespace"] for document in found.values()} == {"prod"}


def test_what_is_applied_is_what_was_shown(
    engine_settings: Settings, version: Version, programs: Any
) -> None:
    programs.install("kubectl")
    target = target_of(engine_settings("kubernetes.context=prod", "kubernetes.namespace=ml"))
    target.apply(version)
    before = ["kubectl", "--context", "prod", "--namespace", "ml"]
    file = str(target.folder / "manifests.yaml")
    assert programs.calls == [
        [*before, "apply", "--dry-run=client", "--filename", file],
        [*before, "apply", "--filename", file],
    ]
    *shown, awaited = target.commands(version)
    assert shown == [" ".join(call) for call in programs.calls]
    assert awaited.endswith("rollout status deployment/recommender --watch --timeout 120s")


def test_nothing_is_applied_that_kubectl_does_not_take(
    engine_settings: Settings, version: Version, programs: Any
) -> None:
    programs.install("kubectl")
    programs.answer("--dry-run=client", stderr="error: no matches for kind\n", status=1)
    with pytest.raises(RecommenderError, match="fails: error: no matches for kind"):
        target_of(engine_settings()).apply(version)
    assert len(programs.calls) == 1


def test_without_kubectl_or_a_cluster_one_line_says_so(engine_settings: Settings, programs: Any) -> None:
    target = target_of(engine_settings())
    with pytest.raises(RecommenderError, match=r"^kubectl: not found on PATH; .* or only render it with"):
        target.check_engine()
    programs.install("kubectl")
    programs.answer("get", "namespace", stderr='namespaces "default" not found\n', status=1)
    with pytest.raises(RecommenderError, match='fails: namespaces "default" not found'):
        target.check_engine()


def test_nobody_is_asked_before_all_pods_are_replaced(
    engine_settings: Settings, programs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kubernetes_target, "PAUSE", 0.0)
    programs.install("kubectl")
    programs.answer(
        "rollout", stdout="Waiting for rollout to finish: 1 of 2 updated replicas are available\n"
    )
    assert target_of(engine_settings()).statuses() == []
    assert programs.calls[-1][-4:] == ["rollout", "status", "deployment/recommender", "--watch=false"]


def test_a_rollout_that_kubernetes_gives_up_is_told(engine_settings: Settings, programs: Any) -> None:
    programs.install("kubectl")
    complaint = 'error: deployment "recommender" exceeded its progress deadline'
    programs.answer("rollout", stderr=f"{complaint}\n", status=1)
    with pytest.raises(RecommenderError, match=f"fails: {complaint}"):
        target_of(engine_settings()).statuses()


def test_the_service_is_asked_through_a_port_that_is_closed_afterwards(
    engine_settings: Settings, version: Version, programs: Any, noting_server: Any
) -> None:
    programs.install("kubectl")
    programs.answer("rollout", stdout='deployment "recommender" successfully rolled out\n')
    forwarding = f"Forwarding from 127.0.0.1:{noting_server.port} -> 8501\n"
    programs.answer("port-forward", stdout=forwarding, seconds=60)
    target = target_of(engine_settings())
    status = {"version": "3", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}
    noting_server.answer = json.dumps({"model_version_status": [status]}).encode()
    assert [(found.version, found.state) for found in target.statuses()] == [(3, "AVAILABLE")]
    noting_server.answer = b'{"predictions": [4.5]}'
    assert target.predict(version, {"instances": [1]}) == [4.5]
    assert noting_server.asked[-1][1] == "/v1/models/recommender/versions/3:predict"
    assert programs.calls[-1][-3:] == ["port-forward", "service/recommender", ":8501"]
    assert target.url == "http://recommender.default.svc:8501"


def test_a_port_that_cannot_be_forwarded_is_told(
    engine_settings: Settings, version: Version, programs: Any
) -> None:
    programs.install("kubectl")
    programs.answer("port-forward", stderr='Error: services "recommender" not found\n', status=1)
    with pytest.raises(RecommenderError, match='fails: Error: services "recommender" not found'):
        target_of(engine_settings()).predict(version, {"instances": [1]})


def test_a_service_with_an_address_here_is_asked_there(
    engine_settings: Settings, version: Version, programs: Any, noting_server: Any
) -> None:
    noting_server.answer = b'{"predictions": [4.5]}'
    target = target_of(engine_settings(f"kubernetes.url={noting_server.url}"))
    assert target.predict(version, {"instances": [1]}) == [4.5]
    assert target.curl({"instances": [1]}).startswith("curl ")
    assert programs.calls == []


def test_stopping_deletes_by_label_and_never_the_namespace(engine_settings: Settings, programs: Any) -> None:
    programs.install("kubectl")
    target_of(engine_settings("kubernetes.create_namespace=true")).stop()
    ((*_, delete, kinds, _, selector, _, wait),) = programs.calls
    assert (delete, wait) == ("delete", "--wait")
    assert "app.kubernetes.io/instance=recommender" in selector.split(",")
    assert "namespace" not in kinds


def test_it_runs_as_long_as_the_deployment_is_there(engine_settings: Settings, programs: Any) -> None:
    programs.install("kubectl")
    assert not target_of(engine_settings()).is_running()
    programs.answer("get", "deployment/recommender", stdout="deployment.apps/recommender\n")
    assert target_of(engine_settings()).is_running()
