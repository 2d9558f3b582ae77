"""A port of this machine that leads to a Service of a cluster, for as long as it is needed."""

from __future__ import annotations

import re
import select
import shlex
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from recommender.errors import RecommenderError

SECONDS = 20.0
FORWARDING = re.compile(r"Forwarding from (127\.0\.0\.1:\d+) ->")


@contextmanager
def port_forward(command: Sequence[str]) -> Iterator[str]:
    """Run `kubectl port-forward ... :PORT`, which picks a free port; yields the URL that it leads from."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield f"http://{_address(process, command)}"
        finally:
            process.terminate()


def _address(process: subprocess.Popen[str], command: Sequence[str]) -> str:
    """What it says first; raises `RecommenderError` with its complaint, or where it says nothing."""
    assert process.stdout is not None
    assert process.stderr is not None
    ready, _, _ = select.select([process.stdout], [], [], SECONDS)
    line = process.stdout.readline() if ready else ""
    if found := FORWARDING.match(line):
        return found[1]
    process.terminate()
    said = process.stderr.read().strip().splitlines()
    raise RecommenderError(f"`{shlex.join(command)}` fails: {said[-1] if said else 'no answer'}")
