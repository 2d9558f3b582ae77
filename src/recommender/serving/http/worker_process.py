"""A worker as its supervisor sees it."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from recommender.errors import RecommenderError
from recommender.serving.http.options import ServeOptions
from recommender.serving.http.worker import Post


class WorkerProcess:
    """One worker's process and the channel to it.

    `models` is None until the worker answers requests, then the versions that it answered for at first;
    `error` is why it cannot, where that is for the user to mend.
    """

    def __init__(self, number: int, options: ServeOptions, listener: socket.socket, folder: Path) -> None:
        """Start it. In a session of its own: Ctrl-C in the terminal is the supervisor's to pass on, once."""
        self.number = number
        self.started = time.monotonic()
        self.models: dict[str, list[int]] | None = None
        self.error: RecommenderError | None = None
        self.channel, theirs = socket.socketpair()
        self._received = b""
        post = Post(number, listener.fileno(), theirs.fileno(), str(folder))
        with theirs:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "recommender.serving.http.worker",
                    json.dumps(asdict(post)),
                    options.to_json(),
                ],
                pass_fds=(post.listener, post.channel),
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    @property
    def ended(self) -> int | None:
        """The exit status, negative for a signal; None while it runs."""
        return self._process.poll()

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    def read(self) -> bool:
        """Take in what the worker has said; False when it says no more."""
        received = self.channel.recv(65_536)
        self._received += received
        *lines, self._received = self._received.split(b"\n")
        for line in lines:
            self._hear(json.loads(line))
        return bool(received)

    def _hear(self, message: dict[str, Any]) -> None:
        if "models" in message:
            self.models = message["models"]
            self.started = time.monotonic()
        else:
            self.error = RecommenderError(message["error"])
            self.error.exit_status = message["exit_status"]

    def signal(self, number: signal.Signals) -> None:
        """Send a signal; nothing where the process has ended."""
        self._process.send_signal(number)

    def describe_end(self) -> str:
        """How it ended, in words."""
        status = self.ended
        if status is not None and status < 0:
            return f"was killed by {signal.Signals(-status).name}"
        return f"ended with exit status {status}"
