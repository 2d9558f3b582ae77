"""How the server reads requests off a connection and writes answers to it."""

from __future__ import annotations

import socket
import time

import pytest
from served_application import Client, EchoApplication, Served, get, post, served

from recommender.serving.http.limits import Limits


@pytest.fixture(scope="module")
def echo():
    with served(EchoApplication()) as running:
        yield running


@pytest.fixture
def client(echo: Served):
    with Client(echo.port) as connected:
        yield connected


def test_a_connection_answers_one_request_after_another(client: Client) -> None:
    for number in range(3):
        client.send(post("/a", b"%d" % number))
        answer = client.receive()
        assert (answer.status, answer.body) == (200, b"POST /a %d" % number)
        assert answer.headers["Content-Length"] == str(len(answer.body))
        assert "Connection" not in answer.headers


def test_pipelined_requests_are_answered_in_order(client: Client) -> None:
    client.send(b"".join(post(f"/{number}", b"x") for number in range(100)))
    assert [client.receive().body for _ in range(100)] == [b"POST /%d x" % number for number in range(100)]


def test_a_slow_request_does_not_let_a_later_quick_one_of_its_connection_pass() -> None:
    application = EchoApplication()
    with served(application) as running, Client(running.port) as client:
        client.send(get("/thread/gate") + get("/quick") + get("/thread/a") + get("/quick"))
        assert application.at_gate.acquire(timeout=20)
        application.gate.set()
        bodies = [client.receive().body for _ in range(4)]
        assert bodies == [b"GET /thread/gate ", b"GET /quick ", b"GET /thread/a ", b"GET /quick "]


def test_requests_arrive_whole_however_their_bytes_are_split(client: Client) -> None:
    request = post("/split", b'{"a": 1}', "X-Request-Id: abc")
    client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for at in range(1, len(request)):
        client.send(request[:at])
        time.sleep(0.0005)  # lets the parts arrive apart; the answer is the same if they do not
        client.send(request[at:])
        answer = client.receive()
        assert answer.body == b'POST /split {"a": 1}'
        assert answer.headers["X-Request-Id"] == "abc"


def test_chunked_bodies_are_joined_and_trailers_ignored(client: Client) -> None:
    client.send(
        b"POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n"
    )
    client.send(b"0\r\nX-Request-Id: late\r\n\r\n" + get("/next"))
    answer = client.receive()
    assert answer.body == b"POST /c abcde"
    assert answer.headers["X-Request-Id"] != "late"
    assert client.receive().body == b"GET /next "


def test_a_client_that_expects_leave_gets_it_before_it_sends_the_body(client: Client) -> None:
    request = post("/e", b"body", "Expect: 100-continue")
    client.send(request[:-4])
    assert client.line() + client.line() == b"HTTP/1.1 100 Continue\r\n\r\n"
    client.send(b"body")
    assert client.receive().body == b"POST /e body"


def test_leave_to_send_a_body_waits_for_the_answers_before_it() -> None:
    application = EchoApplication()
    with served(application) as running, Client(running.port) as client:
        client.send(get("/thread/gate") + post("/e", b"body", "Expect: 100-continue")[:-4])
        assert application.at_gate.acquire(timeout=20)
        application.gate.set()
        assert client.receive().body == b"GET /thread/gate "
        assert client.line() + client.line() == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.send(b"body")
        assert client.receive().body == b"POST /e body"


def test_the_answer_to_head_has_a_length_and_no_body(client: Client) -> None:
    client.send(b"HEAD /h HTTP/1.1\r\nHost: h\r\n\r\n" + get("/next"))
    answer = client.receive("HEAD")
    assert (answer.headers["Content-Length"], answer.body) == (str(len("HEAD /h ")), b"")
    assert client.receive().body == b"GET /next "


@pytest.mark.parametrize(
    ("version", "header", "stays"),
    [
        ("1.1", "", True),
        ("1.1", "Connection: close\r\n", False),
        ("1.0", "", False),
        ("1.0", "Connection: keep-alive\r\n", True),
    ],
)
def test_a_connection_stays_as_the_client_and_its_version_ask(
    client: Client, version: str, header: str, stays: bool
) -> None:
    client.send(f"GET /k HTTP/{version}\r\nHost: h\r\n{header}\r\n".encode())
    said = client.receive().headers["Connection"]
    if not stays:
        assert said == "close"
        assert client.ended()
        return
    assert said == ("keep-alive" if version == "1.0" else None)
    client.send(get("/again"))
    assert client.receive().body == b"GET /again "


def test_what_follows_a_last_request_is_ignored(client: Client) -> None:
    client.send(get("/last", "Connection: close") + get("/ignored"))
    assert client.receive().body == b"GET /last "
    assert client.ended()


