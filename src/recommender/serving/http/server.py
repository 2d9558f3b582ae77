"""The event loop's side of a worker: who is connected, where requests run, how it stops."""

from __future__ import annotations

import asyncio
import logging
import socket
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter

from recommender.serving.http.access_log import AccessLog
from recommender.serving.http.application import Application
from recommender.serving.http.connection import Connection
from recommender.serving.http.limits import Limits
from recommender.serving.http.pace import Pace
from recommender.serving.http.request import Request
from recommender.serving.rest.response import Response

LAST_CALL_SECONDS = 0.25  # in which requests that are on their way are answered before idle connections close
FULL_IDLE_SECONDS = 1.0  # how long a connection may be idle while there is no place for another


class HttpServer:
    """Serves `application` on a listening socket; made and used on the event loop's thread."""

    def __init__(
        self, application: Application, limits: Limits, threads: int, log: AccessLog | None = None
    ) -> None:
        self.limits = limits
        self.log = log
        self.loop = asyncio.get_running_loop()
        self.clock = self.loop.time()
        self.draining = False
        self._last_call_over = False
        self._application = application
        self._pace = Pace()
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="request")
        self._in_pool = 0
        self._connections: set[Connection] = set()
        self._arriving: set[asyncio.Task[None]] = set()
        self._empty = asyncio.Event()
        self._listener: socket.socket | None = None
        self._accepting = False

    @property
    def idle_seconds(self) -> float:
        """How long a connection may be without a request."""
        if self._last_call_over:
            return 0.0
        limit = self.limits.idle_seconds
        return limit if self._has_room() else min(FULL_IDLE_SECONDS, limit)

    def start(self, listener: socket.socket) -> None:
        """Take connections from a socket that listens."""
        listener.setblocking(False)
        self._listener = listener
        self._watch()

    async def drain(self) -> bool:
        """Take no more connections, finish what clients have begun; False where they ran out of time."""
        self.draining = True
        self._stop_listening()
        await asyncio.gather(*self._arriving)
        if self._connections:
            await asyncio.sleep(LAST_CALL_SECONDS)
        self._last_call_over = True
        for connection in list(self._connections):
            connection.finish()
        try:
            async with asyncio.timeout(self.limits.grace_seconds):
                while self._connections:
                    self._empty.clear()
                    await self._empty.wait()
        except TimeoutError:
            for connection in list(self._connections):
                connection.abort()
            return False
        return True

    def dispatch(self, connection: Connection, request: Request) -> Response | None:
        """The answer, or None where a thread works it out and tells `connection` later."""
        if self._pace.is_quick(request.target, request.body) and not self._application.may_block(request):
            started = perf_counter()
            response = self._application.respond(request, 0.0, quick=True)
            self._learn(request, response, perf_counter() - started)
            return response
        self._in_pool += 1
        self._pool.submit(self._work, connection, request, perf_counter())
        return None

    def opened(self, connection: Connection) -> None:
        """A connection is there."""
        self._connections.add(connection)

    def closed(self, connection: Connection) -> None:
        """A connection has ended."""
        self._connections.discard(connection)
        if not self._connections:
            self._empty.set()

    def _work(self, connection: Connection, request: Request, received: float) -> None:
        """Runs in a thread."""
        started = perf_counter()
        response = self._application.respond(request, started - received, quick=False)
        # Threads that run at once share the processor and the interpreter: alone it would have been quicker.
        seconds = (perf_counter() - started) / max(1, min(self._in_pool, self._threads))
        self.loop.call_soon_threadsafe(self._worked, connection, request, response, seconds)

    def _worked(self, connection: Connection, request: Request, response: Response, seconds: float) -> None:
        self._in_pool -= 1
        self._learn(request, response, seconds)
        connection.answered(request, response)

    def _learn(self, request: Request, response: Response, seconds: float) -> None:
        self._pace.learn(request.target, request.body, seconds, response.status == 200)

    def _watch(self) -> None:
        """Tick: the coarse clock, the limits of every connection, and whether there is room for more."""
        self.clock = self.loop.time()
        for connection in list(self._connections):
            connection.check(self.clock)
        if self._listener is not None and not self._accepting and self._has_room():
            self._accepting = True
            self.loop.add_reader(self._listener, self._accept)
        self.loop.call_later(self.limits.watch_seconds, self._watch)

    def _has_room(self) -> bool:
        return len(self._connections) + len(self._arriving) < self.limits.connections

    def _accept(self) -> None:
        """Take one connection; only one a turn, so that other workers get theirs."""
        assert self._listener is not None
        if not self._has_room():
            self._stop_accepting()  # the next may go to another worker, or waits in the socket's queue
            return
        try:
            client, _ = self._listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return  # another worker was quicker, or the client has gone
        except OSError as error:
            logging.getLogger(__name__).warning("no connection can be accepted for now: %s", error)
            self._stop_accepting()
            return
        task = self.loop.create_task(self._adopt(client))
        self._arriving.add(task)
        task.add_done_callback(self._arriving.discard)

    async def _adopt(self, client: socket.socket) -> None:
        try:
            await self.loop.connect_accepted_socket(lambda: Connection(self), client)
        except OSError as error:
            logging.getLogger(__name__).warning("a connection ended at once: %s", error)
            client.close()

    def _stop_accepting(self) -> None:
        if self._accepting and self._listener is not None:
            self._accepting = False
            self.loop.remove_reader(self._listener)

    def _stop_listening(self) -> None:
        if self._listener is None:
            return
        while self._accepting:  # whoever has been let in by the system gets an answer
            waiting = len(self._arriving)
            self._accept()
            if len(self._arriving) == waiting:
                break
        self._stop_accepting()
        self._listener.close()
        self._listener = None
