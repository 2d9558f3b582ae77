"""Who rates which movies, and when."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from recommender.data.synthetic.world import FACTORS, MAX_SESSIONS, Integers, Movies, Users

Codes = NDArray[np.int32]

LIKING = 1.25  # how much taste moves the odds of being picked; 0 would mean no selection bias
SERIES_FANS = 1.5  # standard deviation of a user's pull towards a whole series
MOOD = 1.2  # how much a session keeps to one kind of movie
SAME_SECOND = 0.5  # share of ratings given in the same second as the one before
PAUSE = 20.0  # mean seconds between others
CELLS = 4_000_000  # of the users x movies matrix that are held at once


def pick_movies(seed: np.random.SeedSequence, users: Users, movies: Movies) -> tuple[Codes, Codes]:
    """The (user, movie) pairs that are rated, each once: two int32 arrays `(num_ratings,)`.

    Each user takes `users.ratings` movies without replacement, with odds that grow with a movie's popularity
    and the user's taste for it: an exponential race per user, of which the fastest are taken (Efraimidis and
    Spirakis, 2006). Blocks of users run in parallel, each with its own seed.
    """
    by_activity = np.argsort(users.ratings, kind="stable")
    size = max(1, CELLS // len(movies.quality))
    blocks = [by_activity[begin : begin + size] for begin in range(0, len(by_activity), size)]
    seeds = seed.spawn(len(blocks))
    with ThreadPoolExecutor() as pool:
        picks = list(
            pool.map(
                lambda job: _pick_for_block(job[0], users, movies, job[1]), zip(seeds, blocks, strict=True)
            )
        )
    return np.concatenate([user for user, _ in picks]), np.concatenate([movie for _, movie in picks])


def _pick_for_block(
    seed: np.random.SeedSequence, users: Users, movies: Movies, block: Integers
) -> tuple[Codes, Codes]:
    rng = np.random.default_rng(seed)
    taste = users.tastes[block] @ movies.traits.T / np.float32(np.sqrt(FACTORS))  # (block, movies)
    in_series = np.bincount(movies.series)[movies.series] > 1
    pull = rng.standard_normal(
        (len(block), int(movies.series[in_series].max(initial=-1)) + 1), dtype=np.float32
    )
    odds = np.exp(movies.popularity + LIKING * taste)
    odds[:, in_series] *= np.exp(SERIES_FANS * pull[:, movies.series[in_series]])
    finish = rng.standard_exponential(odds.shape, dtype=np.float32) / odds
    finish[movies.available_from > users.sessions[block].max(axis=1, keepdims=True)] = np.inf
    counts = users.ratings[block]
    most = int(counts.max())
    fastest = np.argpartition(finish, most - 1, axis=1)[:, :most]
    order = np.take_along_axis(finish, fastest, axis=1).argsort(axis=1)
    taken = np.take_along_axis(fastest, order, axis=1)[np.arange(most) < counts[:, None]]
    return np.repeat(block, counts).astype(np.int32), taken.astype(np.int32)


def order_in_time(
    rng: np.random.Generator, users: Users, movies: Movies, user: Codes, movie: Codes
) -> tuple[Codes, Codes, Integers]:
    """The pairs in the order in which they are rated, with their times: `(user, movie, timestamp)`.

    A session of a user leans to one kind of movie; the parts of a series follow one another; ratings come in
    bursts of the same second. Ratings of the same second stand in the order in which they are given.
    """
    unit, first = _units(movies, user, movie)
    session = _choose_sessions(rng, users, movies, user[first], movie[first])
    place = rng.integers(0, 1 << 24, len(first))  # of a unit within its session
    slot = user.astype(np.int64)[first] * MAX_SESSIONS + session
    order = np.argsort((((slot << 24) | place)[unit] << 2) | movies.parts[movie])
    user, movie, slot = user[order], movie[order], slot[unit][order]
    timestamp = users.sessions.ravel()[slot] + _seconds_into(rng, slot)
    order = np.argsort(timestamp, kind="stable")
    return user[order], movie[order], timestamp[order]


def _units(movies: Movies, user: Codes, movie: Codes) -> tuple[Integers, Integers]:
    """Which unit each pair belongs to, a user's movies of one series being one; and a pair of each unit."""
    key = user.astype(np.int64) * (int(movies.series.max()) + 1) + movies.series[movie]
    _, first, unit = np.unique(key, return_index=True, return_inverse=True)
    return unit, first


def _choose_sessions(
    rng: np.random.Generator, users: Users, movies: Movies, user: Codes, movie: Codes
) -> Integers:
    """In which of the user's sessions each pair is rated: by a race, in which a fitting mood helps."""
    moods = rng.standard_normal((len(users.tastes), MAX_SESSIONS, FACTORS), dtype=np.float32)
    chosen = np.empty(len(user), np.int64)
    step = CELLS // MAX_SESSIONS
    for begin in range(0, len(user), step):
        block = slice(begin, begin + step)
        fit = np.einsum("nsf,nf->ns", moods[user[block]], movies.traits[movie[block]]) / np.sqrt(FACTORS)
        finish = rng.standard_exponential(fit.shape, dtype=np.float32) / np.exp(MOOD * fit)
        begins = users.sessions[user[block]]
        finish[(begins < 0) | (begins < movies.available_from[movie[block]][:, None])] = np.inf
        chosen[block] = finish.argmin(axis=1)
    return chosen


def _seconds_into(rng: np.random.Generator, slot: Integers) -> Integers:
    """Seconds since the session's begin; `slot` numbers the sessions and is sorted."""
    gaps = np.where(
        rng.random(len(slot)) < SAME_SECOND, 0, 1 + rng.exponential(PAUSE, len(slot)).astype(np.int64)
    )
    elapsed = np.cumsum(gaps)
    is_first = np.concatenate([[True], slot[1:] != slot[:-1]])
    return elapsed - elapsed[is_first][np.cumsum(is_first) - 1]