def test_an_answer_that_ends_the_connection_is_received_whole_by_a_client_that_still_sends(
    echo: Served,
) -> None:
    with Client(echo.port) as client:
        client.send(get("/close") + get("/ignored") * 1000)
        answer = client.receive()
        assert (answer.body, answer.headers["Connection"]) == (b"GET /close ", "close")
        assert client.ended()


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_offer_of_another_protocol_is_declined(client: Client, method: str) -> None:
    # As Java's HttpClient sends its first request.
    offer = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABk"
    client.send(f"{method} /u HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n{offer}\r\n\r\nbo".encode())
    client.send(b"dy" + get("/next"))
    assert client.receive().body == f"{method} /u body".encode()
    assert client.receive().body == b"GET /next "


def test_any_number_of_offers_at_once_is_declined(client: Client) -> None:
    offer = b"GET /u HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
    client.send(offer * 2000 + get("/next"))
    for _ in range(2000):
        assert client.receive().body == b"GET /u "
    assert client.receive().body == b"GET /next "


def test_a_client_that_stops_sending_still_gets_its_answers() -> None:
    application = EchoApplication()
    with served(application) as running, Client(running.port) as client:
        client.send(get("/thread/gate") + get("/b"))
        client.socket.shutdown(socket.SHUT_WR)
        assert application.at_gate.acquire(timeout=20)
        application.gate.set()
        assert client.receive().body == b"GET /thread/gate "
        assert client.receive().body == b"GET /b "
        assert client.ended()


def test_a_client_that_hangs_up_leaves_the_server_as_it_was() -> None:
    application = EchoApplication()
    with served(application) as running:
        clients = [Client(running.port) for _ in range(3)]
        clients[0].send(b"POST /half HTTP/1.1\r\nContent-Le")
        clients[1].send(post("/half", b"1234567890")[:-5])
        clients[2].send(get("/thread/gate"))
        assert application.at_gate.acquire(timeout=20)
        for client in clients:
            client.close()
        application.gate.set()
        with Client(running.port) as client:
            client.send(get("/alive"))
            assert client.receive().body == b"GET /alive "


def test_request_ids_are_kept_when_well_formed_and_made_otherwise(client: Client) -> None:
    client.send(get("/i", "X-Request-Id: ab-1.2:3_Z"))
    assert client.receive().headers["X-Request-Id"] == "ab-1.2:3_Z"
    made = []
    for bad in ("a b", "x" * 129, 'a"b', ""):
        client.send(get("/i", f"X-Request-Id: {bad}"))
        made.append(client.receive().headers["X-Request-Id"])
    assert len(set(made)) == 4
    assert all(len(name) > 8 and " " not in name for name in made)


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS
        b"GET / HTTP/1.1\nHost: h\n\n",
        b"GET\r\n\r\n",
        b"FETCH / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/7.7\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET / HTTP/1.1\r\nA: b\r\n folded\r\n\r\n",
    ],
)
def test_what_is_not_http_is_refused_and_the_connection_closed(client: Client, garbage: bytes) -> None:
    client.send(garbage)
    answer = client.receive()
    assert answer.status == 400
    assert b'"error": "Malformed HTTP' in answer.body
    assert answer.headers["Connection"] == "close"
    assert client.ended()


def test_requests_before_the_garbage_are_answered(client: Client) -> None:
    client.send(get("/fine") + b"\0\0\0\0")
    assert client.receive().body == b"GET /fine "
    assert client.receive().status == 400
    assert client.ended()


SMALL = Limits(max_body_bytes=1000, max_head_bytes=2000)


@pytest.fixture(scope="module")
def small():
    with served(EchoApplication(), SMALL) as running:
        yield running


def test_a_body_of_the_largest_size_is_taken(small: Served) -> None:
    with Client(small.port) as client:
        client.send(post("/", b"x" * 1000))
        assert client.receive().status == 200


def test_a_body_that_says_it_is_too_large_is_refused_before_it_is_sent(small: Served) -> None:
    with Client(small.port) as client:
        client.send(post("/", b"x" * 1001, "Expect: 100-continue")[:-1001])
        answer = client.receive()
        assert (answer.status, answer.headers["Content-Type"]) == (413, "application/json")
        assert b"larger than 1000 bytes" in answer.body


def test_a_chunked_body_is_refused_once_it_is_too_large(small: Served) -> None:
    with Client(small.port) as client:
        client.send(
            b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + b"64\r\n" + b"x" * 100 + b"\r\n"
        )
        client.send((b"64\r\n" + b"x" * 100 + b"\r\n") * 10)
        assert client.receive().status == 413
        assert client.ended()


