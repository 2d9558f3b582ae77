"""How the C library keeps memory that is let go of: a server's would otherwise grow for hours.

glibc gives threads arenas of their own, up to 8 for every core, and each arena keeps the most that any of its
threads ever needed. The server's threads all run the model now and then, which takes tens of megabytes for a
moment. With two arenas they share what one of them has let go of.
"""

from __future__ import annotations

import ctypes
import os

ARENAS = 2
M_ARENA_MAX = -8  # of malloc.h
ENVIRONMENT = "MALLOC_ARENA_MAX"  # glibc's own setting, which wins
TUNABLE = "glibc.malloc.arena_max"  # the same among those of GLIBC_TUNABLES


def share_native_memory() -> bool:
    """Let all threads of this process share `ARENAS` arenas; False where the C library knows no such thing.

    True where it is set already in the environment, whatever the C library makes of that. To be called before
    there are many threads: an arena that is there stays.
    """
    if ENVIRONMENT in os.environ or TUNABLE in os.environ.get("GLIBC_TUNABLES", ""):
        return True
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # another C library than glibc
        return False
    return bool(mallopt(M_ARENA_MAX, ARENAS))
