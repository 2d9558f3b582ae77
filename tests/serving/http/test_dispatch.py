"""Which requests run on the event loop and which in threads, and what that does for the others."""

from __future__ import annotations

import gzip

import pytest
from served_application import Client, EchoApplication, get, post, served

from recommender.serving.http.application import Application
from recommender.serving.http.gunzip import Oversize, gunzip
from recommender.serving.http.limits import Limits
from recommender.serving.http.pace import MOST_KINDS, QUICK_SECONDS, Pace
from recommender.serving.http.request import Request
from recommender.serving.rest.paths import Target
from recommender.serving.rest.response import JSON, Response

PACKED = gzip.compress(b"body", mtime=0)


def test_quick_requests_move_to_the_event_loop_once_they_are_known_to_be_quick() -> None:
    application = EchoApplication()
    with served(application) as running, Client(running.port) as client:
        for _ in range(3):
            client.send(post("/a", b"x"))
            client.receive()
    assert application.threads[0].startswith("request")
    assert not application.threads[2].startswith("request")


def test_a_slow_request_does_not_hold_up_other_clients() -> None:
    application = EchoApplication()
    with served(application) as running, Client(running.port) as slow, Client(running.port) as quick:
        slow.send(get("/thread/gate"))
        assert application.at_gate.acquire(timeout=20)
        for number in range(20):
            quick.send(get(f"/{number}"))
            assert quick.receive().body == f"GET /{number} ".encode()
        application.gate.set()
        assert slow.receive().body == b"GET /thread/gate "


def test_more_slow_requests_than_threads_wait_for_their_turn() -> None:
    application = EchoApplication()
    with served(application, threads=2) as running:
        clients = [Client(running.port) for _ in range(5)]
        for client in clients:
            client.send(get("/thread/gate"))
        for _ in range(2):
            assert application.at_gate.acquire(timeout=20)
        assert len(application.threads) == 2
        application.gate.set()
        for client in clients:
            assert client.receive().status == 200
            client.close()


def test_what_was_never_seen_is_not_taken_for_quick() -> None:
    assert not Pace().is_quick("/v1/models/m:predict", b"x")


def test_requests_of_different_sizes_are_told_apart() -> None:
    pace = Pace()
    pace.learn("/m", b"x" * 100, QUICK_SECONDS / 10, succeeded=True)
    pace.learn("/m", b"x" * 100_000, QUICK_SECONDS * 10, succeeded=True)
    assert pace.is_quick("/m", b"x" * 120)
    assert not pace.is_quick("/m", b"x" * 110_000)
    assert not pace.is_quick("/m", b"x" * 1000)
    assert not pace.is_quick("/other", b"x" * 100)


def test_slowness_is_soon_believed_and_slowly_forgotten() -> None:
    pace = Pace()
    pace.learn("/m", b"", QUICK_SECONDS / 10, succeeded=True)
    pace.learn("/m", b"", QUICK_SECONDS * 1.5, succeeded=True)
    assert pace.is_quick("/m", b""), "one hiccup is no reason to change"
    pace.learn("/m", b"", QUICK_SECONDS * 100, succeeded=True)
    assert not pace.is_quick("/m", b"")
    quick = 0
    while not pace.is_quick("/m", b""):
        pace.learn("/m", b"", QUICK_SECONDS / 10, succeeded=True)
        quick += 1
    assert 50 < quick < 1000


def test_a_failure_tells_nothing_unless_it_was_slow() -> None:
    pace = Pace()
    pace.learn("/m", b"", QUICK_SECONDS / 10, succeeded=False)
    assert not pace.is_quick("/m", b""), "nobody knows yet what an answer costs"
    pace.learn("/m", b"", QUICK_SECONDS / 10, succeeded=True)
    pace.learn("/m", b"", QUICK_SECONDS * 100, succeeded=False)
    assert not pace.is_quick("/m", b""), "it kept everybody else waiting"
    for _ in range(1000):
        pace.learn("/m", b"", QUICK_SECONDS / 10, succeeded=False)
    assert not pace.is_quick("/m", b"")


