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
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MOUNTS = Path(__file__).with_name("pod")
WORKFLOW = {"workflow.name": "recommender-x7k2p", "workflow.creationTimestamp": "2026-01-01T00:00:00Z"}


@dataclass
class ArgoPods:
    """A workflow made from a template; `environ` is what Secrets and image add to the pods."""

    template: dict[str, Any]
    folder: Path
    environ: dict[str, str]
    values: dict[str, str] = field(default_factory=lambda: dict(WORKFLOW))

    def run(self, task: str) -> list[str]:
        """Run the pods of a task of the main graph, one for each item of a loop; their outputs.

        What they leave besides is lost.
        """
        main = self._templates[self.template["spec"]["entrypoint"]]
        call = next(each for each in main["dag"]["tasks"] if each["name"] == task)
        items = json.loads(self._filled_in(call.get("withParam", "[null]")))
        return [self._run_pod(task, call, str(item)) for item in items]

    def _run_pod(self, task: str, call: dict[str, Any], item: str) -> str:
        self.values["item"] = item
        for argument in call["arguments"]["parameters"]:
            self.values[f"inputs.parameters.{argument['name']}"] = self._filled_in(argument["value"])
        template = self._templates[task]
        if "dag" in template:  # of a loop, with one task
            template = self._templates[template["dag"]["tasks"][0]["template"]]
        pod = self.folder / task
        for name in ("out", "tmp"):
            (pod / name).mkdir(parents=True)
        output = self._execute(template["container"], pod)
        for result in template.get("outputs", {}).get("parameters", []):
            place = pod / "out" / Path(result["valueFrom"]["path"]).name
            self.values[f"tasks.{task}.outputs.parameters.{result['name']}"] = place.read_text()
        shutil.rmtree(pod)
        return output

    def _execute(self, container: dict[str, Any], pod: Path) -> str:
        *shell, script = container["command"]
        said = {each["name"]: _value(each) for each in container["env"]}
        image = {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.defpath}",
            "HOME": str(pod),
            "TMPDIR": str(pod / "tmp"),
            "PYTHONPATH": str(MOUNTS),
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
        return re.sub(r"\{\{([^{}]+)\}\}", lambda found: self.values.get(found[1], found[0]), text)

    @property
    def _templates(self) -> dict[str, Any]:
        return {each["name"]: each for each in self.template["spec"]["templates"]}


def _value(variable: dict[str, Any]) -> str:
    """As the template has it; what only a cluster knows of a pod is named by its field."""
    known = variable["value"] is not None
    return variable["value"] if known else variable["valueFrom"]["fieldRef"]["fieldPath"]


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
