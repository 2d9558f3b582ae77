"""A version without a model in it, stand-ins for `docker` and `kubectl`, and a server that notes requests."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from recommender.deployment.settings import DeploySettings, resolve
from recommender.versions import Version

# Notes its arguments, then answers as the last rule says of which all words are among them.
PROGRAM = """#!{python} -IS
import json, sys, time
from pathlib import Path
here, name, words = Path({here!r}), {name!r}, sys.argv[1:]
with (here / "calls").open("a") as calls:
    calls.write(json.dumps([name, *words]) + "\\n")
rules = json.loads((here / "rules").read_text())
rule = next((r for r in reversed(rules) if not set(r["words"]) - {{name, *words}}), None)
if rule:
    sys.stdout.write(rule["stdout"])
    sys.stdout.flush()
    sys.stderr.write(rule["stderr"])
    time.sleep(rule["seconds"])
    sys.exit(rule["status"])
"""


@dataclass
class Programs:
    """The only programs on PATH, all of them stand-ins."""

    folder: Path
    rules: list[dict[str, Any]] = field(default_factory=list)

    def install(self, name: str) -> None:
        path = self.folder / name
        path.write_text(PROGRAM.format(python=sys.executable, here=str(self.folder), name=name))
        path.chmod(0o755)
        self.answer()

    def answer(
        self, *words: str, stdout: str = "", stderr: str = "", status: int = 0, seconds: float = 0.0
    ) -> None:
        """What is said when all these words are among the arguments; later rules come first."""
        if words:
            rule = {"words": words, "stdout": stdout, "stderr": stderr, "status": status, "seconds": seconds}
            self.rules.append(rule)
        (self.folder / "rules").write_text(json.dumps(self.rules))

    @property
    def calls(self) -> list[list[str]]:
        """All calls so far: the program and its arguments."""
        path = self.folder / "calls"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    """Nothing is on PATH but what the test installs: no real engine can be reached."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return Programs(folder)


@pytest.fixture
def version(tmp_path: Path) -> Version:
    """Version 3 of a model, with the files of a SavedModel but no model in them."""
    return make_version(tmp_path, 3)


@pytest.fixture
def another_version(tmp_path: Path) -> Version:
    """Version 4 of the same."""
    return make_version(tmp_path, 4)


def make_version(folder: Path, number: int) -> Version:
    version = folder / "data/models/recommender" / str(number)
    for name in ("saved_model.pb", "variables/variables.index", "assets.extra/tf_serving_warmup_requests"):
        (version / name).parent.mkdir(parents=True, exist_ok=True)
        (version / name).write_text(f"{name} of version {number}", encoding="utf-8")
    return Version(number, version)


@pytest.fixture
def engine_settings(tmp_path: Path) -> Callable[..., DeploySettings]:
    """`engine_settings("docker.port=8600", ...)`: settings with all folders in the test's own."""

    def engine_settings(*overrides: str) -> DeploySettings:
        places = [f"model.base={tmp_path}/data/models", f"deployment.home={tmp_path}/data/deployments"]
        found = resolve({}, [*places, *overrides])
        found.folder.mkdir(parents=True, exist_ok=True)
        return found

    return engine_settings


@dataclass
class NotingServer:
    """Answers every request alike and keeps what was asked: method, path, headers, body."""

    port: int = 0
    answer: bytes = b"{}"
    asked: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@pytest.fixture
def noting_server() -> Iterator[NotingServer]:
    """A server on loopback."""
    noting = NotingServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            noting.asked.append((self.command, self.path, dict(self.headers), body))
            self.send_response(200)
            self.send_header("Content-Length", str(len(noting.answer)))
            self.end_headers()
            self.wfile.write(noting.answer)

        do_GET = do_POST = handle_any  # noqa: N815

        def log_message(self, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        noting.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield noting
        server.shutdown()
        thread.join()
