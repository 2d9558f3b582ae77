from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from recommender.config import check
from recommender.data.tables import Tables, load_tables
from recommender.errors import ConfigError, DataError


def load(home: Path, on_bad_rows: str = "stop", **custom: object) -> Tables:
    custom = {key: str(value) if isinstance(value, Path) else value for key, value in custom.items()}
    data = {"dataset": "custom", "home": str(home / "data"), "on_bad_rows": on_bad_rows, "custom": custom}
    return load_tables(check({"data": data}))


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_columns_are_mapped_and_others_left_out(tmp_path):
    ratings = write(
        tmp_path / "r.csv", "who,when,what,stars,device\nann,1700000000,m1,4.5,tv\nbob,1700000001,m2,1,pc\n"
    )
    columns = {"user_id": "who", "movie_id": "what", "rating": "stars", "timestamp": "when"}
    tables = load(tmp_path, ratings=ratings, columns=columns)
    frame = tables.read("ratings")
    assert frame.columns.tolist() == ["row", "user_id", "movie_id", "rating", "timestamp"]
    assert frame.to_numpy().tolist() == [[0, "ann", "m1", 4.5, 1700000000], [1, "bob", "m2", 1.0, 1700000001]]
    assert (tables.name, tables.is_synthetic, tables.rating_scale) == ("custom", False, (0.5, 5.0))


