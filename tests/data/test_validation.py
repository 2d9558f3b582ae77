import time
from pathlib import Path

import pandas as pd
import pytest
from tiny_releases import write_folder

from recommender.config import check
from recommender.data.tables import Tables, load_tables
from recommender.errors import DataError

GOOD = "2\t543\t4\t881250949\n"
YEAR = 365 * 86_400


def load(home: Path, dataset: str = "ml-100k", **data: object) -> Tables:
    return load_tables(check({"data": {"dataset": dataset, "home": str(home / "data"), **data}}))


@pytest.fixture
def with_ratings(tmp_path, monkeypatch):
    """Loads ml-100k with the text of u.data given."""
    monkeypatch.setenv("MOVIELENS_HOME", str(tmp_path))

    def load_with(text: str | bytes, **data: object) -> Tables:
        folder = write_folder("ml-100k", tmp_path)
        (folder / "u.data").write_bytes(text if isinstance(text, bytes) else text.encode())
        return load(tmp_path, **data)

    return load_with


BAD_RATINGS = [
    ("1\t267\tgood\t881250949", "rating_not_a_number", "rating must be a number, received 'good'"),
    ("1\t267\t\t881250949", "rating_not_a_number", "rating must be a number, received nothing"),
    ("1\t267\t6\t881250949", "rating_outside_scale", "rating must be between 1 and 5, received '6'"),
    ("1\t267\tnan\t881250949", "rating_outside_scale", "rating must be between 1 and 5, received 'nan'"),
    ("1\t267\t3.5\t881250949", "rating_off_step", "rating must be a multiple of 1, received '3.5'"),
    ("\t267\t4\t881250949", "missing_user_id", "user_id must be given, received nothing"),
    ("1\t  \t4\t881250949", "missing_movie_id", "movie_id must be given, received nothing"),
    (
        "1\t267\t4\tyesterday",
        "time_not_an_integer",
        "timestamp must be whole seconds since 1970 UTC, received 'y",
    ),
    ("1\t267\t4\t881250949.7", "time_not_an_integer", "whole seconds since 1970 UTC, received '881250949.7'"),
    ("1\t267\t4\t", "time_not_an_integer", "whole seconds since 1970 UTC, received nothing"),
    (
        "1\t267\t4\t315532800",
        "time_impossible",
        r"timestamp must be between 631152000 \(1990\) and \d+ \(now\)",
    ),
    (
        f"1\t267\t4\t{int(time.time()) + YEAR}",
        "time_impossible",
        r"between 631152000 \(1990\) and \d+ \(now\)",
    ),
    ("1\t267\t4\t881250949000", "time_impossible", r"\(now\), received '881250949000'"),
    ("2\t543\t1\t881250999", "repeated", "user_id and movie_id must not repeat, received '2', '543'"),
    ("1\t999\t4\t881250949", "unknown_movie", "movie_id must be one of the movies table, received '999'"),
    ("1\t267\t4", "fields", "a line must have 4 fields, received '1.*267.*4'"),
    ("1\t267\t4\t881250949\t9", "fields", "a line must have 4 fields, received '1.*9'"),
    (
        b"1\t26\xe97\t4\t881250949",
        "encoding",
        "the text must be encoded as utf-8, received '1.*4.*881250949'",
    ),
]
RULES = [rule for _, rule, _ in BAD_RATINGS]  # names without the time of day, the same in every process


@pytest.mark.parametrize(("row", "rule", "message"), BAD_RATINGS, ids=RULES)
def test_a_bad_rating_stops_with_file_line_rule_and_value(with_ratings, row, rule, message):
    row = row if isinstance(row, bytes) else row.encode()
    with pytest.raises(DataError, match=rf"ml-100k/u\.data, line 3: .*{message}") as raised:
        with_ratings(GOOD.encode() + b"\n" + row + b"\n")
    assert str(raised.value).endswith("; data.on_bad_rows=drop leaves such rows out")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(("row", "rule", "message"), BAD_RATINGS, ids=RULES)
def test_dropped_rows_are_counted_by_rule(with_ratings, row, rule, message):
    row = row if isinstance(row, bytes) else row.encode()
    tables = with_ratings(GOOD.encode() + row + b"\n1\t1\t3\t881250950\n", on_bad_rows="drop")
    assert tables.dropped == {f"ratings.{rule}": 1}
    ratings = tables.read("ratings")
    assert ratings["row"].tolist() == [0, 1]
    assert ratings["rating"].tolist() == [4.0, 3.0]
    assert ratings["movie_id"].tolist() == ["543", "1"]


def test_the_message_is_about_the_first_bad_row_and_counts_the_others(with_ratings):
    unreadable_last = "1\t1\t9\t881250949\n" + GOOD + "1\t267\t0\t881250949\n1\t543\n"
    with pytest.raises(DataError, match=r"line 1: rating must .* received '9' \(2 more bad rows\);"):
        with_ratings(unreadable_last)
    unreadable_first = "1\t543\n1\t267\t0\t881250949\n" + GOOD
    with pytest.raises(DataError, match=r"line 1: a line must have 4 fields.* \(1 more bad rows\);"):
        with_ratings(unreadable_first)


def test_the_line_is_right_behind_unreadable_and_blank_lines_and_windows_line_ends(with_ratings):
    text = "1\t1\t3\t881250949\r\n\r\n1\t543\t6\t881250949\r\n1\t1\r\n"
    with pytest.raises(DataError, match=r"line 3: rating must be between 1 and 5, received '6'"):
        with_ratings(text)
    assert with_ratings(text, on_bad_rows="drop").read("ratings")["timestamp"].tolist() == [881250949]


