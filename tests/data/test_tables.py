import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tiny_releases import write_folder

from recommender.config import check
from recommender.data import tables as module
from recommender.data.folders import complete_or_absent
from recommender.data.sources import Counts
from recommender.data.tables import Tables, load_tables
from recommender.errors import ConfigError, DataError


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A folder for data, with a tiny ml-100k under MOVIELENS_HOME."""
    write_folder("ml-100k", tmp_path / "movielens")
    monkeypatch.setenv("MOVIELENS_HOME", str(tmp_path / "movielens"))
    return tmp_path / "data"


def load(home: Path, seed: int = 42, **data: object) -> Tables:
    return load_tables(check({"seed": seed, "data": {"home": str(home), **data}}))


def prepared(home: Path) -> list[str]:
    return sorted(path.name for path in home.glob("prepared/*/*"))


def test_equal_tables_are_written_once(home, monkeypatch):
    first = load(home)
    monkeypatch.setattr(module, "write_canonical_tables", None)  # would raise if it were called
    assert load(home) == first
    assert prepared(home) == [first.folder.name]


def test_what_is_known_of_the_tables(home):
    tables = load(home)
    assert tables.folder == home / "prepared" / "ml-100k" / f"tables-{tables.key}"
    assert (tables.name, tables.rating_scale, tables.dropped) == ("ml-100k", (1.0, 5.0), {})
    assert (tables.counts, tables.is_synthetic) == (Counts(2, 3, 3), False)
    assert len(tables.fingerprint) == 64
    assert tables.ratings.name == "ratings.parquet"
    assert sorted(path.name for path in tables.folder.iterdir()) == [
        *("links.parquet", "movies.parquet", "ratings.parquet", "tables.json", "users.parquet"),
    ]


def test_changed_files_or_settings_give_other_tables(home, tmp_path):
    first = load(home)
    dropping = load(home, on_bad_rows="drop")
    assert (dropping.fingerprint, dropping.key == first.key) == (first.fingerprint, False)
    data = tmp_path / "movielens" / "ml-100k" / "u.data"
    data.write_text(data.read_text() + "1\t1\t2\t881250999\n")
    changed = load(home)
    assert changed.fingerprint != first.fingerprint
    assert (len(changed.read("ratings")), len(first.read("ratings"))) == (4, 3)


def test_settings_that_the_tables_do_not_depend_on_share_them(home):
    assert load(home, seed=1, split="random") == load(home, seed=2, test_share=0.1)


def test_other_counts_than_the_catalogue_s_are_a_warning(home, caplog):
    load(home)
    assert (
        "expected Counts(users=943, movies=1682, ratings=100000), found Counts(users=2, movies=3"
        in caplog.text
    )


def test_a_failure_leaves_nothing_behind(home, tmp_path):
    (tmp_path / "movielens" / "ml-100k" / "u.data").write_text("1\t1\t9\t881250999\n")
    with pytest.raises(DataError):
        load(home)
    assert prepared(home) == []


def test_an_unknown_data_set_is_refused(home):
    with pytest.raises(
        ConfigError, match=r"data\.dataset: must be one of ml-100k, .*, custom, received 'ml-3k'"
    ):
        load(home, dataset="ml-3k")


def test_a_killed_run_leaves_no_half_folder(home, tmp_path):
    # The process stops between writing the first table and the record, and is killed there.
    code = (
        "import sys, time\nfrom recommender.config import check\nfrom recommender.data import tables\n"
        "def hang(folder):\n    print('written', flush=True)\n    time.sleep(60)\n"
        "tables._count = hang\n"
        "tables.load_tables(check({'data': {'home': sys.argv[1]}}))\n"
    )
    child = subprocess.Popen([sys.executable, "-c", code, str(home)], stdout=subprocess.PIPE, env=os.environ)
    assert child.stdout.readline() == b"written\n"
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert [name for name in prepared(home) if not name.startswith(".")] == []
    assert load(home).counts.ratings == 3


def test_of_two_that_make_the_same_folder_the_first_wins(tmp_path):
    with complete_or_absent(tmp_path / "x") as mine:
        with complete_or_absent(tmp_path / "x") as theirs:
            (theirs / "by").write_text("them")
        (mine / "by").write_text("me")
    assert (tmp_path / "x" / "by").read_text() == "them"
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_a_folder_can_be_read_by_others(tmp_path):
    with complete_or_absent(tmp_path / "x"):
        pass
    (tmp_path / "y").mkdir()
    assert (tmp_path / "x").stat().st_mode == (tmp_path / "y").stat().st_mode


def test_the_record_is_plain_json(home):
    record = json.loads((load(home).folder / "tables.json").read_text())
    assert record["counts"] == {"users": 2, "movies": 3, "ratings": 3}


def test_loading_does_not_import_tensorflow():
    code = "import sys, recommender.data.tables; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
