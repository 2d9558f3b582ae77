"""Version folders are found as Serving finds them, and half-copied ones are told from whole ones."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from recommender.serving.servables import folder_watch
from recommender.serving.servables.checkpoint_index import shard_sizes
from recommender.serving.servables.folder_watch import FolderWatch, Verdict
from recommender.serving.servables.model_config import VersionPolicy
from recommender.serving.servables.version_folders import find_version_folders, fingerprint, missing_part


def test_folders_with_an_integer_name_are_versions(tmp_path: Path) -> None:
    for name in ("00000123", "124", "0", "1.5", "-3", ".5", "five", "٣", str(2**63), "12 "):
        (tmp_path / name).mkdir()
    (tmp_path / "200").write_text("a file")
    (tmp_path / "300").symlink_to(tmp_path / "124")
    assert find_version_folders(tmp_path) == {
        0: tmp_path / "0",
        123: tmp_path / "00000123",
        124: tmp_path / "124",
        300: tmp_path / "300",
    }


def test_of_two_names_for_a_number_the_last_counts(tmp_path: Path) -> None:
    for name in ("007", "7", "07"):
        (tmp_path / name).mkdir()
    assert find_version_folders(tmp_path) == {7: tmp_path / "7"}


def test_policies_choose_among_the_versions() -> None:
    there = {1, 2, 10, 9}
    assert VersionPolicy().choose(there) == {10}
    assert VersionPolicy("latest", 2).choose(there) == {9, 10}
    assert VersionPolicy("latest", 9).choose(there) == there
    assert VersionPolicy("all").choose(there) == there
    assert VersionPolicy("specific", specific=frozenset({1, 5})).choose(there) == {1}
    assert VersionPolicy().choose(set()) == set()


def test_the_index_says_how_long_the_data_are(tmp_path: Path) -> None:
    """Against the files that TensorFlow writes, which hold nothing else."""
    values = {f"layer_{number}/kernel": tf.Variable(tf.ones([number + 1, 3])) for number in range(300)}
    values["words"] = tf.Variable(["a", "longer", "x" * 5000])
    tf.train.Checkpoint(**{name.replace("/", "_"): value for name, value in values.items()}).write(
        str(tmp_path / "variables")
    )
    (data,) = tmp_path.glob("variables.data-*")
    assert shard_sizes(tmp_path / "variables.index") == [data.stat().st_size]


def test_the_index_speaks_of_every_shard(tmp_path: Path) -> None:
    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as session:
        with tf.device("/cpu:0"):
            small = v1.get_variable("small", initializer=np.ones(3, np.float32))
        large = v1.get_variable("large", initializer=np.ones(1000, np.float32))
        session.run(v1.global_variables_initializer())
        v1.train.Saver([small, large], sharded=True).save(session, str(tmp_path / "variables"))
    files = sorted(tmp_path.glob("variables.data-*"))
    assert shard_sizes(tmp_path / "variables.index") == [file.stat().st_size for file in files]


@pytest.mark.parametrize("kept", [0, 10, 60, -1])
def test_a_truncated_index_is_not_a_whole_one(saved_models: Any, tmp_path: Path, kept: int) -> None:
    index = saved_models.place("half_plus_two", tmp_path / "1") / "variables" / "variables.index"
    index.write_bytes(index.read_bytes()[:kept])
    with pytest.raises(ValueError, match="not a whole checkpoint index"):
        shard_sizes(index)
    assert "variables.index: not a whole" in (missing_part(tmp_path / "1") or "")


@pytest.mark.parametrize("kind", ["half_plus_two", "half_plus_two_tf2", "vocabulary", "int32"])
def test_a_whole_model_lacks_nothing(saved_models: Any, tmp_path: Path, kind: str) -> None:
    assert missing_part(saved_models.place(kind, tmp_path / "1")) is None


@pytest.mark.parametrize("kind", ["half_plus_two", "half_plus_two_tf2", "vocabulary"])
def test_no_file_that_a_model_needs_may_be_missing_or_short(
    saved_models: Any, tmp_path: Path, kind: str
) -> None:
    folder = saved_models.place(kind, tmp_path / "1")
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "fingerprint.pb"]
    assert len(files) >= 3
    for file in files:
        kept = file.with_name("kept")
        file.rename(kept)
        assert missing_part(folder), file
        if file.name.startswith("variables.data"):
            file.write_bytes(kept.read_bytes()[:-1])
            assert "bytes, expected" in (missing_part(folder) or "")
        kept.rename(file)
    assert missing_part(folder) is None


def test_a_fingerprint_changes_with_whatever_happens_within(saved_models: Any, tmp_path: Path) -> None:
    folder = saved_models.place("half_plus_two", tmp_path / "1")
    states = [fingerprint(folder)]
    assert fingerprint(folder) == states[0]
    data = folder / "variables" / "variables.data-00000-of-00001"
    for change in (
        lambda: data.write_bytes(data.read_bytes() + b"x"),
        lambda: os.utime(data, (1, 1)),
        lambda: (folder / "variables" / "more").mkdir(),
        lambda: (folder / "nowhere").symlink_to("does-not-exist"),
        lambda: data.chmod(0o600),
    ):
        change()
        states.append(fingerprint(folder))
        assert states[-1].entries != states[-2].entries


class Clock:
    """Stands in for `time`: both clocks advance together."""

    def __init__(self, now: float) -> None:
        self.now = now

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock that begins when the folders of the test are being written."""
    import time

    clock = Clock(time.time())
    monkeypatch.setattr(folder_watch, "time", clock)
    return clock


