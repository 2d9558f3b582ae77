"""HTTP with JSON both ways: timeouts, retries, and errors in one line."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import ReadTimeoutError

from recommender.client.errors import AnswerTimeout, ServerUnavailable, UnexpectedAnswer, refusal
from recommender.errors import ConfigError

FIRST_PAUSE = 0.1  # seconds before the first retry, doubled for each further one
LONGEST = 86_400  # seconds; operating systems have their own limit somewhere above
SHOWN = 200  # characters of an answer that is not understood


class Connection:
    """A session with one server; connections are kept open between requests."""

    def __init__(self, url: str, timeout: tuple[float, float], retries: int) -> None:
        """`timeout` is seconds to connect, and seconds without a byte of the answer.

        A request is sent again, at most `retries` times, only where the connection could not be made or
        broke. Predictions change nothing, so that sending one twice does no harm. What is answered, even with
        an error, and what takes too long is not sent again: the server has enough to do.
        """
        host = _host(url)
        for seconds in timeout:
            if not 0 < seconds <= LONGEST:
                raise ConfigError(
                    f"timeout: must be above 0 and at most {LONGEST} seconds, received {seconds}"
                )
        self.url = url.rstrip("/")
        self._timeout = timeout
        self._retries = retries
        self._session = requests.Session()
        self._session.trust_env = not _is_this_machine(host)  # no proxy can reach our loopback

    def get(self, path: str) -> dict[str, Any]:
        """The JSON object at a path."""
        return self._request("GET", path, None)

    def post(self, path: str, content: Mapping[str, Any]) -> dict[str, Any]:
        """The JSON object that is answered to one; NaN and Infinity are bare words both ways."""
        return self._request("POST", path, json.dumps(content).encode())

    def close(self) -> None:
        """Close the connections that are kept open."""
        self._session.close()

    def _request(self, method: str, path: str, body: bytes | None) -> dict[str, Any]:
        address = self.url + path
        for attempt in range(self._retries):
            try:
                return _read(address, self._send(method, address, body))
            except AnswerTimeout:
                raise
            except ServerUnavailable:
                time.sleep(FIRST_PAUSE * 2**attempt)
        return _read(address, self._send(method, address, body))

    def _send(self, method: str, address: str, body: bytes | None) -> requests.Response:
        headers = {"Content-Type": "application/json"} if body is not None else {}
        try:
            return self._session.request(
                method, address, data=body, headers=headers, timeout=self._timeout, allow_redirects=False
            )
        except requests.ReadTimeout:
            raise self._too_late(address) from None
        except requests.ConnectionError as error:
            if error.args and isinstance(error.args[0], ReadTimeoutError):  # in the middle of the answer
                raise self._too_late(address) from None
            raise ServerUnavailable(f"{address} cannot be reached: {_cause(error)}") from None
        except requests.RequestException as error:
            raise ServerUnavailable(f"{address}: the connection broke: {_cause(error)}") from None

    def _too_late(self, address: str) -> AnswerTimeout:
        return AnswerTimeout(f"{address} has not answered within {self._timeout[1]:g} seconds")


def _read(address: str, response: requests.Response) -> dict[str, Any]:
    """The JSON object that was answered; raises for every status but 200."""
    try:
        answer = json.loads(response.content)
    except ValueError:
        answer = None
    if response.status_code == 200 and isinstance(answer, dict):
        return answer
    if response.status_code >= 400 and isinstance(answer, dict) and isinstance(answer.get("error"), str):
        raise refusal(address, response.status_code, " ".join(answer["error"].split()))
    said = " ".join(response.content[:SHOWN].decode(errors="replace").split())
    if response.status_code >= 400:  # a proxy's page
        raise refusal(address, response.status_code, said or response.reason)
    raise UnexpectedAnswer(f"{address}: expected a JSON object, received {response.status_code} {said!r}")


def _cause(error: BaseException) -> str:
    """The innermost reason of an error that wraps others, as in "Connection refused"."""
    wrapped = (getattr(error, "reason", None), error.__cause__, *error.args)
    inner = next((part for part in wrapped if isinstance(part, BaseException)), None)
    if inner is not None:
        return _cause(inner)
    return error.strerror or str(error) if isinstance(error, OSError) else str(error)


def _host(url: str) -> str:
    """The host that a URL names; raises `ConfigError` for what cannot be the beginning of our addresses."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        host.encode("idna")  # also refuses names with an empty part
        good = parts.scheme in ("http", "https") and host and parts.port != 0
    except ValueError:
        good = False
    if not good or parts.query or parts.fragment or not url.isprintable() or " " in url:
        raise ConfigError(f"url: must be as in http://127.0.0.1:8501, received {url!r}")
    return host


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
