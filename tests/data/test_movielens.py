import os
import re
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from tiny_releases import pin, write_archive, write_folder

from recommender.config import check
from recommender.data.movielens import CATALOGUE
from recommender.data.sources import Counts, year_in
from recommender.data.tables import Tables, load_tables
from recommender.errors import DataError

HOME = os.environ.get("MOVIELENS_HOME")
needs_movielens = pytest.mark.skipif(not HOME, reason="MOVIELENS_HOME is not set")


def load(home: Path, dataset: str, **data: object) -> Tables:
    return load_tables(check({"data": {"dataset": dataset, "home": home, **data}}))


def records(tables: Tables, name: str) -> list[dict]:
    frame = tables.read(name).astype(object)
    rows = frame.where(frame.notna(), None).to_dict("records")
    return [{key: list(x) if isinstance(x, np.ndarray) else x for key, x in row.items()} for row in rows]


@pytest.fixture
def archived(tmp_path, monkeypatch):
    """Loads a tiny release from an archive under MOVIELENS_HOME."""

    def load_archived(name: str) -> Tables:
        movielens_home = tmp_path / "movielens"
        movielens_home.mkdir()
        pin(monkeypatch, name, write_archive(name, movielens_home / f"{name}.zip"))
        monkeypatch.setenv("MOVIELENS_HOME", str(movielens_home))
        return load(tmp_path / "data", name)

    return load_archived


def test_every_frozen_release_has_a_checksum_and_every_release_comes_from_grouplens_first():
    sizes = ("100k", "1m", "10m", "20m", "25m", "32m", "latest-small", "latest")
    assert list(CATALOGUE) == [f"ml-{size}" for size in sizes]
    for name, release in CATALOGUE.items():
        assert release.urls[0] == f"https://files.grouplens.org/datasets/movielens/{name}.zip"
        assert all(url.startswith("https://") for url in release.urls)
        assert ("latest" in name) == (release.md5 is None)
        assert release.md5 is None or re.fullmatch("[0-9a-f]{32}", release.md5)


def test_copies_are_used_only_for_releases_with_a_checksum():
    assert [name for name, release in CATALOGUE.items() if len(release.urls) > 1 and not release.md5] == []


def test_ml_100k_layout(archived):
    tables = archived("ml-100k")
    assert records(tables, "ratings") == [
        {"row": 0, "user_id": "2", "movie_id": "543", "rating": 4.0, "timestamp": 881250949},
        {"row": 1, "user_id": "1", "movie_id": "267", "rating": 5.0, "timestamp": 881250949},
        {"row": 2, "user_id": "2", "movie_id": "1", "rating": 1.0, "timestamp": 881250950},
    ]
    toy_story = ["Animation", "Children's", "Comedy"]
    assert records(tables, "movies") == [
        {"movie_id": "1", "title": "Toy Story (1995)", "genres": toy_story, "release_year": 1995},
        {"movie_id": "267", "title": "unknown", "genres": [], "release_year": None},
        {"movie_id": "543", "title": "Misérables, Les", "genres": ["Drama", "Musical"], "release_year": 1995},
    ]
    assert records(tables, "users") == [
        {"user_id": "1", "gender": "M", "age": 24, "occupation": "technician", "zip_code": "85711"},
        {"user_id": "2", "gender": "F", "age": 53, "occupation": "other", "zip_code": "T8H1N"},
    ]
    assert tables.rating_scale == (1.0, 5.0)


def test_ml_1m_layout(archived):
    tables = archived("ml-1m")
    assert tables.read("ratings")["movie_id"].tolist() == ["1193", "48"]
    pocahontas = 'Pocahontas: "Le Voyage" (1995)'
    assert records(tables, "movies") == [
        {"movie_id": "48", "title": pocahontas, "genres": ["Animation", "Children's"], "release_year": 1995},
        {"movie_id": "1193", "title": "Été, L' (1975)", "genres": ["Drama"], "release_year": 1975},
    ]
    assert records(tables, "users") == [
        {"user_id": "1", "gender": "F", "age": 1, "occupation": "K-12 student", "zip_code": "48067"},
        {"user_id": "2", "gender": "M", "age": 56, "occupation": "self-employed", "zip_code": "70072-1234"},
    ]


def test_ml_10m_layout(archived):
    tables = archived("ml-10m")
    assert tables.read("ratings")["rating"].tolist() == [0.5, 4.5]
    movie = {"movie_id": "122", "title": "Été, Un (1992)", "genres": [], "release_year": 1992}
    assert records(tables, "movies") == [movie]
    unknown = {"gender": None, "age": None, "occupation": None, "zip_code": None}
    assert records(tables, "users") == [{"user_id": "1", **unknown}, {"user_id": "3", **unknown}]
    assert tables.rating_scale == (0.5, 5.0)


