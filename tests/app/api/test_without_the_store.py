"""While the store is down, pages and API show what the last push has left in memory, and say so."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from fastapi.testclient import TestClient

from recommender.app.api import create_api
from recommender.app.application import Application
from recommender.app.events.reading import read_records
from recommender.app.features import StoreUnavailableError
from recommender.app.pages import add_pages
from recommender.app.pipeline import circuit_breaker
from recommender.app.settings import AppSettings
from recommender.data.prepared import Prepared

CUT_OFF = 'id="cut-off"'
STARS = 'action="/ratings"'


@pytest.fixture
def user_id(titled: Prepared) -> str:
    return titled.users["user_id"][0]


@pytest.fixture
def site(application: Application, user_id: str) -> Iterator[TestClient]:
    """Pages and API, asked by the chosen user `user_id`."""
    api = create_api(application)
    add_pages(api, application)
    with TestClient(api) as site:
        site.post("/visitor", data={"user_id": user_id})
        yield site


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The clock of circuit breakers, which goes on only when it is told to."""
    clock = SimpleNamespace(now=100.0)
    monkeypatch.setattr(circuit_breaker, "time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


@pytest.fixture
def reads(application: Application) -> list[str]:
    """Takes the store down; counts who has asked it since."""
    asked: list[str] = []

    def fail(*arguments: object) -> None:
        asked.append("read")
        raise StoreUnavailableError("redis at secret-host: the feature store cannot be used")

    for name in ("read", "log", "change", "catalogue", "blob", "events"):
        setattr(application.store.backend, name, fail)
    return asked


def test_pages_show_popular_movies_and_take_no_ratings(
    site: TestClient, application: Application, titled: Prepared, user_id: str, request
) -> None:
    genre, movie_id = application.genres()[0].genre, titled.movies["movie_id"][0]
    paths = {
        "/": True,  # and whether the page has to say that something is missing
        f"/users/{user_id}": True,
        f"/movies/{movie_id}": True,
        f"/movies/{movie_id}?similar=genre": True,
        "/genres": True,
        f"/genres/{genre}": True,
        "/search?q=matrix": True,
        "/suggestions?q=matrix": False,
        "/newcomer": True,
        "/visitor": True,
        "/experiments": True,
    }
    assert STARS in site.get("/").text
    assert not any(CUT_OFF in site.get(path).text for path in paths)
    request.getfixturevalue("reads")
    for path, says_so in paths.items():
        page = site.get(path)
        assert (page.status_code, path) == (200, path)
        assert (CUT_OFF in page.text) == says_so
        assert STARS not in page.text
        assert "secret-host" not in page.text
    assert "This list is simpler than usual" in site.get("/").text
    assert site.get(f"/users/{user_id}").text.count("data-movie=") == 20  # two lists of ten
    rated = site.post("/ratings", data={"movie_id": movie_id, "rating": "4"})
    assert (rated.status_code, "The server cannot reach its data." in rated.text) == (503, True)


def test_the_api_answers_the_same_from_memory_where_nothing_else_is_known(
    site: TestClient, application: Application, titled: Prepared, request
) -> None:
    genre, movie_id = application.genres()[0].genre, titled.movies["movie_id"][0]
    paths = ["genres", f"genres/{genre}/movies", "search?q=matrix", "users", f"movies/{movie_id}/similar"]
    before = [site.get(f"/api/v1/{path}").json() for path in paths]
    movie = site.get(f"/api/v1/movies/{movie_id}").json()
    assert movie["degraded"] == []
    request.getfixturevalue("reads")
    assert [site.get(f"/api/v1/{path}").json() for path in paths] == before
    degraded = site.get(f"/api/v1/movies/{movie_id}").json()
    assert degraded == {**movie, "top_raters": [], "degraded": ["features"]}
    assert site.get("/api/v1/movies/nobody-knows-it").status_code == 404


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("api/v1/genres", 200),
        ("api/v1/movies/{movie}", 200),
        ("api/v1/users/{user}", 503),
        ("movies/{movie}?similar=genre", 200),
        ("genres", 200),
    ],
)
def test_a_store_that_was_down_is_not_asked_at_every_step(
    site: TestClient,
    reads: list[str],
    titled: Prepared,
    user_id: str,
    path: str,
    status: int,
    clock: SimpleNamespace,
) -> None:
    address = path.format(movie=titled.movies["movie_id"][0], user=user_id)
    for _ in range(3):
        assert site.get(f"/{address}").status_code == status
    assert len(reads) == 1


def test_a_store_that_is_back_is_asked_after_a_pause(
    site: TestClient,
    application: Application,
    titled: Prepared,
    user_id: str,
    clock: SimpleNamespace,
    request,
) -> None:
    paths = [f"/api/v1/movies/{titled.movies['movie_id'][0]}", f"/api/v1/users/{user_id}"]
    backend = application.store.backend
    before, kept = [site.get(path).json() for path in paths], dict(vars(backend))
    request.getfixturevalue("reads")
    assert [site.get(path).json() == answer for path, answer in zip(paths, before, strict=True)] == [
        False
    ] * 2
    vars(backend).clear()
    vars(backend).update(kept)
    assert [site.get(path).json() == answer for path, answer in zip(paths, before, strict=True)] == [
        False
    ] * 2
    clock.now += circuit_breaker.PAUSE
    assert [site.get(path).json() for path in paths] == before


def test_an_id_that_is_too_long_is_refused_before_a_list_is_logged(
    site: TestClient, application: Application, app_settings: AppSettings, reads: list[str]
) -> None:
    assert site.get(f"/users/{'x' * 200}").status_code == 200
    assert site.get(f"/users/{'x' * 201}").status_code == 422
    application.close()
    assert max(len(record.user_id) for record in read_records(app_settings.events)) == 200
