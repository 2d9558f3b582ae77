"""Put on PYTHONPATH by `ArgoPods`: `/mnt/out`, the volume that a pod's results are read from, is $POD_OUT,
and pods that are looked up by name are on loopback.

Python imports one `sitecustomize`: that of the stand-ins, where $POD_STANDINS names it, is run from here.
"""

import builtins
import os
import runpy
import socket
from typing import Any

open_file = builtins.open


def open_in_pod(file: Any, *arguments: Any, **options: Any) -> Any:
    if isinstance(file, str) and file.startswith("/mnt/out/"):
        file = os.environ["POD_OUT"] + file.removeprefix("/mnt/out")
    return open_file(file, *arguments, **options)


builtins.open = open_in_pod

resolve = socket.gethostbyname


def resolve_pod(name: str) -> str:
    return "127.0.0.1" if name.endswith(".svc.cluster.local") else resolve(name)


socket.gethostbyname = resolve_pod

if os.environ.get("POD_STANDINS"):
    runpy.run_path(os.environ["POD_STANDINS"])
