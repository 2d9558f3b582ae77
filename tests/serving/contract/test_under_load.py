"""A running server with sixteen connections while versions come and go, and with requests of any bytes."""

from __future__ import annotations

import http.client
import json
import os
import random
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest
import requests
from contract_cases import CASES
from served_models import place_models, running_server

CONNECTIONS = 16
FUZZED = int(os.environ.get("RECOMMENDER_FUZZED_REQUESTS", "5000"))
BODY = b'{"instances": [1.0]}'


class Asking(threading.Thread):
    """One connection that asks without a pause and keeps each answer with the time around it."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
        self.answers: list[tuple[float, float, int, bytes]] = []
        self.stopping = threading.Event()

    def run(self) -> None:
        while not self.stopping.is_set():
            began = time.monotonic()
            self.connection.request("POST", "/v1/models/swapped:predict", BODY)
            answer = self.connection.getresponse()
            self.answers.append((began, time.monotonic(), answer.status, answer.read()))


def states(url: str) -> dict[int, str]:
    answer = requests.get(f"{url}/v1/models/swapped", timeout=60).json()
    return {int(status["version"]): status["state"] for status in answer["model_version_status"]}


def wait_for(url: str, version: int, state: str) -> float:
    for _ in range(1200):
        if states(url).get(version) == state:
            return time.monotonic()
        time.sleep(0.05)
    raise AssertionError(f"version {version} did not become {state}: {states(url)}")


@pytest.mark.slow
def test_ten_swaps_under_load_fail_no_request_and_answer_from_a_live_version(
    saved_models, tmp_path: Path
) -> None:
    """Version v answers v + 10.5; version 6 does not load, so that 5 goes on."""
    base = tmp_path / "swapped"
    saved_models.place("half_plus_10", base / "0")
    config = tmp_path / "models.config"
    model = f'name: "swapped" base_path: "{base}" model_platform: "tensorflow"'
    config.write_text(f"model_config_list {{ config {{ {model} }} }}")
    placed, available = {0: 0.0}, {0: 0.0}  # when
    with running_server(config, "--file_system_poll_wait_seconds=0.2") as url:
        wait_for(url, 0, "AVAILABLE")
        asking = [Asking(url) for _ in range(CONNECTIONS)]
        for thread in asking:
            thread.start()
        for version in range(1, 11):
            broken = "garbage" if version == 6 else None
            placed[version] = time.monotonic()
            saved_models.place(f"half_plus_{version + 10}", base / str(version), broken)
            seen = wait_for(url, version, "END" if broken else "AVAILABLE")
            if not broken:
                available[version] = seen
        for thread in asking:
            thread.stopping.set()
        for thread in asking:
            thread.join(timeout=60)
    answers = [answer for thread in asking for answer in thread.answers]
    assert len(answers) > 100 * CONNECTIONS
    assert {status for _, _, status, _ in answers} == {200}
    served = [(began, ended, json.loads(body)["predictions"][0] - 10.5) for began, ended, _, body in answers]
    assert {version for _, _, version in served} == set(available)
    for began, ended, version in served:
        assert placed[version] <= ended
        # A version that had been available was not asked past the next one's becoming available.
        assert began <= min((seen for later, seen in available.items() if later > version), default=ended)


def mutated(body: bytes, rng: random.Random) -> bytes:
    """A body with some bytes changed, cut out, doubled or put in."""
    data = bytearray(body or b"{}")
    for _ in range(rng.randrange(1, 6)):
        place = rng.randrange(len(data) + 1)
        piece = rng.choice(
            [
                b"[",
                b"]",
                b"{",
                b"}",
                b",",
                b":",
                b'"',
                b"1",
                b"-",
                b"e9",
                b".",
                b"NaN",
                b"\\u",
                b"null",
                b"\xff",
                b"\x00",
                b'{"b64":',
            ]
        )
        kind = rng.randrange(3)
        if kind == 0:
            data[place:place] = piece
        elif kind == 1:
            del data[place : place + rng.randrange(1, 5)]
        else:
            data[place : place + 1] = piece
    return bytes(data)


@pytest.mark.slow
def test_fuzzed_requests_crash_nothing_and_leave_memory_flat(saved_models, tmp_path: Path) -> None:
    """RECOMMENDER_FUZZED_REQUESTS says how many; the processes that answer stay the same."""
    rng = random.Random(7)
    posts = [case for case in CASES if case.method == "POST" and len(case.body or "") < 2000]
    with running_server(place_models(saved_models, tmp_path)) as url:
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
        workers = [
            child
            for child in psutil.Process().children(recursive=True)
            if child.status() != psutil.STATUS_ZOMBIE and "worker" in " ".join(child.cmdline())
        ]
        memory = []
        for number in range(FUZZED):
            case = rng.choice(posts)
            connection.request("POST", case.target, mutated((case.body or "").encode(), rng))
            answer = connection.getresponse()
            content = answer.read()
            assert answer.status in (200, 400, 404, 501), (case, content)
            json.loads(content)
            if number % (FUZZED // 4) == FUZZED // 8:
                memory.append(sum(worker.memory_info().rss for worker in workers))
        assert workers
        assert all(worker.is_running() for worker in workers)
    assert max(memory) - memory[1] < 32 * 1024 * 1024, memory