def test_targets_that_clients_make_up_do_not_fill_the_memory() -> None:
    pace = Pace()
    for number in range(3 * MOST_KINDS):
        pace.learn(f"/{number}", b"", 0.001, succeeded=True)
    assert len(pace._expected) <= MOST_KINDS


class Api:
    """Answers with the body as the API gets it."""

    def handle(self, method: str, path: str, body: bytes, waited: float, quick: bool) -> Response:
        return Response(200, JSON, f"{method} {path} ".encode() + body)


class Page:
    """Owns /metrics."""

    def owns(self, target: Target) -> bool:
        return target.path == "/metrics"

    def show(self, target: Target) -> Response:
        return Response(200, "text/plain", target.full.encode())


@pytest.fixture
def application() -> Application:
    return Application(Api(), Page(), Limits(max_body_bytes=1000))  # type: ignore[arg-type]


def request(target: str, method: str = "GET", body: bytes = b"", gzipped: bool = False) -> Request:
    return Request(method, target, body, gzipped, persistent=True, old=False, id="1")


@pytest.mark.parametrize(
    ("asked", "status", "content_type", "close"),
    [
        (request("/v1/models/m"), 200, "application/json", False),
        (request("/metrics?x"), 200, "text/plain", False),
        (request("/"), 404, "text/html", True),
        (request("/v2/models/m"), 404, "text/html", True),
        (request("*", "OPTIONS"), 404, "text/html", True),
        (request("/v1/models/\xff"), 400, "text/html", True),
        (request("/v1/models/m", "TRACE"), 501, "text/html", True),
        (request("host:1", "CONNECT"), 501, "text/html", True),
    ],
)
def test_whatever_does_not_reach_the_api_is_answered_by_the_library(
    application: Application, asked: Request, status: int, content_type: str, close: bool
) -> None:
    # evhttp_server.cc lets these methods through; the others and unknown paths get evhttp_send_error's page
    answer = application.respond(asked, 0.0, False)
    assert (answer.status, answer.content_type, answer.close) == (status, content_type, close)


def test_the_page_for_an_unknown_path_is_libevents(application: Application) -> None:
    assert application.respond(request("/index"), 0.0, False).body == (
        b"<HTML><HEAD>\n<TITLE>404 Not Found</TITLE>\n</HEAD><BODY>\n<H1>Not Found</H1>\n</BODY></HTML>\n"
    )


def test_the_api_sees_the_target_with_its_query_string_and_without_host(application: Application) -> None:
    assert application.respond(request("http://h:1/v1/a?b"), 0.0, False).body == b"GET /v1/a?b "


def test_gzipped_bodies_are_unpacked_in_a_thread(application: Application) -> None:
    packed = request("/v1/m", "POST", gzip.compress(b"body"), gzipped=True)
    assert application.may_block(packed)
    assert application.respond(packed, 0.0, False).body == b"POST /v1/m body"
    assert not application.may_block(request("/v1/m", "POST", b"body"))


@pytest.mark.parametrize("damaged", [b"not gzip", PACKED[:-3], PACKED[:14]])
def test_a_damaged_gzipped_body_is_told(application: Application, damaged: bytes) -> None:
    answer = application.respond(request("/v1/m", "POST", damaged, gzipped=True), 0.0, False)
    assert (answer.status, answer.close) == (400, False)
    assert b"Failed to uncompress the gzipped body" in answer.body


def test_a_small_body_that_would_unpack_to_a_huge_one_is_refused(application: Application) -> None:
    bomb = gzip.compress(b"0" * 50_000_000)
    assert len(bomb) < 100_000
    assert application.respond(request("/v1/m", "POST", bomb, gzipped=True), 0.0, False).status == 413
    with pytest.raises(Oversize):
        gunzip(bomb, 49_999_999)
    assert len(gunzip(bomb, 50_000_000)) == 50_000_000


def test_the_metrics_page_is_made_in_a_thread_as_it_asks_other_workers(application: Application) -> None:
    assert application.may_block(request("/metrics"))
