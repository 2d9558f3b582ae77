"""Which model, version and verb a request asks for.

The two patterns and the order of the checks are those of `ParseModelInfo` in TensorFlow Serving's
model_servers/http_rest_api_util.cc. They see the whole target, so a query string is part of the path, and
they ignore case, while verbs are compared with their case afterwards.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote

from recommender.serving.status import ServingError, invalid

VERBS = ("classify", "regress", "predict")
LARGEST_VERSION = 2**63 - 1

_MODEL_OF_VERSION = r"(?:(?:/versions/(\d+))|(?:/labels/([^/:]+)))?"
_POST = re.compile(
    rf"/v1/models/([^/:]+){_MODEL_OF_VERSION}:(classify|regress|predict)", re.IGNORECASE | re.ASCII
)
_GET = re.compile(rf"/v1/models(?:/([^/:]+))?{_MODEL_OF_VERSION}(?:/(metadata))?", re.IGNORECASE | re.ASCII)
_API = re.compile(r"/v1/.*", re.IGNORECASE | re.ASCII)

_CHARACTER = r"[A-Za-z0-9\-._~!$&'()*+,;=:@/]|%[0-9A-Fa-f]{2}"
# The parts of RFC 3986 as libevent's `evhttp_uri_parse` splits them; any other character is a bad request.
_URI = re.compile(
    rf"(?:[A-Za-z][A-Za-z0-9+.\-]*:)?(?://[^/?#]*)?"
    rf"(?P<path>(?:{_CHARACTER})*)(?P<query>\?(?:{_CHARACTER}|\?)*)?(?P<fragment>\#(?:{_CHARACTER}|\?)*)?"
)


@dataclass(frozen=True, slots=True)
class Target:
    """A request target without scheme and host.

    `path` alone chooses who answers, `full` has the query string and is what the API matches; `of_api` says
    whether the API answers it, be it with an error.
    """

    path: str
    full: str
    of_api: bool


@dataclass(frozen=True, slots=True)
class Route:
    """What a request asks for: `verb` is one of `VERBS`, "metadata" or "status"."""

    verb: str
    name: str
    version: int | None
    label: str | None


@lru_cache(maxsize=1024)
def read_target(target: str) -> Target | None:
    """The target's parts; None where it is no URI."""
    parts = _URI.fullmatch(target)
    if parts is None:
        return None
    full = parts["path"] + (parts["query"] or "") + (parts["fragment"] or "")
    return Target(parts["path"], full, _API.fullmatch(full) is not None)


@lru_cache(maxsize=1024)
def read_route(method: str, path: str) -> Route:
    """What `path` (with its query string) asks for; raises `ServingError` in Serving's words."""
    if method == "POST":
        found = _POST.fullmatch(path)
    elif method == "GET":
        found = _GET.fullmatch(path)
    else:
        found = None
    if found is None:
        raise _malformed(method, path)
    name, version, label, verb = found.groups()
    route = Route(
        _verb(method, verb), unquote(name or ""), _version(version), unquote(label) if label else None
    )
    if method == "POST" and route.verb not in VERBS:
        raise _malformed(method, path)
    if not route.name:
        raise invalid("Missing model name in request.")
    return route


def _verb(method: str, found: str | None) -> str:
    if method == "GET":  # "METADATA" matches too, and is then taken for a question about the status
        return "metadata" if found == "metadata" else "status"
    return found or ""


def _version(digits: str | None) -> int | None:
    if digits is None:
        return None
    significant = digits.lstrip("0") or "0"
    # The length comes first: Python refuses to convert thousands of digits.
    if len(significant) > len(str(LARGEST_VERSION)) or int(significant) > LARGEST_VERSION:
        raise invalid(f"Failed to convert version: {digits} to numeric.")
    return int(significant)


def _malformed(method: str, path: str) -> ServingError:
    return invalid(f"Malformed request: {method} {path}")
