import errno
import json
import multiprocessing
import os
import shutil
from pathlib import Path

import pytest

from recommender import versions
from recommender.errors import RecommenderError

FILES = 40


def complete_folder(folder: Path, files: int = FILES) -> Path:
    folder.mkdir(parents=True)
    for number in range(files):
        (folder / f"file-{number}").write_text("x")
    return folder


def publish_many(folder: Path, base: Path, times: int, numbers: "multiprocessing.Queue[int]") -> None:
    for number in range(times):
        numbers.put(versions.publish(complete_folder(folder / str(number), 3), base))


def publish_until_killed(folder: Path, base: Path, other_file_system: bool) -> None:
    if other_file_system:
        os.rename = rename_across_file_systems  # type: ignore[assignment]
    for number in range(10_000):
        versions.publish(complete_folder(folder / str(number)), base)


def test_versions_count_from_one_and_never_reuse_a_number(tmp_path: Path) -> None:
    base = tmp_path / "models"
    assert [versions.publish(complete_folder(tmp_path / name), base) for name in "abc"] == [1, 2, 3]
    shutil.rmtree(base / "2")
    assert versions.publish(complete_folder(tmp_path / "d"), base) == 4
    assert [version.number for version in versions.list_versions(base)] == [1, 3, 4]


def test_versions_are_ordered_by_number_not_by_name(tmp_path: Path) -> None:
    for name in ("2", "10", "9"):
        complete_folder(tmp_path / name)
    assert [version.number for version in versions.list_versions(tmp_path)] == [2, 9, 10]
    assert versions.resolve(tmp_path).number == 10


def test_only_folders_with_integer_names_are_versions(tmp_path: Path) -> None:
    for name in ("1", "01", ".incoming-2", "latest", "-3", "1.5"):
        complete_folder(tmp_path / name)
    (tmp_path / "7").write_text("a file")
    assert [version.number for version in versions.list_versions(tmp_path)] == [1]
    assert versions.publish(complete_folder(tmp_path / "new"), tmp_path) == 8


def test_two_processes_publishing_at_once_get_different_numbers(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    numbers = context.Queue()
    base = tmp_path / "models"
    workers = [
        context.Process(target=publish_many, args=(tmp_path / name, base, 50, numbers))
        for name in ("a", "b", "c")
    ]
    for worker in workers:
        worker.start()
    published = sorted(numbers.get(timeout=60) for _ in range(150))
    for worker in workers:
        worker.join()
    assert published == list(range(1, 151))
    assert [version.number for version in versions.list_versions(base)] == published


def all_complete(base: Path) -> bool:
    return all(len(list(version.folder.iterdir())) == FILES for version in versions.list_versions(base))


@pytest.mark.parametrize("other_file_system", [False, True])
def test_a_publisher_killed_half_way_leaves_no_half_written_version(
    tmp_path: Path, other_file_system: bool
) -> None:
    context = multiprocessing.get_context("spawn")
    base = tmp_path / "models"
    for attempt in range(5):
        before = len(versions.list_versions(base))
        arguments = (tmp_path / f"run-{attempt}", base, other_file_system)
        process = context.Process(target=publish_until_killed, args=arguments)
        process.start()
        try:
            while len(versions.list_versions(base)) < before + 3:
                assert process.is_alive()
                assert all_complete(base)
        finally:
            process.kill()
            process.join()
        assert all_complete(base)


real_rename = os.rename


def rename_across_file_systems(source: Path, target: Path) -> None:
    if source.parent != target.parent:
        raise OSError(errno.EXDEV, "Invalid cross-device link")
    real_rename(source, target)


def test_an_empty_or_missing_folder_is_not_published(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for name in ("empty", "missing"):
        with pytest.raises(RecommenderError, match=f"{name}: nothing to publish"):
            versions.publish(tmp_path / name, tmp_path / "models")
    assert not (tmp_path / "models").exists()


def test_asking_for_a_version_that_is_not_there_says_which_are(tmp_path: Path) -> None:
    with pytest.raises(RecommenderError, match="no exported version there; make one with `recommender run"):
        versions.resolve(tmp_path / "models")
    for name in ("3", "5"):
        complete_folder(tmp_path / name)
    assert versions.resolve(tmp_path, 3) == versions.Version(3, tmp_path / "3")
    with pytest.raises(RecommenderError, match="no version 4, there are 3, 5"):
        versions.resolve(tmp_path, 4)


def test_metrics_of_a_version_are_read_and_damage_is_named(tmp_path: Path) -> None:
    version = versions.Version(1, complete_folder(tmp_path / "1"))
    path = version.folder / "metrics.json"
    path.write_text(json.dumps({"dataset": "synthetic"}))
    assert version.metrics() == {"dataset": "synthetic"}
    path.write_text("{")
    with pytest.raises(RecommenderError, match=r"metrics\.json: not JSON"):
        version.metrics()
    path.write_text("[]")
    with pytest.raises(RecommenderError, match=r"metrics\.json: expected a JSON object, found list"):
        version.metrics()
    path.unlink()
    with pytest.raises(RecommenderError, match=r"metrics\.json: cannot be read: No such file"):
        version.metrics()
