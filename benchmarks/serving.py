"""The model server beside the bare model and beside the FastAPI server that people write first.

    python benchmarks/serving.py [--version FOLDER] [--seconds 5] [--workers 1 2]

Three ways to the same SavedModel, measured in one run on one machine: the session call in process, the floor;
`recommender serve` over loopback with all its checks on; and `fastapi_server.py`. Latency at one connection,
throughput at sixteen, CPU per request of the server's processes. Loads are made by wrk
(https://github.com/wg/wrk, `apt-get install wrk`). Prints a table and writes it as JSON.

FOLDER is a version that `recommender export` has published, by default the newest; without one, only
half_plus_two is measured: y = x / 2 + 2, a model that costs nothing, so that all that is seen is the server.
With --workers, `recommender serve` is measured with each of these numbers of processes, and FastAPI is not.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import requests

from recommender.errors import RecommenderError
from recommender.tensorflow_start import start_tensorflow
from recommender.versions import resolve

ROWS = (1, 500)
CONNECTIONS = 16
PATH = "/v1/models/m:predict"


@dataclass(frozen=True)
class Subject:
    """A model and the requests that are made of it."""

    name: str
    folder: Path
    columns: Callable[[int], dict[str, list[Any]]]

    def body(self, rows: int, form: str) -> str:
        """A request of so many rows, in row or column form."""
        columns = self.columns(rows)
        if form == "columns":
            return json.dumps({"inputs": columns})
        instances = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        return json.dumps({"instances": instances})


@dataclass(frozen=True)
class Line:
    """One line of the table: microseconds for latency and CPU, requests a second."""

    model: str
    server: str
    rows: int
    form: str
    p50: float
    p99: float | None = None
    throughput: float | None = None
    cpu: float | None = None


def half_plus_two(folder: Path) -> Subject:
    """y = x / 2 + 2, saved to a folder."""
    import tensorflow as tf

    class HalfPlusTwo(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, "x")])
        def __call__(self, x: tf.Tensor) -> dict[str, tf.Tensor]:
            return {"y": x * 0.5 + 2.0}

    model = HalfPlusTwo()
    tf.saved_model.save(model, str(folder), {"serving_default": model.__call__.get_concrete_function()})
    return Subject("half_plus_two", folder, lambda rows: {"x": [float(row) for row in range(rows)]})


def recommender_version(folder: Path) -> Subject:
    """The ranking model of a published version, asked for what `smoke.json` asks for."""
    request = json.loads((folder / "smoke.json").read_text(encoding="utf-8"))["request"]
    asked = request["instances"]

    def columns(rows: int) -> dict[str, list[Any]]:
        return {name: [asked[row % len(asked)][name] for row in range(rows)] for name in sorted(asked[0])}

    return Subject("recommender", folder, columns)


def in_process(subject: Subject, seconds: float) -> Iterator[Line]:
    """The floor: the same model's session, called with arrays that are already there."""
    import tensorflow as tf

    tf.get_logger().setLevel("ERROR")  # the loader says at each use that it is old
    with tf.Graph().as_default() as graph:
        session = tf.compat.v1.Session(graph=graph)
        meta_graph = tf.compat.v1.saved_model.loader.load(session, ["serve"], str(subject.folder))
        signature = meta_graph.signature_def["serving_default"]
        outputs = [info.name for info in signature.outputs.values()]
        names = list(signature.inputs)
        call = session.make_callable(outputs, [signature.inputs[name].name for name in names])
        for rows in ROWS:
            columns = subject.columns(rows)
            types = [tf.as_dtype(signature.inputs[name].dtype).as_numpy_dtype for name in names]
            arrays = [np.array(columns[name], kind) for name, kind in zip(names, types, strict=True)]
            times = timed(lambda arrays=arrays: call(*arrays), seconds)
            p99 = statistics.quantiles(times, n=100)[98]
            yield Line(subject.name, "in process", rows, "arrays", statistics.median(times), p99)


def timed(call: Callable[[], object], seconds: float) -> list[float]:
    """Microseconds of each call, for so many seconds after a few calls to warm up."""
    for _ in range(20):
        call()
    times = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        began = time.perf_counter()
        call()
        times.append((time.perf_counter() - began) * 1e6)
    return times


