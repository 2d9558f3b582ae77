"""Loading a version and running its warm-up requests, with the reason where that fails."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from pathlib import Path

from recommender.serving.servables.load_options import LoadOptions
from recommender.serving.servables.servable import Servable
from recommender.serving.servables.warm_up import warm_up
from recommender.serving.status import Code, ServingError

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LoadAttempt:
    """The servable, or why there is none. `warm_up_seconds` is None where no request was run."""

    servable: Servable | None
    error: ServingError | None
    load_seconds: float
    warm_up_seconds: float | None = None


def attempt_load(name: str, version: int, folder: Path, options: LoadOptions) -> LoadAttempt:
    """Load the SavedModel in `folder` and warm it up; it never raises for what a folder can hold."""
    began = time.perf_counter()
    try:
        servable = Servable(name, version, folder, options.check_method_names)
    except ServingError as error:
        return LoadAttempt(None, error, time.perf_counter() - began)
    except Exception as error:  # whatever a strange file makes TensorFlow raise, the server lives on
        log.exception("%s: loading failed", folder)
        failure = ServingError(Code.INTERNAL, f"{type(error).__name__}: {error}")
        return LoadAttempt(None, failure, time.perf_counter() - began)
    loaded = time.perf_counter()
    try:
        count = warm_up(servable, folder, options.timeout_ms, options.signatures)
    except ServingError as error:
        servable.close()
        return LoadAttempt(None, error, loaded - began, time.perf_counter() - loaded)
    warm_up_seconds = time.perf_counter() - loaded if count else None
    return LoadAttempt(servable, None, loaded - began, warm_up_seconds)
