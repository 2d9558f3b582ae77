import multiprocessing
import time
from pathlib import Path

import pytest

from recommender.folder_lock import alone


def hold(folder: Path, seconds: float) -> None:
    with alone(folder, "train"):
        (folder / "held").touch()
        time.sleep(seconds)
        (folder / "left").touch()


def test_work_in_a_folder_waits_for_another_process_at_the_same_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    process = multiprocessing.get_context("spawn").Process(target=hold, args=(tmp_path, 0.5))
    process.start()
    while not (tmp_path / "held").exists():
        time.sleep(0.01)
    with alone(tmp_path, "export"):
        assert not (tmp_path / "left").exists()
    with alone(tmp_path, "train"):
        assert (tmp_path / "left").exists()
    process.join()
    assert f"waiting for process {process.pid}, which is still at train" in capsys.readouterr().out


def test_a_killed_process_leaves_no_lock_behind(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    process = multiprocessing.get_context("spawn").Process(target=hold, args=(tmp_path, 600))
    process.start()
    while not (tmp_path / "held").exists():
        time.sleep(0.01)
    process.kill()
    process.join()
    with alone(tmp_path, "train"):
        assert not (tmp_path / "left").exists()
    assert capsys.readouterr().out == ""