@contextmanager
def server(command: Sequence[str], url: str) -> Iterator[psutil.Process]:
    """A server process, from its first answer until it is stopped."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            for _ in range(3_000):
                if process.poll() is not None:
                    raise RecommenderError(f"{' '.join(command)}: ended with status {process.returncode}")
                try:
                    requests.get(url, timeout=1)
                    break
                except requests.ConnectionError:
                    time.sleep(0.1)
            yield psutil.Process(process.pid)
        finally:
            process.terminate()


def cpu_seconds(process: psutil.Process) -> float:
    """What a process and its children have used."""
    processes = [process, *process.children(recursive=True)]
    return sum(sum(one.cpu_times()[:2]) for one in processes)


def wrk(url: str, body: Path, connections: int, seconds: float, check: bool = True) -> dict[str, float]:
    """Load one URL: microseconds of the 50th and 99th percentile, how many requests, how many a second."""
    script = Path(__file__).with_name("post.lua")
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds:.0f}s", "--timeout=30s", "-s", str(script), url]
    environ = {**os.environ, "BODY": str(body)}
    printed = subprocess.run(command, check=True, capture_output=True, text=True, env=environ).stdout
    found: dict[str, float] = json.loads(printed.rsplit("JSON ", 1)[1])
    if check and (found["refused"] or found["broken"]):
        raise RecommenderError(
            f"{url}: {found['refused']} requests were refused, {found['broken']} broke off"
        )
    return {**found, "throughput": found["count"] / found["microseconds"] * 1e6}


def loaded(subject: Subject, name: str, command: list[str], url: str, seconds: float) -> Iterator[Line]:
    """All lines of one server."""
    with server(command, url) as process, tempfile.TemporaryDirectory() as folder:
        for rows in ROWS:
            for form in ("rows", "columns"):
                body = Path(folder) / f"{form}-{rows}.json"
                body.write_text(subject.body(rows, form))
                requests.post(url, data=body.read_bytes(), timeout=60)  # the first may take seconds, and ...
                wrk(url, body, CONNECTIONS, 1, check=False)
                wrk(url, body, 1, 1, check=False)  # ... how long requests take is learned
                alone = wrk(url, body, 1, seconds)
                before = cpu_seconds(process)
                crowd = wrk(url, body, CONNECTIONS, seconds)
                cpu = (cpu_seconds(process) - before) / crowd["count"] * 1e6
                yield Line(
                    subject.name, name, rows, form, alone["p50"], alone["p99"], crowd["throughput"], cpu
                )


def measure(subject: Subject, seconds: float) -> Iterator[Line]:
    """A model in process, served by us and served by FastAPI."""
    other = free_port()
    fastapi = [
        sys.executable,
        str(Path(__file__).with_name("fastapi_server.py")),
        str(subject.folder),
        str(other),
    ]
    yield from in_process(subject, seconds)
    yield from served(subject, "recommender serve", seconds)
    yield from loaded(subject, "FastAPI", fastapi, f"http://127.0.0.1:{other}{PATH}", seconds)


def measure_workers(subject: Subject, seconds: float, counts: Sequence[int]) -> Iterator[Line]:
    """A model in process, and served by us with each number of processes."""
    yield from in_process(subject, seconds)
    for count in counts:
        yield from served(subject, f"recommender serve --workers={count}", seconds, count)


def served(subject: Subject, name: str, seconds: float, workers: int = 1) -> Iterator[Line]:
    """All lines of our server."""
    port = free_port()
    command = [
        str(Path(sys.executable).with_name("recommender")), "serve", f"--rest_api_port={port}",
        "--model_name=m", f"--model_base_path={subject.folder.parent}", "--access_log=none",
        f"--workers={workers}",
    ]  # fmt: skip
    yield from loaded(subject, name, command, f"http://127.0.0.1:{port}{PATH}", seconds)


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def table(lines: Sequence[Line]) -> str:
    """Markdown: each line, its p50 as a multiple of the call in process, its throughput of FastAPI's."""
    floor = {(line.model, line.rows): line.p50 for line in lines if line.server == "in process"}
    plain = {
        (line.model, line.rows, line.form): line.throughput for line in lines if line.server == "FastAPI"
    }
    header = (
        "| model | rows | form | server | p50 us | x in process | p99 us | requests/s | x FastAPI | CPU us |"
    )
    shown = [header, "|" + "---|" * 10]
    for line in sorted(lines, key=lambda line: (line.model, line.rows)):
        rival = plain.get((line.model, line.rows, line.form))
        gain = line.throughput / rival if line.throughput and rival else None
        cells = [line.p50, line.p50 / floor[line.model, line.rows], line.p99, line.throughput, gain, line.cpu]
        digits = [0, 2, 0, 0, 2, 0]
        numbers = [
            "" if cell is None else f"{cell:,.{places}f}" for cell, places in zip(cells, digits, strict=True)
        ]
        shown.append("| " + " | ".join([line.model, str(line.rows), line.form, line.server, *numbers]) + " |")
    return "\n".join(shown)


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--version", type=Path, help="folder of a published version")
    parser.add_argument("--models", type=Path, default=Path("data/models/recommender"))
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--workers", type=int, nargs="+", default=[], metavar="N")
    parser.add_argument("--output", type=Path, default=Path("data/serving.json"))
    arguments = parser.parse_args()
    if shutil.which("wrk") is None:
        sys.exit("error: wrk is needed: apt-get install wrk")
    start_tensorflow()
    with tempfile.TemporaryDirectory() as folder:
        subjects = [half_plus_two(Path(folder) / "half_plus_two" / "1")]
        if arguments.version or arguments.models.is_dir():
            subjects.append(recommender_version(arguments.version or resolve(arguments.models).folder))
        lines = []
        for subject in subjects:
            lines_of = (
                measure_workers(subject, arguments.seconds, arguments.workers)
                if arguments.workers
                else measure(subject, arguments.seconds)
            )
            for line in lines_of:
                print(line, file=sys.stderr)
                lines.append(line)
    print(table(lines))
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    content = {"load": os.getloadavg(), "lines": [asdict(line) for line in lines]}
    arguments.output.write_text(json.dumps(content, indent=1))
    print(f"wrote {arguments.output}")


if __name__ == "__main__":
    main()
