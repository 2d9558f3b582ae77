from __future__ import annotations

import os
import socket

import pytest

from recommender.deployment.ports import check_port_is_free
from recommender.errors import RecommenderError


def test_a_free_port_is_free_and_stays_so(port: int) -> None:
    check_port_is_free("127.0.0.1", port, "local.port")
    check_port_is_free("0.0.0.0", port, "local.port")


@pytest.mark.parametrize("shared", [False, True])
def test_a_port_that_is_taken_is_told_with_its_owner(port: int, shared: bool) -> None:
    with socket.socket() as taken:
        if shared:
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        taken.bind(("127.0.0.1", port))
        taken.listen()
        for host in ("127.0.0.1", "0.0.0.0"):
            with pytest.raises(RecommenderError) as error:
                check_port_is_free(host, port, "local.port")
            assert str(error.value).startswith(f"port {port} of {host} is taken by process {os.getpid()} (")
            assert str(error.value).endswith("; end that, or choose another with local.port=PORT")


def test_a_connection_that_is_ending_does_not_take_the_port(port: int) -> None:
    with socket.create_server(("127.0.0.1", port)) as server:
        ours = socket.create_connection(("127.0.0.1", port))
        theirs, _ = server.accept()
        theirs.close()  # the side that closes first keeps the port in TIME_WAIT
        ours.close()
    check_port_is_free("127.0.0.1", port, "local.port")


def test_an_address_that_is_not_ours_is_told() -> None:
    with pytest.raises(RecommenderError, match=r"cannot listen at 192\.0\.2\.1:8501: "):
        check_port_is_free("192.0.2.1", 8501, "local.port")
    with pytest.raises(RecommenderError, match=r"nix\.invalid: no such address: "):
        check_port_is_free("nix.invalid", 8501, "local.port")
