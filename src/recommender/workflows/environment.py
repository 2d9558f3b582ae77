"""What Metaflow takes from the environment: to be set before it is imported."""

from __future__ import annotations

import os
import sys
from collections.abc import MutableMapping
from pathlib import Path

DATASTORE = "METAFLOW_DATASTORE_SYSROOT_LOCAL"


def set_metaflow_defaults(environ: MutableMapping[str, str] = os.environ) -> None:
    """Let Metaflow work without any set-up; what the user has set stays.

    Runs, artifacts and cards go to `.metaflow` in the working directory, where Metaflow's own tools look
    first, and never to one further up, such as the home folder's. Metaflow refuses to work for root and for
    users without a name, so these get one. Some of its tasks start a bare `python`, so the folder of this
    interpreter comes first on PATH.
    """
    environ.setdefault(DATASTORE, str(Path.cwd()))
    names = (environ.get(name) for name in ("METAFLOW_USER", "SUDO_USER", "USERNAME", "USER"))
    if all(name in (None, "", "root") for name in names):
        environ["METAFLOW_USER"] = "recommender"
    folder = str(Path(sys.executable).parent)
    path = environ.get("PATH", os.defpath)
    if path.split(os.pathsep)[0] != folder:
        environ["PATH"] = folder + os.pathsep + path
