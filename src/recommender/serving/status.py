"""How a request can fail: TensorFlow Serving's status codes, their HTTP statuses and the error body."""

from __future__ import annotations

import enum
import json


class Code(enum.IntEnum):
    """The canonical codes of `tsl/protobuf/error_codes.proto`; the name is what the API prints."""

    OK = 0
    CANCELLED = 1
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    OUT_OF_RANGE = 11
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    DATA_LOSS = 15
    UNAUTHENTICATED = 16


# As in ToHTTPStatusCode of model_servers/http_server.cc.
HTTP_STATUS = {
    Code.OK: 200,
    Code.CANCELLED: 499,
    Code.UNKNOWN: 500,
    Code.INVALID_ARGUMENT: 400,
    Code.DEADLINE_EXCEEDED: 504,
    Code.NOT_FOUND: 404,
    Code.ALREADY_EXISTS: 409,
    Code.PERMISSION_DENIED: 403,
    Code.RESOURCE_EXHAUSTED: 429,
    Code.FAILED_PRECONDITION: 400,
    Code.ABORTED: 409,
    Code.OUT_OF_RANGE: 400,
    Code.UNIMPLEMENTED: 501,
    Code.INTERNAL: 500,
    Code.UNAVAILABLE: 503,
    Code.DATA_LOSS: 500,
    Code.UNAUTHENTICATED: 401,
}


class ServingError(Exception):
    """A request that cannot be answered, in TensorFlow Serving's words; `str()` is the message alone."""

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    @property
    def http_status(self) -> int:
        """The HTTP status of the code."""
        return HTTP_STATUS[self.code]

    def with_code(self) -> str:
        """Code and message as absl::Status prints them, for messages that quote another error."""
        return f"{self.code.name}: {self.message}"


def invalid(message: str) -> ServingError:
    """The commonest failure: the request is at fault."""
    return ServingError(Code.INVALID_ARGUMENT, message)


def error_body(message: str) -> bytes:
    """The JSON body of a failed request."""
    return f'{{\n    "error": {json.dumps(message, ensure_ascii=False)}\n}}'.encode(errors="replace")