def test_of_repeated_pairs_the_first_in_the_file_stays(with_ratings):
    tables = with_ratings(
        GOOD + "2\t1\t5\t881250000\n2\t543\t1\t881250000\n2\t543\t2\t88125\n", on_bad_rows="drop"
    )
    assert tables.dropped == {"ratings.repeated": 1, "ratings.time_impossible": 1}
    assert tables.read("ratings")["rating"].tolist() == [4.0, 5.0]


def test_half_stars_are_good_where_the_release_has_them(tmp_path, monkeypatch):
    write_folder(
        "ml-10m", tmp_path, {"ml-10M100K/ratings.dat": "1::122::3.5::838985046\n1::122::3.7::838985046\n"}
    )
    monkeypatch.setenv("MOVIELENS_HOME", str(tmp_path))
    with pytest.raises(DataError, match=r"line 2: rating must be a multiple of 0\.5, received '3\.7'"):
        load(tmp_path, "ml-10m")


@pytest.mark.parametrize(
    ("member", "text", "message"),
    [
        (
            "u.user",
            "1|24|M|x|1\n2|53|F|x|1\n1|30|M|x|1\n",
            r"u\.user, line 3: user_id must not repeat, received '1'",
        ),
        (
            "u.user",
            "1|24|M|x|1\n2|old|F|x|1\n",
            r"u\.user, line 2: age must be a whole number .* received 'old'",
        ),
        ("u.user", "1|24|M|x|1\n2|150|F|x|1\n", r"u\.user, line 2: age must be .* up to 120, received '150'"),
        (
            "u.item",
            "1||01-Jan-1995||u" + "|0" * 19 + "\n",
            r"u\.item, line 1: title must be given, received nothing",
        ),
        (
            "u.item",
            ("1|A (1995)|01-Jan-1995||u" + "|0" * 19 + "\n") * 2,
            r"u\.item, line 2: movie_id must not repeat",
        ),
        (
            "u.item",
            "1|A (1995)|01-Jan-1995||u" + "|0" * 18 + "\n",
            r"u\.item, line 1: a line must have 24 fields",
        ),
    ],
)
def test_bad_movies_and_users_stop_too(tmp_path, monkeypatch, member, text, message):
    write_folder("ml-100k", tmp_path, {f"ml-100k/{member}": text})
    monkeypatch.setenv("MOVIELENS_HOME", str(tmp_path))
    with pytest.raises(DataError, match=message):
        load(tmp_path)


def test_ratings_of_a_dropped_movie_are_dropped(tmp_path, monkeypatch):
    movies = "1|A (1995)|01-Jan-1995||u" + "|0" * 19 + "\n543||01-Jan-1995||u" + "|0" * 19 + "\n"
    write_folder("ml-100k", tmp_path, {"ml-100k/u.item": movies})
    monkeypatch.setenv("MOVIELENS_HOME", str(tmp_path))
    tables = load(tmp_path, on_bad_rows="drop")
    assert tables.dropped == {"movies.missing_title": 1, "ratings.unknown_movie": 2}
    assert tables.read("ratings")["movie_id"].tolist() == ["1"]


def test_a_user_missing_from_the_users_table_is_added_without_demographics(tmp_path, monkeypatch):
    write_folder("ml-100k", tmp_path, {"ml-100k/u.user": "2|53|F|other|T8H1N\n"})
    monkeypatch.setenv("MOVIELENS_HOME", str(tmp_path))
    users = load(tmp_path).read("users").set_index("user_id")
    assert users.index.tolist() == ["2", "1"]
    assert users.loc["1"].isna().all()
    assert users.loc["2", "age"] == 53


def test_no_rating_left_is_an_error(with_ratings):
    with pytest.raises(DataError, match=r"u\.data: there is no rating in it"):
        with_ratings("")
    with pytest.raises(DataError, match=r"u\.data: there is no rating in it"):
        with_ratings("1\t267\t6\t881250949\n", on_bad_rows="drop")


def test_a_million_rows_keep_the_order_of_the_file_and_their_line_numbers(tmp_path):
    # More than one block of the reader, so that several threads work on the file.
    n = 1_000_000
    rows = [f"{i},{i % 7},3.5,{1_000_000_000 + i % 1_000}\n" for i in range(n)]
    custom = tmp_path / "ratings.csv"
    custom.write_text("user_id,movie_id,rating,timestamp\n" + "".join(rows))
    tables = load(tmp_path, "custom", custom={"ratings": str(custom)})
    ratings = pd.read_parquet(tables.ratings)
    assert (ratings["row"].to_numpy() == range(n)).all()
    assert (ratings["user_id"].astype(int).to_numpy() == range(n)).all()
    rows[900_000] = "x,1,77,1000000000\n"
    rows[950_000] = "y,1\n"
    custom.write_text("user_id,movie_id,rating,timestamp\n" + "".join(rows))
    with pytest.raises(DataError, match=r"line 900002: .* received '77' \(1 more bad rows\)"):
        load(tmp_path, "custom", custom={"ratings": str(custom)})
    rows[900_000] = "x,1,3,1000000000\n"
    custom.write_text("user_id,movie_id,rating,timestamp\n" + "".join(rows))
    with pytest.raises(DataError, match=r"line 950002: a line must have 4 fields, received 'y,1'"):
        load(tmp_path, "custom", custom={"ratings": str(custom)})
