"""Folders in an S3 on loopback: numbered, whole or not there; and what steps hand over by them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import pytest

from recommender.config import Settings, load_settings
from recommender.errors import RecommenderError
from recommender.versions import Version
from recommender.workflows import hand_over
from recommender.workflows.storage import Storage, files_in
from recommender.workflows.validation import validate


@pytest.fixture
def storage(bucket: str, s3_address: str) -> Storage:
    return Storage(f"{bucket}/some/team", s3_address)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a folder in it, and what is not to be kept."""
    found = tmp_path / "folder"
    (found / "variables").mkdir(parents=True)
    (found / "model.pb").write_bytes(bytes(range(256)) * 100)
    (found / "variables" / "index").write_text("weights")
    (found / ".train.lock").write_text("17")
    return found


def objects(storage: Storage) -> Any:
    return boto3.resource("s3").Bucket(storage.url.split("/")[2]).objects.all()


def contents(folder: Path) -> dict[str, bytes]:
    return {name: path.read_bytes() for name, path in files_in(folder).items()}


def settings(storage: Storage, home: Path, *overrides: str) -> Settings:
    """A workflow in a cluster, as a pod with this home sees it."""
    places = [f"data.home={home}", f"workflow.runs={home}/runs", f"export.models={home}/models"]
    where = [f"workflow.storage={storage.url}", f"workflow.storage_endpoint={storage.endpoint}"]
    cluster = ["workflow.target=argo", "workflow.image=image"]
    return load_settings(None, ["data.dataset=synthetic", *places, *where, *cluster, *overrides], {})


def test_a_folder_comes_back_as_it_was_without_locks(storage: Storage, folder: Path, tmp_path: Path) -> None:
    assert storage.put(files_in(folder), "runs/7") == 1
    storage.fetch("runs/7", tmp_path / "back")
    assert contents(tmp_path / "back") == contents(folder)
    assert not (tmp_path / "back" / ".train.lock").exists()


def test_what_is_kept_later_comes_in_place_of_what_was_there(
    storage: Storage, folder: Path, tmp_path: Path
) -> None:
    storage.put(files_in(folder), "runs/7")
    storage.fetch("runs/7", tmp_path / "back")
    (folder / "model.pb").unlink()
    (folder / "metrics.json").write_text("{}")
    assert storage.put(files_in(folder), "runs/7") == 2
    storage.fetch("runs/7", tmp_path / "back")
    assert contents(tmp_path / "back") == contents(folder)
    storage.fetch("runs/7", tmp_path / "before", 1)
    assert (tmp_path / "before" / "model.pb").exists()


