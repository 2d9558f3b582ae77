"""Threads of the server share the memory that others of them have let go of."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from types import SimpleNamespace

import pytest

from recommender.app.application import native_memory

# Every thread has some memory while the others come for theirs; glibc then lists its arenas.
SCRIPT = """
import ctypes, sys, threading
from recommender.app.application.native_memory import share_native_memory
if sys.argv[1] == "shared":
    assert share_native_memory()
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.fopen.restype = ctypes.c_void_p, ctypes.c_void_p
libc.malloc.argtypes = [ctypes.c_size_t]
together = threading.Barrier(8)
def work():
    libc.malloc(100_000)
    together.wait()
threads = [threading.Thread(target=work) for _ in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
file = ctypes.c_void_p(libc.fopen(b"/dev/stdout", b"w"))
libc.malloc_info(0, file)
libc.fclose(file)
"""


@pytest.mark.skipif(
    not hasattr(os, "confstr") or "CS_GNU_LIBC_VERSION" not in os.confstr_names, reason="glibc"
)
@pytest.mark.parametrize(("how", "arenas"), [("shared", range(1, 3)), ("own", range(3, 100))])
def test_threads_share_two_arenas(how: str, arenas: range) -> None:
    own = {"MALLOC_ARENA_MAX", "GLIBC_TUNABLES"}
    environment = {name: value for name, value in os.environ.items() if name not in own}
    command = [sys.executable, "-c", SCRIPT, how]
    described = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    assert len(re.findall(r"<heap nr=", described)) in arenas


@pytest.mark.parametrize(
    ("name", "value", "asked"),
    [
        ("MALLOC_ARENA_MAX", "5", []),
        ("GLIBC_TUNABLES", "glibc.malloc.check=0:glibc.malloc.arena_max=5", []),
        ("GLIBC_TUNABLES", "glibc.malloc.check=0", [(native_memory.M_ARENA_MAX, native_memory.ARENAS)]),
    ],
)
def test_what_the_environment_says_of_arenas_wins(
    name: str, value: str, asked: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[tuple[int, int]] = []
    library = SimpleNamespace(mallopt=lambda *setting: found.append(setting) or 1)
    monkeypatch.setattr(native_memory, "ctypes", SimpleNamespace(CDLL=lambda name: library))
    for other in ("MALLOC_ARENA_MAX", "GLIBC_TUNABLES"):
        monkeypatch.delenv(other, raising=False)
    monkeypatch.setenv(name, value)
    assert native_memory.share_native_memory()
    assert found == asked
