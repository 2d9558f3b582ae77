"""How many threads TensorFlow takes, for the command that owns the process to say before it starts."""

from __future__ import annotations

from collections.abc import MutableMapping

BETWEEN_OPERATIONS = "TF_NUM_INTEROP_THREADS"


def leave_threads(environ: MutableMapping[str, str], number: str) -> None:
    """So many threads within an operation of TensorFlow and between them, unless `environ` says already.

    Processes that this one starts have the same environment.
    """
    for name in ("TF_NUM_INTRAOP_THREADS", BETWEEN_OPERATIONS):
        environ.setdefault(name, number)