def test_a_refused_client_that_goes_on_sending_still_reads_why(small: Served) -> None:
    with Client(small.port) as client:
        client.send(post("/", b"x" * 300_000))
        assert client.receive().status == 413


@pytest.mark.parametrize(
    "head",
    [
        b"GET /" + b"x" * 3000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nA: " + b"x" * 3000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 1000 + b"\r\n",
        b"GET / HTTP/1.1\r\nA: " + b"x" * 3000,
    ],
    ids=["target", "header", "headers", "unfinished"],
)
def test_a_head_that_is_too_large_is_refused(small: Served, head: bytes) -> None:
    with Client(small.port) as client:
        client.send(head)
        assert client.receive().status == 431
        assert client.ended()


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize(
    "beginning",
    [b"GET / HTTP/1.1\r\n", b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n"],
    ids=["head", "trailer"],
)
def test_a_head_or_trailer_that_goes_on_and_on_is_refused(
    small: Served, beginning: bytes, at_once: bool
) -> None:
    parts = [beginning] + [b"A: " + b"x" * 97 + b"\r\n"] * 30
    with Client(small.port) as client:
        for part in [b"".join(parts)] if at_once else parts:
            client.send(part)
            time.sleep(0.001)
        assert client.receive().status == 431


SHORT = Limits(head_seconds=0.3, request_seconds=0.6, idle_seconds=0.6, write_seconds=0.3, linger_seconds=0.3)


@pytest.fixture(scope="module")
def short():
    with served(EchoApplication(), SHORT) as running:
        yield running


@pytest.mark.parametrize("beginning", [b"G", b"GET / HTTP/1.1\r\nA:", post("/", b"abc")[:-1]])
def test_a_client_that_sends_too_slowly_is_told_so(short: Served, beginning: bytes) -> None:
    with Client(short.port) as client:
        for position in range(len(beginning)):
            client.send(beginning[position : position + 1])
        answer = client.receive()
        assert (answer.status, answer.headers["Connection"]) == (408, "close")
        assert client.ended()


def test_a_client_that_drips_bytes_does_not_win_time_with_each(short: Served) -> None:
    with Client(short.port) as client:
        client.send(b"GET / HTTP/1.1\r\nA: ")
        client.socket.settimeout(0.05)
        answer = b""
        for _ in range(200):
            try:
                client.send(b"x")
                answer = client.socket.recv(1000)
                break
            except TimeoutError:
                continue
        assert answer.startswith(b"HTTP/1.1 408 ")


def test_a_connection_without_request_is_closed_silently(short: Served) -> None:
    with Client(short.port) as fresh, Client(short.port) as used:
        used.send(get("/"))
        assert used.receive().status == 200
        assert fresh.ended()
        assert used.ended()


def test_a_client_that_does_not_read_is_cut_off(short: Served) -> None:
    with Client(short.port, receive_buffer=4096) as client:
        client.send(get("/size/20000000") * 3)
        time.sleep(1.5)
        received = 0
        try:
            while part := client.socket.recv(1_000_000):
                received += len(part)
        except ConnectionResetError:
            pass
        assert received < 20_000_000


def test_a_client_that_reads_slowly_gets_everything(short: Served) -> None:
    with Client(short.port) as client:
        client.send(get("/size/20000000", "Connection: close"))
        received = 0
        while part := client.socket.recv(200_000):
            received += len(part)
            time.sleep(0.01)  # a second together, more than three times the limit
        assert received > 20_000_000


def test_answers_that_are_not_read_hold_back_the_requests_behind_them() -> None:
    application = EchoApplication()
    with served(application) as running, Client(running.port, receive_buffer=65_536) as client:
        client.send(get("/size/2000000") * 30)
        time.sleep(0.3)
        assert len(application.threads) < 10
        for _ in range(30):
            assert len(client.receive().body) == 2_000_000


def test_past_the_most_connections_others_wait_for_a_place() -> None:
    limits = Limits(connections=2, idle_seconds=30)
    with served(EchoApplication(), limits) as running:
        busy = [Client(running.port) for _ in range(2)]
        for client in busy:
            client.send(get("/a"))
            assert client.receive().status == 200
        with Client(running.port) as third:
            third.send(get("/third"))
            busy[0].close()
            assert third.receive().body == b"GET /third "
        busy[1].close()


def test_idle_connections_make_room_when_there_is_none() -> None:
    with (
        served(EchoApplication(), Limits(connections=2, idle_seconds=600)) as running,
        Client(running.port) as idle,
        Client(running.port) as also_idle,
        Client(running.port) as third,
    ):
        third.send(get("/third"))
        assert third.receive().body == b"GET /third "
        assert idle.ended()
        assert also_idle.ended()