def test_a_folder_is_loaded_when_it_has_stood_still(saved_models: Any, tmp_path: Path, clock: Clock) -> None:
    folder = saved_models.place("half_plus_two", tmp_path / "1")
    watch = FolderWatch(settle=0.5, patience=5.0)
    assert watch.look(folder) is Verdict.SETTLING
    clock.now += 0.4
    assert watch.look(folder) is Verdict.SETTLING
    clock.now += 0.2
    assert watch.look(folder) is Verdict.LOAD
    (folder / "README").write_text("still copying")
    clock.now -= 0.2  # the file was written when the test began, by its own clock
    assert watch.look(folder) is Verdict.SETTLING


def test_a_folder_of_yesterday_is_loaded_at_once(saved_models: Any, tmp_path: Path, clock: Clock) -> None:
    folder = saved_models.place("half_plus_two", tmp_path / "1")
    clock.now += 86_400
    assert FolderWatch(settle=0.5).look(folder) is Verdict.LOAD


def test_a_copy_with_its_old_dates_counts_as_new(saved_models: Any, tmp_path: Path, clock: Clock) -> None:
    folder = saved_models.place("half_plus_two", tmp_path / "1")
    for path in (folder, *folder.rglob("*")):
        os.utime(path, (1_000_000_000, 1_000_000_000))
    assert FolderWatch(settle=0.5).look(folder) is Verdict.SETTLING


def test_a_half_copied_folder_is_waited_for_and_then_tried(
    saved_models: Any, tmp_path: Path, clock: Clock
) -> None:
    folder = saved_models.place("half_plus_two", tmp_path / "1", "missing_variables")
    watch = FolderWatch(settle=0.5, patience=5.0)
    clock.now += 1
    assert watch.look(folder) is Verdict.INCOMPLETE
    clock.now += 5
    assert watch.look(folder) is Verdict.LOAD


def test_a_folder_that_failed_is_tried_again_when_it_changes(
    saved_models: Any, tmp_path: Path, clock: Clock
) -> None:
    folder = saved_models.place("half_plus_two", tmp_path / "1", "garbage")
    watch = FolderWatch(settle=0.5)
    clock.now += 1
    assert watch.look(folder) is Verdict.LOAD
    watch.remember_failure(folder)
    clock.now += 100
    assert watch.look(folder) is Verdict.FAILED
    whole = saved_models.place("half_plus_two", tmp_path / "other")
    shutil.copy(whole / "saved_model.pb", folder / "saved_model.pb")
    clock.now += 1
    assert watch.look(folder) is Verdict.LOAD


def test_a_folder_that_vanishes_is_not_loaded(tmp_path: Path) -> None:
    assert FolderWatch(settle=0.0).look(tmp_path / "1") is Verdict.SETTLING
