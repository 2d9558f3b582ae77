from __future__ import annotations

import subprocess
import sys


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_tensorflow_starts_without_a_word_and_stderr_works_afterwards() -> None:
    done = run(
        "import os, sys; from recommender.tensorflow_start import start_tensorflow; start_tensorflow();"
        "print('tensorflow' in sys.modules); os.write(2, b'after\\n')"
    )
    assert done.returncode == 0
    assert done.stdout == "True\n"
    assert done.stderr == "after\n"


def test_what_was_held_back_is_shown_when_the_start_fails() -> None:
    done = run(
        "import builtins, os; from recommender.tensorflow_start import start_tensorflow\n"
        "real = builtins.__import__\n"
        "def fail(name, *rest, **options):\n"
        "    if name == 'tensorflow':\n"
        "        os.write(2, b'the reason\\n')\n"
        "        raise ImportError('no tensorflow')\n"
        "    return real(name, *rest, **options)\n"
        "builtins.__import__ = fail\n"
        "start_tensorflow()"
    )
    assert done.returncode == 1
    assert "the reason" in done.stderr
    assert "no tensorflow" in done.stderr
