import shlex
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import pytest

from recommender import doctor
from recommender.config import Settings, load_settings
from recommender.doctor import Finding, examine

LOCK = Path(__file__).parents[1] / "requirements.txt"


def settings(home: Path, dataset: str = "synthetic") -> Settings:
    models = f"export.models={home / 'models'}"
    return load_settings(None, [f"data.home={home}", f"data.dataset={dataset}", models], {})


def finding(subject: str, settings: Settings, lock: Path = LOCK) -> Finding:
    (found,) = (each for each in examine(settings, lock) if each.subject == subject)
    return found


@pytest.fixture(autouse=True)
def no_movielens_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MOVIELENS_HOME", raising=False)


def test_a_complete_machine_lacks_nothing(tmp_path: Path) -> None:
    findings = examine(settings(tmp_path), LOCK)
    assert [each for each in findings if each.state == "missing"] == []
    subjects = [each.subject for each in findings]
    assert subjects[:4] == ["Python", "tensorflow", "tf-keras", "tensorflow-recommenders"]
    assert {"lock", "processor", "memory", "disk", "models"} <= set(subjects)


def test_whatever_is_not_well_comes_with_the_command_that_mends_it(tmp_path: Path) -> None:
    findings = examine(settings(tmp_path, "ml-100k"), LOCK)
    assert {each.subject for each in findings if each.state != "ok"} >= {"data ml-100k", "models"}
    assert all(each.remedy for each in findings if each.state != "ok")
    assert not any(each.remedy for each in findings if each.state == "ok")


def test_the_data_set_of_the_settings_is_missing_until_it_is_there(tmp_path: Path) -> None:
    before = finding("data ml-100k", settings(tmp_path, "ml-100k"))
    assert (before.state, before.remedy) == ("missing", "recommender fetch ml-100k")
    (tmp_path / "raw" / "ml-100k").mkdir(parents=True)
    after = finding("data ml-100k", settings(tmp_path, "ml-100k"))
    assert (after.state, after.text) == ("ok", str(tmp_path / "raw" / "ml-100k"))


def test_data_under_movielens_home_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "elsewhere" / "ml-1m").mkdir(parents=True)
    monkeypatch.setenv("MOVIELENS_HOME", str(tmp_path / "elsewhere"))
    assert finding("data ml-1m", settings(tmp_path)).text == str(tmp_path / "elsewhere" / "ml-1m")
    monkeypatch.setenv("MOVIELENS_HOME", str(tmp_path / "nowhere"))
    assert finding("MOVIELENS_HOME", settings(tmp_path)).state == "warning"


def test_exported_versions_are_counted(tmp_path: Path) -> None:
    for number in ("1", "2"):
        (tmp_path / "models" / "recommender" / number).mkdir(parents=True)
    assert finding("models", settings(tmp_path)).text.startswith("2 in ")
    assert finding("models", settings(tmp_path)).text.endswith("the newest is version 2")


def test_a_difference_from_the_lock_is_missing_and_named(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.txt"
    lock.write_text("tensorflow==1.0\n", encoding="utf-8")
    found = finding("lock", settings(tmp_path), lock)
    assert found.state == "missing"
    assert "tensorflow 2." in found.text
    assert found.remedy == f"{shlex.quote(sys.executable)} -m pip install --no-deps -r requirements.txt"
    assert finding("lock", settings(tmp_path), tmp_path / "none").state == "warning"


def test_an_old_python_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 1))
    found = finding("Python", settings(tmp_path))
    assert found.state == "missing"
    assert "3.11 to 3.13 needed" in found.text


def test_little_memory_and_little_disk_are_warnings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = namedtuple("memory", "available total")
    disk = namedtuple("disk", "free")
    monkeypatch.setattr(doctor.psutil, "virtual_memory", lambda: memory(2**30, 2**31))
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda folder: disk(2**30))
    assert [finding(name, settings(tmp_path)).state for name in ("memory", "disk")] == ["warning", "warning"]


def test_a_package_that_is_not_installed_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "installed_version", lambda name: None)
    assert finding("tensorflow", settings(tmp_path)).state == "missing"


def test_the_examination_imports_no_tensorflow() -> None:
    program = (
        "import sys; from recommender.config import Settings; from recommender.doctor import examine; "
        "examine(Settings()); print({'tensorflow', 'tf_keras', 'pandas', 'duckdb'} & set(sys.modules))"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "set()"
