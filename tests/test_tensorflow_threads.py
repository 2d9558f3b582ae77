from __future__ import annotations

from recommender.tensorflow_threads import leave_threads


def test_what_somebody_has_set_stays() -> None:
    environ = {"TF_NUM_INTEROP_THREADS": "4"}
    leave_threads(environ, "1")
    assert environ == {"TF_NUM_INTEROP_THREADS": "4", "TF_NUM_INTRAOP_THREADS": "1"}
