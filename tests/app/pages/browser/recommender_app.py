"""`recommender app` for a browser."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app_process import AppProcess

QUICK = "budget_ms=20000"  # lists must not be degraded by a busy machine


@contextmanager
def recommender_app(folder: Path, models: Path) -> Iterator[str]:
    """The address of a server within the block; its store, events and log are in `folder`."""
    app = AppProcess(folder, f"model.models={models}", QUICK)
    try:
        yield app.url.replace("localhost", "127.0.0.1")
        assert app.end(signal.SIGTERM) == 0, app.log.read_text()
    finally:
        if app.process.poll() is None:
            app.process.kill()
            app.wait()
