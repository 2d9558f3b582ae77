"""The online recommender under load: latency, stages, memory, and whether a rating is lost.

    python benchmarks/online.py --models data/models --store sqlite:data/features.sqlite [--seconds 60]

Starts `recommender app` on a published version and a filled store and asks for 100 lists of 10 a second, of
users drawn at random, while 20 ratings a second are posted; then reads every rating back. Beside it stands a
plain loop over the same parts in one process. Works on a copy of a SQLite store, so that the load changes
nothing. Prints tables and writes them as JSON.

The large catalogue of the documentation is generated. Latency does not depend on what the weights are, so a
model of one pass over a tenth of the ratings does:

    S="data.dataset=synthetic data.synthetic.users=200000 data.synthetic.movies=87585
       data.synthetic.ratings=4000000 data.validation_share=0.1 data.test_share=0.8 retrieval.softmax=sampled
       retrieval.priors=[] retrieval.training.epochs=1 training.epochs=1 export.models=large/models"
    recommender train $S && recommender export
    recommender features push --store sqlite:large/features.sqlite --similar item2vec $S
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from online_load import Load, Seen
from online_parts import WARM, Parts

from recommender.app.features import FeatureStore, open_backend
from recommender.app.features.addresses import FILE
from recommender.app.settings import AppSettings, load_app_settings
from recommender.tensorflow_threads import leave_threads

SEED = 42
WARM_UP_SECONDS = 5


@dataclass(frozen=True)
class Server:
    """A running `recommender app`."""

    port: int
    process: psutil.Process

    def megabytes(self) -> float:
        """Memory of its own and of files that it has mapped, as far as it is in RAM, and the first alone."""
        return self.process.memory_info().rss / 1e6

    def cpu_seconds(self) -> float:
        """User and system time so far."""
        times = self.process.cpu_times()
        return times.user + times.system


@contextmanager
def started(overrides: list[str]) -> Iterator[Server]:
    """`recommender app` on a free port, until the block ends."""
    command = [sys.executable, "-m", "recommender", "app", "port=0", *overrides]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        said = ""
        while not (found := re.match(r"http://localhost:(\d+)", said)):
            assert process.stdout is not None
            if not (said := process.stdout.readline()):
                sys.exit("error: recommender app ended before it answered")
        print(said.strip(), file=sys.stderr)
        try:
            yield Server(int(found[1]), psutil.Process(process.pid))
        finally:
            process.send_signal(signal.SIGTERM)


@contextmanager
def copied(address: str) -> Iterator[str]:
    """The address of a copy of a SQLite store; another store is taken as it is."""
    if not address.startswith(FILE):
        yield address
        return
    with tempfile.TemporaryDirectory() as folder:
        yield FILE + shutil.copy(address.removeprefix(FILE), folder)


@contextmanager
def sampled(value: Callable[[], float], every: float) -> Iterator[list[float]]:
    """What `value` is now and, while the block lasts, `every` so many seconds."""
    values, ended = [value()], threading.Event()

    def sample() -> None:
        while not ended.wait(every):
            values.append(value())

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        yield values
    finally:
        ended.set()
        thread.join()


def percentiles(values: list[float]) -> dict[str, float]:
    """Count, median, 99th percentile and highest."""
    if not values:
        return {"count": 0}
    p50, p99 = np.percentile(values, [50, 99])
    return {"count": len(values), "p50": float(p50), "p99": float(p99), "most": max(values)}


def under_load(settings: AppSettings, overrides: list[str], arguments: argparse.Namespace) -> dict[str, Any]:
    """What the server does with lists and ratings at once."""
    store = FeatureStore(open_backend(settings.store))
    catalogue = store.catalogue()
    store.close()
    with started(overrides) as server:
        load = Load(server.port, catalogue.user_ids, catalogue.movie_ids, SEED)
        warm = load.run(arguments.lists, arguments.ratings, WARM_UP_SECONDS)
        cpu = server.cpu_seconds()
        with sampled(server.megabytes, arguments.seconds / 10) as megabytes:
            seen = load.run(arguments.lists, arguments.ratings, arguments.seconds)
        cpu = server.cpu_seconds() - cpu
        lost = load.missing(warm.stored | seen.stored)
    return {
        "users": len(catalogue.user_ids),
        "movies": len(catalogue.movie_ids),
        **answered(seen),
        "lost_ratings": len(lost),
        "megabytes": megabytes,
        "cpu_share": cpu / arguments.seconds,
    }


def answered(seen: Seen) -> dict[str, Any]:
    """What a client sees, in milliseconds."""
    return {
        "lists": percentiles([1000 * seconds for seconds in seen.lists]),
        "ratings": percentiles([1000 * seconds for seconds in seen.ratings]),
        "stages": {name: percentiles(values) for name, values in seen.stages.items()},
        "errors": dict(seen.errors),
        "degraded": dict(seen.degraded),
    }


def plain_loop(settings: AppSettings, lists: int) -> dict[str, Any]:
    """Milliseconds of each part, for random users."""
    leave_threads(os.environ, str(settings.model.threads))
    parts = Parts(settings)
    store = FeatureStore(open_backend(settings.store))
    user_ids = store.catalogue().user_ids
    store.close()
    chosen = np.random.default_rng(SEED).choice(len(user_ids), lists + WARM).tolist()
    parts.loop([user_ids[one] for one in chosen])
    parts.close()
    return {
        name: percentiles([1000 * second for second in seconds]) for name, seconds in parts.seconds.items()
    }


def table(result: dict[str, Any]) -> str:
    """Markdown: what clients see, then every stage beside the plain loop."""
    load = result["load"]
    lines = ["| | p50 ms | p99 ms | highest ms | answers |", "|---|---|---|---|---|"]
    for name in ("lists", "ratings"):
        row = load[name]
        if row["count"]:
            lines.append(
                f"| {name} | {row['p50']:.1f} | {row['p99']:.1f} | {row['most']:.1f} | {row['count']:,} |"
            )
    lines += [
        "",
        "| stage | under load p50 ms | p99 ms | plain loop p50 ms | p99 ms |",
        "|---|---|---|---|---|",
    ]
    plain = result["plain_loop"]
    for name in [*load["stages"], "list"]:
        cells = [cell for row in (load["stages"].get(name), plain.get(name)) for cell in _cells(row)]
        lines.append("| " + " | ".join([name, *cells]) + " |")
    megabytes = ", ".join(f"{size:.0f}" for size in load["megabytes"])
    lines.append(
        f"\nerrors {load['errors'] or 'none'}, degraded {load['degraded'] or 'none'}, ratings lost "
        f"{load['lost_ratings']}, {load['cpu_share']:.2f} cores busy\n"
        f"memory, MB, at the start and after every tenth: {megabytes}"
    )
    return "\n".join(lines)


def _cells(row: dict[str, float] | None) -> list[str]:
    return [f"{row['p50']:.2f}", f"{row['p99']:.2f}"] if row else ["", ""]


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--models", default="data/models")
    parser.add_argument("--store", default="sqlite:data/features.sqlite")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--lists", type=float, default=100.0, help="a second")
    parser.add_argument("--ratings", type=float, default=20.0, help="a second")
    parser.add_argument("--loop", type=int, default=500, help="lists of the plain loop")
    parser.add_argument("--output", type=Path, default=Path("data/online.json"))
    parser.add_argument("overrides", nargs="*", metavar="KEY=VALUE", help="settings of recommender app")
    arguments = parser.parse_args()
    with copied(arguments.store) as store, tempfile.TemporaryDirectory() as events:
        places = [f"model.models={arguments.models}", f"store={store}", f"events={events}"]
        overrides = [*places, *arguments.overrides]
        settings = load_app_settings(None, overrides, {})
        load = under_load(settings, overrides, arguments)
        result = {
            "machine_load": os.getloadavg(),
            "load": load,
            "plain_loop": plain_loop(settings, arguments.loop),
        }
    print(table(result))
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(json.dumps(result, indent=1))
    print(f"wrote {arguments.output}")


if __name__ == "__main__":
    main()
