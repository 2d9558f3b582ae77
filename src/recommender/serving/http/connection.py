"""One client's connection: requests in, answers out in the same order, within limits."""

from __future__ import annotations

import asyncio
from time import perf_counter
from typing import TYPE_CHECKING, cast

from recommender.serving.http.request import Refusal, Request, RequestReader
from recommender.serving.http.request_id import new_request_id
from recommender.serving.http.response_head import CONTINUE, connection_header, response_head
from recommender.serving.rest.response import Response, error_response

if TYPE_CHECKING:
    from recommender.serving.http.server import HttpServer

BURST = 16  # pipelined requests answered before other connections have their turn
LARGE = 65_536  # bytes of a body that is cheaper to hand over apart than to copy behind its head


class Connection(asyncio.Protocol):
    """Talks to one client. At most one of its requests is in work; the others wait, and reading with them.

    Times are those of the server's coarse clock: `check` compares them a few times a second, which costs a
    request nothing, where a timer would have to be set and cancelled for each.
    """

    def __init__(self, server: HttpServer) -> None:
        self._server = server
        self._reader = RequestReader(server.limits)
        self._transport: asyncio.Transport
        self._client = ""
        self._working: Request | None = None  # in a thread
        self._received = 0.0
        self._since = server.clock  # of the last request's first byte, the last answer, the last read answer
        self._reading = True
        self._writing = True  # false while the client does not read
        self._unread = 0
        self._refusal: Response | None = None
        self._last = False  # nothing more is read as a request
        self._lingers = False

    @property
    def idle(self) -> bool:
        """Whether there is nothing begun that would have to be finished."""
        return (
            self._working is None and not self._reader.requests and not self._reader.begun and self._writing
        )

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection is open."""
        self._transport = cast(asyncio.Transport, transport)
        self._client = str((transport.get_extra_info("peername") or ("",))[0])
        self._server.opened(self)

    def connection_lost(self, error: Exception | None) -> None:
        """The connection is closed; an answer that is still in work is thrown away when it comes."""
        self._last = True
        self._reader.requests.clear()
        self._server.closed(self)

    def data_received(self, data: bytes) -> None:
        """Take in what the client sent."""
        if self._last:
            return
        begun = self._reader.begun
        try:
            self._reader.feed(data)
        except Refusal as refusal:
            self._refusal = refusal.response
            self._last = True
        if self._reader.begun and not begun:
            self._since = self._server.clock
        self._proceed()

    def eof_received(self) -> bool:
        """The client sends no more; it still gets the answers to what it has sent."""
        self._last = True
        self._proceed()
        return True

    def pause_writing(self) -> None:
        """The client reads more slowly than it is answered."""
        self._writing = False
        self._since = self._server.clock
        self._unread = self._transport.get_write_buffer_size()

    def resume_writing(self) -> None:
        """The client has read."""
        self._writing = True
        self._since = self._server.clock
        self._proceed()

    def answered(self, request: Request, response: Response) -> None:
        """Send what a thread has worked out."""
        self._working = None
        if not self._transport.is_closing():
            self._respond(request, response)
            self._proceed()

    def finish(self) -> None:
        """The server stops: close now, or after the answer to what the client has begun to send."""
        if self.idle:
            self._transport.close()

    def abort(self) -> None:
        """Close without answer."""
        self._transport.abort()

    def check(self, now: float) -> None:
        """End what takes longer than it may."""
        limits = self._server.limits
        waited = now - self._since
        if self._lingers:
            if waited > limits.linger_seconds:
                self._transport.abort()
        elif not self._writing:
            self._check_writing(now, waited)
        elif self._working is None and self._reader.begun:
            if waited > (limits.request_seconds if self._reader.in_body else limits.head_seconds):
                self._refusal = error_response(408, "The request took too long to arrive.", close=True)
                self._proceed()
        elif self.idle and waited > self._server.idle_seconds:
            self._transport.close()

    def _check_writing(self, now: float, waited: float) -> None:
        unread = self._transport.get_write_buffer_size()
        if unread < self._unread:
            self._unread, self._since = unread, now
        elif waited > self._server.limits.write_seconds:
            self._transport.abort()

    def _proceed(self) -> None:
        """Answer the requests that wait, until one needs a thread or the client has to read first."""
        waiting = self._reader.requests
        left = BURST
        while waiting and self._working is None and self._writing and left:
            left -= 1
            self._work(waiting.popleft())
        if not left and waiting:
            self._server.loop.call_soon(self._proceed)  # others have their turn first
        if (
            self._working is None
            and not waiting
            and (self._last or self._refusal or self._reader.continue_expected)
        ):
            self._settle()
        if bool(waiting) is self._reading:
            self._turn_reading(not waiting)

    def _settle(self) -> None:
        """Everything complete is answered: say what else there is to say."""
        if self._lingers or self._transport.is_closing():
            return
        if self._refusal is not None:
            request = Request("", "", b"", gzipped=False, persistent=False, old=False, id=new_request_id())
            self._respond(request, self._refusal)
        elif self._last:
            self._transport.close()
        else:
            self._reader.continue_expected = False
            self._transport.write(CONTINUE)

    def _turn_reading(self, on: bool) -> None:
        if self._transport.is_closing():
            return
        self._reading = on
        (self._transport.resume_reading if on else self._transport.pause_reading)()

    def _work(self, request: Request) -> None:
        self._received = perf_counter()
        response = self._server.dispatch(self, request)
        if response is None:
            self._working = request
        else:
            self._respond(request, response)

    def _respond(self, request: Request, response: Response) -> None:
        ended = (self._last or self._server.draining) and self.idle
        close = response.close or not request.persistent or ended
        head = response_head(response, request.id, connection_header(request, close))
        body = b"" if request.method == "HEAD" else response.body
        if len(body) < LARGE:
            self._transport.write(head + body)
        else:
            self._transport.writelines((head, body))
        self._since = self._server.clock
        if self._server.log is not None:
            ms = (perf_counter() - self._received) * 1000
            self._server.log.add(
                self._client, request.id, request.method, request.target, response.status, len(body), ms
            )
        if close:
            self._end(lingering=response.close)

    def _end(self, lingering: bool) -> None:
        """Close after what is written; a client that may still be sending would lose the answer otherwise."""
        self._last = True
        self._reader.requests.clear()
        if lingering:
            self._lingers = True
            self._transport.write_eof()
        else:
            self._transport.close()
