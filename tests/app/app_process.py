"""`recommender app` as a process of its own."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from pathlib import Path

import httpx

PATIENCE = 300  # seconds, for TensorFlow on a busy machine


class AppProcess:
    """A server run in `folder`; `said` are the lines that it wrote until it answered, the URL last."""

    def __init__(self, folder: Path, *words: str) -> None:
        self.log = folder / "stderr.log"
        with self.log.open("wb") as log:
            command = [sys.executable, "-m", "recommender", "app", "port=0", *words]
            self.process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=log, text=True, cwd=folder
            )
        timer = threading.Timer(PATIENCE, self.process.kill)
        timer.start()
        self.said: list[str] = []
        while not self.said or not (self.said[-1] == "" or self.said[-1].startswith("http://")):
            self.said.append(self.process.stdout.readline())
        timer.cancel()
        found = re.match(r"http://localhost:\d+", self.said[-1])
        assert found, (self.said, self.log.read_text())
        self.url = found.group()
        self.client = httpx.Client(base_url=f"{self.url}/api/v1", timeout=PATIENCE)

    def listed(self, user_id: str) -> list[str]:
        """The ids of the user's list."""
        answer = self.client.get(f"/users/{user_id}/recommendations", params={"n": 5})
        assert answer.status_code == 200, answer.text
        return [item["movie_id"] for item in answer.json()["items"]]

    def rate(self, user_id: str, movie_id: str) -> None:
        body = {"movie_id": movie_id, "rating": 4}
        assert self.client.post(f"/users/{user_id}/ratings", json=body).status_code == 201

    def end(self, signal: int) -> int:
        self.process.send_signal(signal)
        return self.wait()

    def wait(self) -> int:
        status = self.process.wait(PATIENCE)
        self.client.close()
        self.process.stdout.close()
        return status
