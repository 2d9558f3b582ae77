import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from recommender.doctor import differences, installed_version, read_lock

LOCK = Path(__file__).parents[1] / "requirements.txt"
PROJECT = LOCK.with_name("pyproject.toml")


def locked(name: str) -> Version:
    versions = {canonicalize_name(each.name): next(iter(each.specifier)).version for each in read_lock(LOCK)}
    return Version(versions[canonicalize_name(name)])


def test_installed_versions_equal_the_lock() -> None:
    assert differences(LOCK) == []
    assert len(read_lock(LOCK)) > 150


def test_the_lock_pins_every_package_to_one_version() -> None:
    for requirement in read_lock(LOCK):
        assert [specifier.operator for specifier in requirement.specifier] == ["=="]


def test_every_direct_dependency_is_locked_within_its_bounds() -> None:
    project = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]
    for text in project["dependencies"] + project["optional-dependencies"]["dev"]:
        requirement = Requirement(text)
        assert requirement.specifier.contains(locked(requirement.name)), text


def test_tensorflow_and_tf_keras_have_the_same_minor_version() -> None:
    assert locked("tensorflow").release[:2] == locked("tf-keras").release[:2]


def test_tensorflow_recommenders_is_0_7_7() -> None:
    # A resolver that is not told otherwise falls back to 0.7.2: see [tool.uv] in pyproject.toml.
    assert locked("tensorflow-recommenders") == Version("0.7.7")
    assert installed_version("tensorflow_recommenders") == "0.7.7"


def test_the_lock_names_no_index_and_no_host() -> None:
    text = LOCK.read_text(encoding="utf-8")
    assert not re.search(r"://|--index|--extra-index|--find-links|--trusted-host", text)


@pytest.mark.parametrize(
    ("line", "difference"),
    [
        ("pytest==0.1", "locked ==0.1"),
        ("no-such-package==1.0", "no-such-package not installed, locked ==1.0"),
        ("no-such-package==1.0 ; sys_platform == 'plan9'", None),
    ],
)
def test_a_package_that_differs_from_the_lock_is_found(
    tmp_path: Path, line: str, difference: str | None
) -> None:
    lock = tmp_path / "requirements.txt"
    lock.write_text(f"# made by hand\n{line}\n    # via nothing\n", encoding="utf-8")
    found = differences(lock)
    assert len(found) == (difference is not None)
    assert difference is None or difference in found[0]
