import os
import sys
from pathlib import Path

import pytest

from recommender.workflows.environment import DATASTORE, set_metaflow_defaults


def prepared(**environ: str) -> dict[str, str]:
    set_metaflow_defaults(environ)
    return environ


def test_records_go_to_the_working_directory_unless_the_user_says_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert prepared()[DATASTORE] == str(tmp_path)
    assert prepared(**{DATASTORE: "/elsewhere"})[DATASTORE] == "/elsewhere"


@pytest.mark.parametrize("environ", [{}, {"USER": "root"}, {"USERNAME": "", "USER": "root"}])
def test_root_and_users_without_a_name_get_one(environ: dict[str, str]) -> None:
    assert prepared(**environ)["METAFLOW_USER"] == "recommender"


@pytest.mark.parametrize("environ", [{"USER": "ada"}, {"USER": "root", "SUDO_USER": "ada"}])
def test_a_user_with_a_name_keeps_it(environ: dict[str, str]) -> None:
    assert "METAFLOW_USER" not in prepared(**environ)
    assert prepared(METAFLOW_USER="bob", **environ)["METAFLOW_USER"] == "bob"


def test_tasks_that_start_a_bare_python_find_this_interpreter() -> None:
    folder = str(Path(sys.executable).parent)
    once = prepared(PATH="/usr/bin")
    assert once["PATH"] == f"{folder}{os.pathsep}/usr/bin"
    assert prepared(**once)["PATH"] == once["PATH"]
