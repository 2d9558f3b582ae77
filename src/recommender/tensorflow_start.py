"""Starting TensorFlow without its greetings."""

from __future__ import annotations

import os
import sys
import tempfile


def start_tensorflow(look_for_devices: bool = True) -> None:
    """Import TensorFlow and look for devices; what it writes meanwhile is shown only where that fails.

    A member of a cluster must not look for them before it says so.

    Its libraries greet every start with lines about CUDA and CPU instructions, past Python's streams and past
    any log level. Whoever imports TensorFlow first, for a user who reads the terminal, calls this before.
    """
    if "tensorflow" in sys.modules:
        return
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as greetings:
        os.dup2(greetings.fileno(), 2)
        try:
            import tensorflow as tf

            if look_for_devices:
                tf.config.list_logical_devices()
        except BaseException:
            greetings.seek(0)
            os.write(kept, greetings.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)
