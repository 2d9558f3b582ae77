"""The programs that drive an engine, `docker` and `kubectl`: found, called, their complaints in one line."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from collections.abc import Sequence

from recommender.errors import RecommenderError

SECONDS = 600.0  # pulling an image is the longest that is waited for


def find(program: str, purpose: str) -> None:
    """Raise `RecommenderError` where a program is not on PATH; `purpose` says what it is needed for."""
    if shutil.which(program) is None:
        raise RecommenderError(f"{program}: not found on PATH; {purpose}, or only render it with --dry-run")


def call(command: Sequence[str], seconds: float = SECONDS) -> str:
    """What a program prints; raises `RecommenderError` with its last complaint where it fails."""
    try:
        answer = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True, timeout=seconds
        )
    except FileNotFoundError:
        raise RecommenderError(f"{command[0]}: not found on PATH") from None
    except subprocess.TimeoutExpired:
        raise RecommenderError(f"`{shlex.join(command)}` has not ended within {seconds:g} seconds") from None
    except subprocess.CalledProcessError as error:
        said = (error.stderr.strip() or error.stdout.strip()).splitlines()
        reason = said[-1].strip() if said else f"exit status {error.returncode}"
        raise RecommenderError(f"`{shlex.join(command)}` fails: {reason}") from None
    return answer.stdout
