"""Runs the pods of an Argo WorkflowTemplate one after the other, as Argo would in a cluster.

Each pod's own command runs with the pod's own environment, in an empty folder that is removed with its end.
"""

import base64
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

MOUNTS = Path(__file__).with_name("pod")
SOURCE = Path(__file__).parents[2] / "src"
# What Argo computes of a gang's size; Metaflow writes no other expressions.
OTHERS = "{{=sprig.int(sprig.sub(sprig.int(inputs.parameters['num-parallel']),1))}}"
REPLICAS = "{{=asInt(inputs.parameters.workerCount)}}"
JOB_INDEX = "metadata.annotations['jobset.sigs.k8s.io/job-index']"
WORKFLOW = {"workflow.name": "recommender-x7k2p", "workflow.creationTimestamp": "2026-01-01T00:00:00Z"}


@dataclass
class ArgoPods:
    """A workflow made from a template; `environ` is what Secrets and image add to the pods."""

    template: dict[str, Any]
    folder: Path
    environ: dict[str, str]
    values: dict[str, str] = field(default_factory=lambda: dict(WORKFLOW))

    def run(self, task: str) -> list[str]:
        """Run the pods of a task of the main graph, one for each item of a loop or member of a gang; their
        outputs.

        What they leave besides is lost.
        """
        main = self._templates[self.template["spec"]["entrypoint"]]
        call = next(each for each in main["dag"]["tasks"] if each["name"] == task)
        items = json.loads(self._filled_in(call.get("withParam", "[null]")))
        return [output for item in items for output in self._run_item(task, call, str(item))]

    def _run_item(self, task: str, call: dict[str, Any], item: str) -> list[str]:
        self.values["item"] = item
        template = self._called(call)
        if "dag" in template:  # of a loop, with one task
            template = self._called(template["dag"]["tasks"][0])
        if "resource" in template:
            return self._run_gang(task, template["resource"]["manifest"])
        return [self._run_pod(task, template)]

    def _called(self, call: dict[str, Any]) -> dict[str, Any]:
        """The template that is called, with the call's arguments in place."""
        for argument in call["arguments"]["parameters"]:
            self.values[f"inputs.parameters.{argument['name']}"] = self._filled_in(argument["value"])
        return self._templates[call["template"]]

    def _run_pod(self, task: str, template: dict[str, Any]) -> str:
        with self._pod(task) as pod:
            output = self._execute(template["container"], pod)
            for result in template.get("outputs", {}).get("parameters", []):
                place = pod / "out" / Path(result["valueFrom"]["path"]).name
                self.values[f"tasks.{task}.outputs.parameters.{result['name']}"] = place.read_text()
        return output

    def _run_gang(self, task: str, manifest: str) -> list[str]:
        """All pods of a JobSet at the same time; they find each other on loopback."""
        jobs = jobs_of(self._filled_in(manifest))

        def run(name: str, index: int) -> str:
            with self._pod(f"{task}-{name}-{index}") as pod:
                container = jobs[name]["template"]["spec"]["template"]["spec"]["containers"][0]
                return self._execute(container, pod, index)

        with ThreadPoolExecutor() as threads:
            pods = [(name, index) for name, job in jobs.items() for index in range(job["replicas"])]
            return list(threads.map(run, *zip(*pods, strict=True)))

    @contextmanager
    def _pod(self, name: str) -> Iterator[Path]:
        """An empty folder that ends with its pod."""
        pod = self.folder / name
        for folder in ("out", "tmp"):
            (pod / folder).mkdir(parents=True)
        yield pod
        shutil.rmtree(pod)

    def _execute(self, container: dict[str, Any], pod: Path, index: int = 0) -> str:
        *shell, script = container["command"]
        said = {each["name"]: _value(each, index) for each in container["env"]}
        image = {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.defpath}",
            "HOME": str(pod),
            "TMPDIR": str(pod / "tmp"),
            "PYTHONPATH": os.pathsep.join(map(str, [MOUNTS, SOURCE])),
            "POD_OUT": str(pod / "out"),
            "METAFLOW_SKIP_INSTALL_DEPENDENCIES": "1",  # as in the Dockerfile
        }
        ended = subprocess.run(
            [*shell, self._filled_in(script).replace("/tmp/", f"{pod}/tmp/")],
            cwd=pod,
            env=image | self.environ | {name: self._filled_in(value) for name, value in said.items()},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
        )
        assert ended.returncode == 0, ended.stdout
        return ended.stdout

    def _filled_in(self, text: str) -> str:
        """With Argo's placeholders replaced; those of tasks that did not run stay, as Argo leaves them."""
        encoded = r"\{\{=toBase64\(inputs\.parameters\['([^']+)'\]\)\}\}"
        text = re.sub(encoded, lambda found: _base64(self.values[f"inputs.parameters.{found[1]}"]), text)
        text = text.replace(OTHERS, str(int(self.values.get("inputs.parameters.num-parallel", 0)) - 1))
        text = text.replace(REPLICAS, self.values.get("inputs.parameters.workerCount", REPLICAS))
        return re.sub(r"\{\{([^{}]+)\}\}", lambda found: self.values.get(found[1], found[0]), text)

    @property
    def _templates(self) -> dict[str, Any]:
        return {each["name"]: each for each in self.template["spec"]["templates"]}


def jobs_of(manifest: str) -> dict[str, Any]:
    """The jobs of a JobSet by name: `control`, with the task that leads, and `worker`."""
    return {job["name"]: job for job in yaml.safe_load(manifest)["spec"]["replicatedJobs"]}


def _value(variable: dict[str, Any], index: int) -> str:
    """As the template has it; what only a cluster knows of a pod is named by its field, but for its number
    among the pods of its job."""
    if variable.get("value") is not None:
        return variable["value"]
    field = variable["valueFrom"]["fieldRef"]["fieldPath"]
    return str(index) if field == JOB_INDEX else field


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
