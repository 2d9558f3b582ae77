"""Stopping: what is begun is finished, nothing new is taken."""

from __future__ import annotations

import socket
import time

import pytest
from served_application import Client, EchoApplication, get, post, served

from recommender.serving.http.limits import Limits
from recommender.serving.http.server import LAST_CALL_SECONDS


def test_requests_in_work_are_answered_and_idle_connections_closed() -> None:
    application = EchoApplication()
    with served(application) as running, Client(running.port) as busy, Client(running.port) as idle:
        idle.send(get("/a"))
        idle.receive()
        busy.send(get("/thread/gate"))
        assert application.at_gate.acquire(timeout=20)
        drained = running.drain()
        assert idle.ended()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", running.port))
        application.gate.set()
        answer = busy.receive()
        assert (answer.body, answer.headers["Connection"]) == (b"GET /thread/gate ", "close")
        assert drained.result(timeout=20) is True


def test_a_request_that_is_being_sent_may_still_arrive() -> None:
    application = EchoApplication()
    with served(application) as running, Client(running.port) as client, Client(running.port) as other:
        client.send(post("/late", b"body")[:-2])
        other.send(get("/thread/gate"))
        assert application.at_gate.acquire(timeout=20)  # by now the first bytes have been read too
        drained = running.drain()
        application.gate.set()
        assert other.receive().status == 200
        client.send(b"dy")
        answer = client.receive()
        assert (answer.body, answer.headers["Connection"]) == (b"POST /late body", "close")
        assert drained.result(timeout=20) is True


def test_pipelined_requests_are_all_answered() -> None:
    application = EchoApplication()
    with served(application) as running, Client(running.port) as client:
        client.send(get("/thread/gate") + get("/b") + get("/c"))
        assert application.at_gate.acquire(timeout=20)
        drained = running.drain()
        application.gate.set()
        answers = [client.receive() for _ in range(3)]
        assert [answer.body for answer in answers] == [b"GET /thread/gate ", b"GET /b ", b"GET /c "]
        assert [answer.headers["Connection"] for answer in answers] == [None, None, "close"]
        assert drained.result(timeout=20) is True


def test_what_takes_longer_than_the_grace_time_is_given_up() -> None:
    application = EchoApplication()
    with served(application, Limits(grace_seconds=0.1)) as running, Client(running.port) as client:
        client.send(get("/thread/gate"))
        assert application.at_gate.acquire(timeout=20)
        assert running.drain().result(timeout=20) is False
        assert client.ended()
        application.gate.set()


def test_a_client_that_is_still_reading_gets_everything() -> None:
    with served(EchoApplication()) as running, Client(running.port, receive_buffer=65_536) as client:
        client.send(get("/size/30000000"))
        assert client.line() == b"HTTP/1.1 200 OK\r\n"
        drained = running.drain()
        time.sleep(2 * LAST_CALL_SECONDS)  # idle connections are closed by then
        while client.line() != b"\r\n":
            pass
        assert len(client.read(30_000_000)) == 30_000_000
        assert client.ended()
        assert drained.result(timeout=20) is True


def test_requests_that_are_on_their_way_are_answered() -> None:
    application = EchoApplication()
    with served(application) as running:
        clients = [Client(running.port) for _ in range(30)]
        for client in clients:
            client.send(get("/thread/x"))
        drained = running.drain()
        for client in clients:
            assert client.receive().body == b"GET /thread/x "
            client.close()
        assert drained.result(timeout=20) is True
