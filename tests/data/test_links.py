"""Links from movies to pages about them: from the files of a release to the prepared movies."""

from pathlib import Path

import pytest
from tiny_releases import FILES, pin, write_archive, write_folder

from recommender.config import check, load_settings
from recommender.data.prepare import encode
from recommender.data.tables import Tables, load_tables
from recommender.errors import DataError

LINKS = "ml-latest-small/links.csv"
HEADER = "movieId,imdbId,tmdbId\n"


def load(home: Path, dataset: str, **data: object) -> Tables:
    return load_tables(check({"data": {"dataset": dataset, "home": str(home), **data}}))


def links(tables: Tables) -> list[tuple]:
    frame = tables.read("links").astype(object)
    return list(frame.where(frame.notna(), None).itertuples(index=False, name=None))


@pytest.fixture
def write_links(tmp_path, monkeypatch):
    """Loads the tiny ml-latest-small with these lines in its links.csv."""

    def write(text: str) -> Tables:
        write_folder("ml-latest-small", tmp_path / "movielens", {LINKS: text})
        monkeypatch.setenv("MOVIELENS_HOME", str(tmp_path / "movielens"))
        return load(tmp_path / "data", "ml-latest-small")

    return write


def test_ids_become_addresses(write_links):
    assert links(write_links(HEADER + "3,0114709,862\n11,0105946,\n")) == [
        ("11", "https://www.imdb.com/title/tt0105946/", None),
        ("3", "https://www.imdb.com/title/tt0114709/", "https://www.themoviedb.org/movie/862"),
    ]


def test_what_is_no_number_makes_no_address(write_links):
    assert links(write_links(HEADER + '3,"0114709/../..",862\n11,javascript:alert(1),\n')) == [
        ("11", None, None),
        ("3", None, "https://www.themoviedb.org/movie/862"),
    ]


def test_a_movie_with_two_rows_of_links_is_there_once(write_links):
    assert links(write_links(HEADER + "3,22,5\n3,11,\n")) == [
        ("3", "https://www.imdb.com/title/tt11/", "https://www.themoviedb.org/movie/5")
    ]


def test_a_line_that_cannot_be_read_is_left_out_with_a_warning(write_links, caplog):
    assert links(write_links(HEADER + "3,22,5\n11,33\n")) == [
        ("3", "https://www.imdb.com/title/tt22/", "https://www.themoviedb.org/movie/5")
    ]
    assert "links.csv: left out 1 lines that cannot be read" in caplog.text


def test_another_header_is_refused(write_links):
    with pytest.raises(DataError, match=r"links\.csv, line 1: the header must be 'movieId,imdbId,tmdbId'"):
        write_links("movieId,imdb,tmdb\n3,22,5\n")


def test_ml_100k_names_pages_of_imdb(tmp_path, monkeypatch):
    write_folder("ml-100k", tmp_path / "movielens")
    monkeypatch.setenv("MOVIELENS_HOME", str(tmp_path / "movielens"))
    assert links(load(tmp_path / "data", "ml-100k")) == [
        ("1", "http://us.imdb.com/M/title", None),
        ("267", None, None),
        ("543", "http://us.imdb.com/M", None),
    ]


def test_what_is_no_address_of_the_web_is_no_link(tmp_path, monkeypatch):
    name = "ml-100k/u.item"
    items = FILES["ml-100k"][name].replace("http://us.imdb.com/M/title", "javascript:alert(1)")
    write_folder("ml-100k", tmp_path / "movielens", {name: items})
    monkeypatch.setenv("MOVIELENS_HOME", str(tmp_path / "movielens"))
    assert [url for _, url, _ in links(load(tmp_path / "data", "ml-100k"))] == [
        None,
        None,
        "http://us.imdb.com/M",
    ]


def test_data_without_links_has_an_empty_table(tmp_path, monkeypatch):
    write_folder("ml-latest-small", tmp_path / "movielens")
    monkeypatch.setenv("MOVIELENS_HOME", str(tmp_path / "movielens"))
    for dataset in ("ml-latest-small", "synthetic"):
        table = load(tmp_path / "data", dataset).read("links")
        assert (len(table), list(table)) == (0, ["movie_id", "imdb_url", "tmdb_url"])


def test_other_links_give_other_tables_of_the_same_source(write_links):
    first, second = write_links(HEADER + "3,22,5\n"), write_links(HEADER + "3,23,5\n")
    assert first.fingerprint == second.fingerprint
    assert first.key != second.key
    assert links(second) != links(first)


def test_links_come_with_the_archive(tmp_path, monkeypatch):
    folder = tmp_path / "movielens"
    folder.mkdir()
    archive = write_archive("ml-latest-small", folder / "ml-latest-small.zip", {LINKS: HEADER + "3,22,5\n"})
    pin(monkeypatch, "ml-latest-small", archive)
    monkeypatch.setenv("MOVIELENS_HOME", str(folder))
    assert len(links(load(tmp_path / "data", "ml-latest-small"))) == 1


def test_prepared_movies_have_columns_for_links_also_without_any(prepared):
    assert prepared.movies["imdb_url"].isna().all()
    assert prepared.movies["tmdb_url"].isna().all()


@pytest.mark.movielens
def test_real_links_stand_beside_their_movies(movielens_home, tmp_path):
    for dataset, title, url in (
        ("ml-100k", "GoldenEye (1995)", "http://us.imdb.com/M/title-exact?GoldenEye%20(1995)"),
        ("ml-latest-small", "Toy Story (1995)", "https://www.imdb.com/title/tt0114709/"),
    ):
        overrides = [f"data.dataset={dataset}", f"data.home={tmp_path}", "data.on_bad_rows=drop"]
        settings = load_settings(overrides=overrides)
        movies = encode(settings, load_tables(settings))[1].movies.set_index("title")
        assert movies.loc[title, "imdb_url"] == url
        assert movies["imdb_url"].notna().mean() > 0.99