def test_half_a_folder_is_not_there(
    storage: Storage, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage.put({"first": folder / "model.pb"}, "runs/7")
    upload, calls = storage._client.upload_file, iter([True, False])

    def cut_off(*arguments: Any) -> None:
        if not next(calls):
            raise KeyboardInterrupt
        upload(*arguments)

    monkeypatch.setattr(storage._client, "upload_file", cut_off)
    with pytest.raises(KeyboardInterrupt):
        storage.put(files_in(folder), "runs/7")
    assert [item.key for item in objects(storage) if item.key.endswith("2/model.pb")]
    assert storage.newest("runs/7") == 1
    storage.fetch("runs/7", tmp_path / "back")
    assert list(contents(tmp_path / "back")) == ["first"]
    monkeypatch.undo()
    assert storage.put(files_in(folder), "runs/7") == 3  # a number is never given twice


def test_a_file_that_is_not_what_was_kept_is_refused_and_nothing_stays(
    storage: Storage, folder: Path, tmp_path: Path
) -> None:
    storage.put(files_in(folder), "runs/7")
    (damaged,) = (item for item in objects(storage) if item.key.endswith("index"))
    damaged.put(Body=b"WEIGHTS")
    with pytest.raises(RecommenderError, match=r"/1/variables/index: SHA-256 must be .*, received "):
        storage.fetch("runs/7", tmp_path / "back")
    assert not (tmp_path / "back").exists()


def test_writers_at_the_same_time_get_different_numbers(storage: Storage, folder: Path) -> None:
    with ThreadPoolExecutor(4) as writers:
        numbers = list(writers.map(lambda _: storage.put(files_in(folder), "models/m"), range(4)))
    assert sorted(numbers) == [1, 2, 3, 4]
    assert storage.newest("models/m") == 4


def test_names_that_begin_alike_are_kept_apart(storage: Storage, folder: Path, tmp_path: Path) -> None:
    storage.put(files_in(folder), "runs/70")
    assert storage.newest("runs/7") is None
    with pytest.raises(RecommenderError, match=r"^s3://.*/some/team/runs/7: no whole folder there$"):
        storage.fetch("runs/7", tmp_path / "back")


def test_a_bucket_that_is_not_there_is_one_line(storage: Storage, folder: Path) -> None:
    with pytest.raises(RecommenderError, match=r"^s3://nix/x: NoSuchBucket: ") as error:
        Storage("s3://nix", storage.endpoint).put(files_in(folder), "x")
    assert "\n" not in str(error.value)


def test_prepared_data_are_kept_once_and_fetched_once(storage: Storage, folder: Path, tmp_path: Path) -> None:
    here, there = settings(storage, tmp_path / "here"), settings(storage, tmp_path / "there")
    made = tmp_path / "here/prepared/ml-100k/0123"
    made.parent.mkdir(parents=True)
    folder.rename(made)
    for _ in range(2):
        hand_over.send_prepared(here, made)
    assert storage.newest("prepared/ml-100k/0123") == 1
    fetched = hand_over.fetch_prepared(there, made)
    assert fetched == tmp_path / "there/prepared/ml-100k/0123"
    assert contents(fetched) == contents(made)


def test_a_run_goes_from_step_to_step_also_after_a_failure(storage: Storage, tmp_path: Path) -> None:
    started = tmp_path / "start/runs/17"
    started.mkdir(parents=True)
    (started / "config.yaml").write_text("seed: 1")
    hand_over.send_run(settings(storage, tmp_path / "start"), started)

    def train() -> None:
        with hand_over.run_folder(settings(storage, tmp_path / "train"), started) as folder:
            (folder / "checkpoint").write_text("epoch 3")
            raise RecommenderError("out of memory")

    with pytest.raises(RecommenderError, match="out of memory"):
        train()
    with hand_over.run_folder(settings(storage, tmp_path / "again"), started) as folder:
        assert folder == tmp_path / "again/runs/17"
        assert set(contents(folder)) == {"config.yaml", "checkpoint"}


def test_of_tasks_that_train_together_only_the_one_that_leads_keeps_its_copy_of_the_run(
    storage: Storage, tmp_path: Path
) -> None:
    started = tmp_path / "start/runs/17"
    started.mkdir(parents=True)
    hand_over.send_run(settings(storage, tmp_path / "start"), started)
    for index in (1, 0, 2):
        task = settings(storage, tmp_path / str(index))
        with hand_over.run_folder(task, started, keep=index == 0) as folder:
            (folder / f"written-by-{index}").touch()
    with hand_over.run_folder(settings(storage, tmp_path / "train"), started) as folder:
        assert set(contents(folder)) == {"written-by-0"}


def test_a_run_publishes_one_version_in_the_storage_and_it_can_be_brought_home(
    storage: Storage, folder: Path, tmp_path: Path
) -> None:
    pod, laptop = settings(storage, tmp_path / "pod"), settings(storage, tmp_path / "laptop")
    run = tmp_path / "run"
    run.mkdir()
    for _ in range(2):  # the step is repeated
        published = hand_over.send_version(pod, Version(1, folder), run)
        assert published == (1, f"{storage.url}/models/recommender/1")
    (tmp_path / "laptop/models/recommender/4").mkdir(parents=True)
    version = hand_over.bring_version(laptop, Version(*published))
    assert (version.number, contents(version.folder)) == (5, contents(folder))
    plain = {item.key.rpartition("recommender/")[2] for item in objects(storage)}
    assert {"1/model.pb", "1/variables/index"} <= plain  # as the kubernetes target's init container copies


@pytest.mark.parametrize("own", ["ratings.csv", "."])
def test_files_of_the_users_own_are_found_by_the_steps(
    storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own: str
) -> None:
    monkeypatch.chdir(tmp_path)
    laptop = tmp_path / "laptop"
    laptop.mkdir()
    (laptop / "ratings.csv").write_text("user,movie\n")
    named = settings(storage, Path("home"), "data.dataset=ml-100k", f"data.archive={laptop / own}")
    sent = hand_over.send_inputs(named)
    assert hand_over.send_inputs(named) == sent
    assert sent.data.archive is not None
    assert not sent.data.archive.exists()
    assert hand_over.send_inputs(sent) == sent  # what is only in the storage stays named as it is there
    validate(sent)
    hand_over.fetch_inputs(sent)
    found = sent.data.archive if own != "." else sent.data.archive / "ratings.csv"
    assert found.read_text() == "user,movie\n"


def test_on_a_shared_disk_nothing_moves(folder: Path, tmp_path: Path) -> None:
    local = load_settings(None, [f"data.home={tmp_path / 'home'}"], {})
    assert hand_over.send_inputs(local) is local
    assert hand_over.fetch_prepared(local, folder) is folder
    version = Version(3, folder)
    assert hand_over.bring_version(local, version) is version
    assert hand_over.send_version(local, version, folder) == (3, str(folder))
    with hand_over.run_folder(local, folder) as same:
        assert same is folder
    assert not (tmp_path / "home").exists()
