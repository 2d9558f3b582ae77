from pathlib import Path

import pytest

from recommender.whole_files import write_whole


def test_a_file_is_replaced_and_nothing_else_is_left(tmp_path: Path) -> None:
    for text in ("one", "two\n"):
        write_whole(tmp_path / "file.json", text)
        assert (tmp_path / "file.json").read_text() == text
    assert [path.name for path in tmp_path.iterdir()] == ["file.json"]


def test_what_cannot_take_its_place_leaves_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "kept").touch()
    with pytest.raises(IsADirectoryError):
        write_whole(tmp_path / "taken", "text")
    assert [path.name for path in tmp_path.rglob("*")] == ["taken", "kept"]
