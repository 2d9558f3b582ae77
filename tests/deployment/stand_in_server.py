"""Takes the place of `recommender serve` where a test needs a server in milliseconds, without TensorFlow.

Polls the configuration file often, loads the version that it names a little later, and answers a prediction
with what the version's `answer.json` holds. A version folder without that file cannot be loaded.
"""

from __future__ import annotations

import argparse
import json
import re
import signal
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

STATES: dict[int, tuple[str, str]] = {}  # version -> state, error
ANSWERS: dict[int, Any] = {}


def follow(config: Path, seconds: float) -> None:
    while True:
        text = config.read_text(encoding="utf-8")
        base = Path(re.search(r'base_path: "(.*)"', text).group(1))
        wanted = int(re.search(r"versions: (\d+)", text).group(1))
        state, error = STATES.get(wanted, ("", ""))
        if state != "AVAILABLE" and not (error and not (base / str(wanted) / "answer.json").exists()):
            STATES[wanted] = ("LOADING", "")
            time.sleep(seconds)
            load(base, wanted)
        time.sleep(seconds)


def load(base: Path, wanted: int) -> None:
    answer = base / str(wanted) / "answer.json"
    if not answer.exists():
        STATES[wanted] = ("END", f"Could not find SavedModel in {wanted}")
        return
    ANSWERS[wanted] = json.loads(answer.read_text(encoding="utf-8"))
    STATES[wanted] = ("AVAILABLE", "")
    for other in set(STATES) - {wanted}:
        STATES[other] = ("END", "")


def status() -> dict[str, Any]:
    return {
        "model_version_status": [
            {
                "version": str(version),
                "state": state,
                "status": {"error_code": "UNKNOWN" if error else "OK", "error_message": error},
            }
            for version, (state, error) in sorted(STATES.items(), reverse=True)
        ]
    }


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.answer(200, status())

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        available = [version for version, (state, _) in STATES.items() if state == "AVAILABLE"]
        asked = re.search(r"/versions/(\d+):", self.path)
        version = int(asked.group(1)) if asked else max(available, default=0)
        if version in available:
            self.answer(200, {"predictions": ANSWERS[version]})
        else:
            self.answer(404, {"error": f"Servable not found for request: Specific(recommender, {version})"})

    def answer(self, code: int, content: dict[str, Any]) -> None:
        body = json.dumps(content).encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main() -> None:
    options = argparse.ArgumentParser()
    for name in ("host", "model_config_file", "model_config_file_poll_wait_seconds", "workers"):
        options.add_argument(f"--{name}")
    options.add_argument("--rest_api_port", type=int)
    options.add_argument("--rest_api_timeout_in_ms")
    given = options.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    config = Path(given.model_config_file)
    if (config.parent / "refuse-to-start").exists():
        sys.exit("error: told not to start")
    threading.Thread(target=follow, args=(config, 0.02), daemon=True).start()
    ThreadingHTTPServer((given.host, given.rest_api_port), Handler).serve_forever(0.01)


main()
