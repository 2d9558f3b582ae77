from __future__ import annotations

import json
from pathlib import Path

import pytest

from recommender.deployment.record import Event, Record, read_record, write_record, write_text
from recommender.deployment.settings import DeploySettings
from recommender.errors import RecommenderError


def record(*events: tuple[Event, int]) -> Record:
    found = Record(settings=DeploySettings(), state="serving", version=None, url="u", logs="l")
    for event, version in events:
        found = found.after(event, version, version=version)
    return found


def test_a_record_reads_back_as_it_was(tmp_path: Path) -> None:
    written = record(("deployed", 1)).after("refused", 2, "broken", details={"pid": 7})
    write_record(written, tmp_path)
    assert read_record(tmp_path) == written
    assert [path.name for path in tmp_path.iterdir()] == ["deployment.json"]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"settings": {"nix": 1}}'])
def test_what_is_no_record_is_told(tmp_path: Path, text: str) -> None:
    assert read_record(tmp_path) is None
    (tmp_path / "deployment.json").write_text(text, encoding="utf-8")
    with pytest.raises(RecommenderError, match=r"deployment\.json: not the record of a deployment: "):
        read_record(tmp_path)


@pytest.mark.parametrize(
    ("events", "way"),
    [
        ([], []),
        ([("deployed", 1)], [1]),
        ([("deployed", 1), ("deployed", 1)], [1]),
        ([("deployed", 1), ("refused", 2), ("deployed", 3)], [1, 3]),
        ([("deployed", 1), ("deployed", 2), ("deployed", 3), ("rolled back", 2)], [1, 2]),
        ([("deployed", 1), ("deployed", 2), ("deployed", 3), ("rolled back", 2), ("rolled back", 1)], [1]),
        ([("deployed", 1), ("deployed", 2), ("deployed", 3), ("rolled back", 1)], [1]),
        ([("deployed", 1), ("deployed", 2), ("rolled back", 1), ("rolled back", 2)], [1, 2]),
        ([("deployed", 1), ("deployed", 2), ("rolled back", 1), ("deployed", 3)], [1, 3]),
        ([("deployed", 1), ("deployed", 2), ("deployed", 1)], [1, 2, 1]),
        ([("deployed", 1), ("deployed", 2), ("deployed", 1), ("rolled back", 2)], [1, 2]),
        ([("deployed", 1), ("stopped", 1), ("deployed", 2)], [1, 2]),
    ],
)
def test_the_way_back_is_what_was_served_less_what_was_taken_back(
    events: list[tuple[Event, int]], way: list[int]
) -> None:
    assert record(*events).way_back() == way


def test_since_is_when_the_present_version_came() -> None:
    assert record().since is None
    found = record(("deployed", 1), ("deployed", 2), ("refused", 3))
    assert found.since == found.history[1].at
    assert found.since is not None
    assert found.since.tzinfo is not None


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "folder/file"
    write_text(path, "one")

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        write_text(path, "two")
    assert path.read_text(encoding="utf-8") == "one"


def test_the_record_holds_the_whole_settings(tmp_path: Path) -> None:
    write_record(record(), tmp_path)
    content = json.loads((tmp_path / "deployment.json").read_text(encoding="utf-8"))
    assert content["settings"] == DeploySettings().model_dump(mode="json")