def test_csv_layout(archived):
    tables = archived("ml-latest-small")
    assert tables.read("ratings")["timestamp"].tolist() == [964982703, 964982703]
    assert records(tables, "movies") == [
        {
            "movie_id": "3",
            "title": 'Say "Été", The (1994)',
            "genres": ["Comedy", "Drama"],
            "release_year": 1994,
        },
        {"movie_id": "11", "title": "Babylon 5", "genres": [], "release_year": None},
    ]


def test_tables_have_the_canonical_types(archived):
    tables = archived("ml-10m")
    with duckdb.connect() as connection:
        types = {
            name: dict(
                connection.execute(f"SELECT column_name, column_type FROM (DESCRIBE '{path}')").fetchall()
            )
            for name, path in {
                "ratings": tables.ratings,
                "movies": tables.movies,
                "users": tables.users,
            }.items()
        }
    text = "VARCHAR"
    assert types == {
        "ratings": {
            "row": "BIGINT",
            "user_id": text,
            "movie_id": text,
            "rating": "FLOAT",
            "timestamp": "BIGINT",
        },
        "movies": {"movie_id": text, "title": text, "genres": "VARCHAR[]", "release_year": "INTEGER"},
        "users": {"user_id": text, "gender": text, "age": "INTEGER", "occupation": text, "zip_code": text},
    }


@pytest.mark.parametrize(
    ("title", "year"),
    [
        ("Toy Story (1995)", "1995"),
        ("2001: A Space Odyssey (1968)", "1968"),
        ("Death Race 2000 (1975)", "1975"),
        ("Land Before Time III (1995) (V)", "1995"),
        ("Remake (1931) (1994)", "1994"),
        ("Fawlty Towers (1975-1979)", "1975"),
        ("Death Note: Desu nôto (2006–2007)", "2006"),
        ("Moonlight", None),
        ("Room (9999)", None),
        ("Numbers (12345)", None),
    ],
)
def test_the_release_year_is_the_last_in_brackets(title, year):
    assert duckdb.execute(f"SELECT {year_in('$1')}", [title]).fetchone() == (year,)


def test_a_missing_file_is_named(tmp_path, monkeypatch):
    folder = write_folder("ml-1m", tmp_path)
    (folder / "users.dat").unlink()
    monkeypatch.setenv("MOVIELENS_HOME", str(tmp_path))
    with pytest.raises(DataError, match=r"ml-1m: ml-1m needs the file users\.dat, and it is not there"):
        load(tmp_path / "data", "ml-1m")


def test_another_header_is_refused(tmp_path, monkeypatch):
    changes = {"ml-latest-small/ratings.csv": "movieId,userId,rating,timestamp\n1,3,4.0,964982703\n"}
    write_folder("ml-latest-small", tmp_path, changes)
    monkeypatch.setenv("MOVIELENS_HOME", str(tmp_path))
    with pytest.raises(
        DataError, match=r"ratings\.csv, line 1: the header must be 'userId.*received 'movieId"
    ):
        load(tmp_path / "data", "ml-latest-small")


@needs_movielens
@pytest.mark.movielens
def test_real_ml_100k(tmp_path):
    tables = load(tmp_path, "ml-100k")
    assert tables.counts == Counts(943, 1_682, 100_000)
    ratings, movies, users = tables.read("ratings"), tables.read("movies"), tables.read("users")
    names = ["user_id", "movie_id", "rating", "timestamp"]
    raw = pd.read_csv(Path(HOME, "ml-100k", "u.data"), sep="\t", names=names, dtype=str)
    pd.testing.assert_series_equal(ratings["user_id"], raw["user_id"], check_dtype=False)
    pd.testing.assert_series_equal(ratings["movie_id"], raw["movie_id"], check_dtype=False)
    assert ratings["rating"].astype("float64").mean() == pytest.approx(3.52986)
    assert ratings["timestamp"].agg(["min", "max"]).tolist() == [874724710, 893286638]
    assert movies["release_year"].isna().sum() == 1
    assert movies.set_index("movie_id").loc["543", "title"] == "Misérables, Les (1995)"
    assert movies["genres"].map(len).sum() == 2_893 - 2  # two movies have the genre "unknown"
    assert users["age"].mean() == pytest.approx(34.05196, abs=1e-5)
    assert users["occupation"].nunique() == 21


@needs_movielens
@pytest.mark.movielens
def test_real_ml_latest_small(tmp_path):
    # Rows that a copy has too many or too broken are left out; the counts are those of the genuine data set.
    tables = load(tmp_path, "ml-latest-small", on_bad_rows="drop")
    assert tables.counts == CATALOGUE["ml-latest-small"].counts
    movies, ratings = tables.read("movies"), tables.read("ratings")
    assert (movies["genres"].map(len) == 0).sum() == 34
    assert not movies["title"].str.endswith(" ").any()
    assert movies.set_index("movie_id").loc["1", "genres"].tolist()[:2] == ["Adventure", "Animation"]
    assert sorted(ratings["rating"].unique()) == [x / 2 for x in range(1, 11)]
    assert ratings["rating"].astype("float64").mean() == pytest.approx(3.501557, abs=1e-6)