def test_a_column_can_have_another_name_in_each_table(tmp_path):
    ratings = write(tmp_path / "r.csv", "user_id,item,rating,timestamp\nann,m1,4,1700000000\n")
    movies = write(tmp_path / "m.csv", "id,name\nm1,One (1999)\n")
    columns = {"movie_id": "item", "movies.movie_id": "id", "title": "name"}
    tables = load(tmp_path, ratings=ratings, movies=movies, columns=columns)
    assert tables.read("movies")[["movie_id", "title", "release_year"]].to_numpy().tolist() == [
        ["m1", "One (1999)", 1999]
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_seen_from_the_header(tmp_path, delimiter):
    lines = ["user_id,movie_id,rating,timestamp", "ann,m1,4,1700000000"]
    ratings = write(tmp_path / "r.csv", "\n".join(lines).replace(",", delimiter))
    assert load(tmp_path, ratings=ratings).read("ratings")["movie_id"].tolist() == ["m1"]


def test_quotes_commas_line_breaks_and_a_byte_order_mark_in_csv(tmp_path):
    ratings = write(
        tmp_path / "r.csv", '\ufeffuser_id,movie_id,rating,timestamp\n"a,b","m ""1""",4,1700000000\n'
    )
    movies = write(tmp_path / "m.csv", 'movie_id,title,genres\n"m ""1""","One,\nand Two (1999)",Drama|Noir\n')
    tables = load(tmp_path, ratings=ratings, movies=movies)
    assert tables.read("ratings")[["user_id", "movie_id"]].to_numpy().tolist() == [["a,b", 'm "1"']]
    movie = tables.read("movies").iloc[0]
    assert (movie["title"], movie["genres"].tolist()) == ("One,\nand Two (1999)", ["Drama", "Noir"])


def test_the_line_is_right_after_a_quoted_line_break(tmp_path):
    ratings = write(tmp_path / "r.csv", "user_id,movie_id\n1,m1\n")
    movies = write(tmp_path / "m.csv", 'movie_id,title\nm1,"One,\nand Two"\nm1,Other\n')
    with pytest.raises(DataError, match=r"m\.csv, line 4: movie_id must not repeat, received 'm1'"):
        load(tmp_path, ratings=ratings, movies=movies)


def test_without_ratings_and_times_every_row_counts_as_the_highest_in_the_order_of_the_file(tmp_path, caplog):
    ratings = write(tmp_path / "r.csv", "user_id,movie_id\nann,m2\nbob,m1\nann,m1\n")
    tables = load(tmp_path, ratings=ratings, rating_scale=[0.0, 1.0])
    frame = tables.read("ratings")
    assert frame["rating"].tolist() == [1.0, 1.0, 1.0]
    assert frame["timestamp"].diff().tolist()[1:] == [1, 1]
    assert "every row counts as the highest, 1" in caplog.text
    assert "the order of its rows is taken for the order of time" in caplog.text


def test_without_a_movies_table_a_movie_is_called_by_its_id(tmp_path):
    ratings = write(tmp_path / "r.csv", "user_id,movie_id\nann,m2\nbob,m1\nann,m1\n")
    movies = load(tmp_path, ratings=ratings).read("movies")
    assert movies["movie_id"].tolist() == movies["title"].tolist() == ["m2", "m1"]
    assert movies["genres"].map(len).tolist() == [0, 0]


def test_without_tables_of_their_own_users_and_movies_come_in_the_order_of_their_first_rating(tmp_path):
    pairs = pd.DataFrame(
        np.random.default_rng(0).integers(0, 9_999, (30_000, 2)), columns=["user_id", "movie_id"]
    )
    pairs = pairs.drop_duplicates().astype(str)
    pairs.to_csv(tmp_path / "r.csv", index=False)
    tables = load(tmp_path, ratings=tmp_path / "r.csv")
    assert tables.read("users")["user_id"].tolist() == pairs["user_id"].unique().tolist()
    assert tables.read("movies")["movie_id"].tolist() == pairs["movie_id"].unique().tolist()


@pytest.mark.parametrize(
    ("time", "seconds"),
    [
        ("1706732100", 1706732100),
        ("2024-01-31", 1706659200),
        ("2024-01-31 20:15:00", 1706732100),
        ("2024-01-31T20:15:00.75Z", 1706732100),
        ("2024-01-31T22:15:00+02:00", 1706732100),
    ],
)
def test_times_may_be_dates_in_utc_or_with_an_offset(tmp_path, time, seconds):
    ratings = write(tmp_path / "r.csv", f"user_id,movie_id,timestamp\nann,m1,{time}\n")
    assert load(tmp_path, ratings=ratings).read("ratings")["timestamp"].tolist() == [seconds]


def test_a_time_in_milliseconds_is_refused(tmp_path):
    ratings = write(tmp_path / "r.csv", "user_id,movie_id,timestamp\nann,m1,1706732100000\n")
    with pytest.raises(
        DataError, match=r"r\.csv, line 2: timestamp must be between .* received '1706732100000'"
    ):
        load(tmp_path, ratings=ratings)


def test_parquet_with_numbers_dates_and_lists(tmp_path):
    ratings, movies, users = (tmp_path / f"{name}.parquet" for name in ("ratings", "movies", "users"))
    when = pd.to_datetime(["2024-01-31 20:15:00", "2024-01-31 20:15:01"])
    pd.DataFrame({"user_id": [7, 8], "movie_id": [1, 1], "rating": [3.5, 5.0], "timestamp": when}).to_parquet(
        ratings
    )
    frame = pd.DataFrame(
        {"movie_id": [1], "title": ["One"], "genres": [["Drama", "War"]], "release_year": [1999]}
    )
    frame.to_parquet(movies)
    pd.DataFrame({"user_id": [7, 8], "age": [33.0, None], "gender": ["F", None]}).to_parquet(users)
    tables = load(tmp_path, ratings=ratings, movies=movies, users=users)
    rows = [[0, "7", "1", 3.5, 1706732100], [1, "8", "1", 5.0, 1706732101]]
    assert tables.read("ratings").to_numpy().tolist() == rows
    movie = tables.read("movies").iloc[0]
    assert (movie["genres"].tolist(), movie["release_year"]) == (["Drama", "War"], 1999)
    assert tables.read("users")["age"].fillna(-1).tolist() == [33, -1]


def test_a_bad_row_of_a_parquet_file_is_named_by_its_row(tmp_path):
    ratings = tmp_path / "ratings.parquet"
    pd.DataFrame({"user_id": ["a", "b"], "movie_id": ["1", "1"], "rating": [3.5, 50.0]}).to_parquet(ratings)
    with pytest.raises(
        DataError, match=r"ratings\.parquet, row 2: rating must be between 0\.5 and 5, received '50\.0'"
    ):
        load(tmp_path, ratings=ratings)


@pytest.mark.parametrize(
    ("custom", "message"),
    [
        ({}, r"data\.custom\.ratings: must name a CSV or Parquet file when data\.dataset is custom"),
        ({"ratings": "absent.csv"}, r"data\.custom\.ratings: there is no file .*absent\.csv"),
        ({"columns": {"stars": "rating"}}, r"data\.custom\.columns: no such column of ours: 'stars'"),
        (
            {"columns": {"rating": "stars"}},
            r"r\.csv: there is no column 'stars' for rating; it has user_id, movie_id",
        ),
        ({"columns": {"movie_id": "item"}}, r"r\.csv: there is no column 'item' for movie_id"),
    ],
)
def test_what_is_named_must_be_there(tmp_path, custom, message):
    ratings = write(tmp_path / "r.csv", "user_id,movie_id\nann,m2\n")
    with pytest.raises(ConfigError, match=message):
        load(tmp_path, **({"ratings": ratings, **custom} if custom else {}))


def test_a_scale_must_ascend():
    with pytest.raises(ConfigError, match=r"data\.custom: rating_scale must ascend"):
        check({"data": {"custom": {"rating_scale": [5.0, 1.0]}}})


def test_a_header_must_name_each_column_once(tmp_path):
    ratings = write(tmp_path / "r.csv", "user_id,movie_id,Movie_id\nann,m2,m2\n")
    with pytest.raises(DataError, match=r"r\.csv, line 1: the header must name each column once"):
        load(tmp_path, ratings=ratings)


def test_a_file_that_is_not_parquet_is_refused(tmp_path):
    ratings = write(tmp_path / "r.parquet", "user_id,movie_id\nann,m2\n")
    with pytest.raises(DataError, match=r"r\.parquet: cannot be read"):
        load(tmp_path, ratings=ratings)
