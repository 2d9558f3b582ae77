"""Bodies that are too large end where that is known, not in memory."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Scope


class BodyTooLargeError(HTTPException):
    """A body has more bytes than are allowed.

    An `HTTPException`, because FastAPI takes any other one out of `receive` for a body that cannot be parsed.
    """

    def __init__(self, most: int) -> None:
        super().__init__(413, f"body: must have at most {most} bytes")


def limited(scope: Scope, receive: Receive, most: int) -> Receive:
    """A `receive` that raises `BodyTooLargeError` with the byte that is one too many.

    Raises it at once where the client has said how much it will send.
    """
    declared = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
    if declared.isdigit() and int(declared) > most:
        raise BodyTooLargeError(most)
    received = 0

    async def count() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > most:
            raise BodyTooLargeError(most)
        return message

    return count
