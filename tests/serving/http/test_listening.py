"""Taking and opening the port."""

from __future__ import annotations

import socket

import pytest

from recommender.errors import RecommenderError
from recommender.serving.http.listening import bind, listen, url


def test_clients_are_refused_until_the_socket_listens() -> None:
    with bind("127.0.0.1", 0) as bound:
        address = bound.getsockname()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address)
        listen(bound)
        socket.create_connection(address).close()


@pytest.mark.parametrize("listening", [False, True], ids=["bound", "listening"])
def test_a_port_is_taken_from_the_moment_it_is_bound(listening: bool) -> None:
    with bind("127.0.0.1", 0) as bound:
        if listening:
            listen(bound)
        port = bound.getsockname()[1]
        with pytest.raises(
            RecommenderError, match=rf"^rest_api_port: .*127\.0\.0\.1:{port}: the port is in use"
        ):
            bind("127.0.0.1", port)


def test_the_port_of_a_server_that_has_ended_is_free_at_once() -> None:
    with bind("127.0.0.1", 0) as bound:
        listen(bound)
        port = bound.getsockname()[1]
        client = socket.create_connection(("127.0.0.1", port))
        accepted, _ = bound.accept()
        accepted.close()  # the side that closes first keeps the port for a while
        assert client.recv(1) == b""
        client.close()
    with bind("127.0.0.1", port) as again:
        listen(again)
        with pytest.raises(RecommenderError, match="in use"):
            bind("127.0.0.1", port)


def test_an_address_that_is_not_this_machines_is_told() -> None:
    with pytest.raises(RecommenderError, match=r"^rest_api_port: cannot listen on 192\.0\.2\.1:0: "):
        bind("192.0.2.1", 0)
    with pytest.raises(RecommenderError, match=r"cannot listen on no\.such\.host\.invalid:0: "):
        bind("no.such.host.invalid", 0)


def test_the_url_is_one_that_a_client_on_this_machine_can_use() -> None:
    with bind("127.0.0.1", 0) as bound:
        assert url(bound) == f"http://127.0.0.1:{bound.getsockname()[1]}"
    with bind("0.0.0.0", 0) as bound:
        assert url(bound) == f"http://localhost:{bound.getsockname()[1]}"
    if socket.has_ipv6:
        with bind("::1", 0) as bound:
            assert url(bound) == f"http://[::1]:{bound.getsockname()[1]}"
