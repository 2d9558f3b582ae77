"""An open-loop load on the online recommender: lists and ratings at fixed rates, whatever the answers take.

Requests are sent when they are due and their latency counts from then, so a server that falls behind shows it
(G. Tene, "How NOT to measure latency", calls the opposite coordinated omission). One thread, connections kept
alive, a few hundred microseconds of CPU a request: the load shares the machine with what it measures.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import orjson

N = 10
TIMEOUT = 10.0  # seconds; an answer that takes longer is an error
IDLE = 2.0  # seconds that a connection is kept without use: the server closes it after five


@dataclass
class Seen:
    """What came back: seconds of each answer from when it was due, and all that was no good answer."""

    lists: list[float] = field(default_factory=list)
    ratings: list[float] = field(default_factory=list)
    stages: dict[str, list[float]] = field(default_factory=dict)  # milliseconds
    degraded: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    stored: dict[tuple[str, str], float] = field(default_factory=dict)  # (user, movie) -> acknowledged rating


class Client:
    """Keeps as many connections to 127.0.0.1 as are needed at once."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._idle: list[tuple[float, asyncio.StreamReader, asyncio.StreamWriter]] = []  # since when

    async def ask(self, method: str, path: str, body: bytes = b"") -> tuple[int, Any]:
        """Status and content of an answer; raises `OSError` and `TimeoutError`."""
        head = f"{method} /api/v1{path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
        head += "Content-Type: application/json\r\n\r\n"
        async with asyncio.timeout(TIMEOUT):
            reader, writer = await self._connection()
            writer.write(head.encode() + body)
            answer = await reader.readuntil(b"\r\n\r\n")
            length = int(answer.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
            content = await reader.readexactly(length)
        self._idle.append((time.monotonic(), reader, writer))
        return int(answer[9:12]), orjson.loads(content)

    def close(self) -> None:
        """Close all connections."""
        for _, _, writer in self._idle:
            writer.close()

    async def _connection(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """An idle connection that the server has not closed meanwhile, or a new one."""
        while self._idle:
            since, reader, writer = self._idle.pop()
            if not reader.at_eof() and time.monotonic() - since < IDLE:
                return reader, writer
            writer.close()
        return await asyncio.open_connection("127.0.0.1", self._port, limit=2**24)


class Load:
    """Lists of random users, and ratings of random movies by random users, each pair once."""

    def __init__(self, port: int, user_ids: list[str], movie_ids: list[str], seed: int) -> None:
        self._port = port
        self._users, self._movies = user_ids, movie_ids
        self._generator = np.random.default_rng(seed)

    def run(self, lists_per_second: float, ratings_per_second: float, seconds: float) -> Seen:
        """Both at once for so long."""
        return asyncio.run(self._run(lists_per_second, ratings_per_second, seconds))

    def missing(self, stored: dict[tuple[str, str], float]) -> list[tuple[str, str]]:
        """Acknowledged ratings that `GET users/{id}` does not show, or shows with another value."""
        return asyncio.run(self._missing(stored))

    async def _run(self, lists_per_second: float, ratings_per_second: float, seconds: float) -> Seen:
        client, seen = Client(self._port), Seen()
        pairs = self._pairs()

        async def make_list(due: float) -> None:
            user = self._users[self._generator.integers(len(self._users))]
            status, content = await client.ask("GET", f"/users/{user}/recommendations?n={N}")
            seen.lists.append(time.perf_counter() - due)
            if status != 200 or len(content["items"]) != N:
                seen.errors[f"list: {status}"] += 1
                return
            seen.degraded.update(content["degraded"])
            for stage in content["inside"]:
                seen.stages.setdefault(stage["name"], []).append(stage["milliseconds"])

        async def rate(due: float) -> None:
            (user, movie), rating = next(pairs), float(self._generator.integers(1, 6))
            body = orjson.dumps({"movie_id": movie, "rating": rating})
            status, _ = await client.ask("POST", f"/users/{user}/ratings", body)
            seen.ratings.append(time.perf_counter() - due)
            if status == 201:
                seen.stored[user, movie] = rating
            else:
                seen.errors[f"rating: {status}"] += 1

        lists = _at_rate(make_list, lists_per_second, seconds, seen)
        await asyncio.gather(lists, _at_rate(rate, ratings_per_second, seconds, seen))
        client.close()
        return seen

    async def _missing(self, stored: dict[tuple[str, str], float]) -> list[tuple[str, str]]:
        client = Client(self._port)
        lost = []
        for user in sorted({user for user, _ in stored}):
            _, content = await client.ask("GET", f"/users/{user}")
            history = {rated["movie_id"]: rated["rating"] for rated in content["history"]}
            mine = [pair for pair in stored if pair[0] == user]
            lost += [pair for pair in mine if history.get(pair[1]) != stored[pair]]
        client.close()
        return lost

    def _pairs(self) -> Iterator[tuple[str, str]]:
        given: set[tuple[str, str]] = set()
        while True:
            user = self._users[self._generator.integers(len(self._users))]
            pair = user, self._movies[self._generator.integers(len(self._movies))]
            if pair not in given:
                given.add(pair)
                yield pair


async def _at_rate(
    send: Callable[[float], Awaitable[None]], per_second: float, seconds: float, seen: Seen
) -> None:
    """Send at an even pace, waiting for no answer before the next; a request that fails is an error."""

    async def guarded(due: float) -> None:
        try:
            await send(due)
        except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
            seen.errors[f"{type(error).__name__}"] += 1

    began, tasks = time.perf_counter(), set()
    for number in range(int(per_second * seconds)):
        due = began + number / per_second
        await asyncio.sleep(max(due - time.perf_counter(), 0.0))
        task = asyncio.ensure_future(guarded(due))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    await asyncio.gather(*tasks)
