"""The invented movies and users, and what the users truly think of the movies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.config import SyntheticSettings
from recommender.data.synthetic.titles import invent_titles

Floats = NDArray[np.float32]
Integers = NDArray[np.int64]

DAY = 86_400
FIRST_DAY = 10_957  # 2000-01-01, in days since 1970
DAYS = 1_096  # three years
FIRST_YEAR = 2000

FACTORS = 4  # dimensions of taste
MAX_SESSIONS = 8
RETURNING = 0.55  # share of users who come back after their first session
NEW_MOVIES = 1 / 12  # share of movies that appear while ratings are given
IN_SERIES = 1 / 8  # share of movies that belong to a series

GENRES = {
    **{
        "Action": 8,
        "Adventure": 6,
        "Animation": 3,
        "Children": 4,
        "Comedy": 14,
        "Crime": 5,
        "Documentary": 3,
    },
    **{"Drama": 18, "Fantasy": 3, "Film-Noir": 1, "Horror": 5, "Musical": 2, "Mystery": 3, "Romance": 8},
    **{"Sci-Fi": 5, "Thriller": 8, "War": 3, "Western": 1},
}
OCCUPATIONS = (
    *("artist", "baker", "carpenter", "doctor", "engineer", "gardener", "lawyer", "librarian", "musician"),
    *("nurse", "other", "programmer", "salesperson", "scientist", "teacher", "writer"),
)


@dataclass(frozen=True)
class Movies:
    """The invented movies; every array has shape `(num_movies, ...)`."""

    titles: list[str]
    genres: NDArray[np.bool_]  # (num_movies, genres)
    years: Integers
    traits: Floats  # (num_movies, FACTORS)
    quality: Floats
    popularity: Floats  # logarithm of the odds of being picked
    series: Integers  # the same number for all parts of a series
    parts: Integers  # 0 for the first part
    available_from: Integers  # seconds UTC


@dataclass(frozen=True)
class Users:
    """The invented users; every array has shape `(num_users, ...)`."""

    genders: NDArray[np.str_]
    ages: Integers
    occupations: NDArray[np.str_]
    zip_codes: Integers
    tastes: Floats  # (num_users, FACTORS)
    leniency: Floats
    ratings: Integers  # how many each gives
    sessions: Integers  # (num_users, MAX_SESSIONS), seconds UTC, ascending; unused ones are -1


def invent_movies(rng: np.random.Generator, count: int) -> Movies:
    """Movies with genres, series, traits that mostly follow from the genres, quality and popularity."""
    series, parts = _series(rng, count)
    first = np.unique(series, return_index=True)[1][series]  # (count,) the first part of each one's series
    genres = _genres(rng, count)[first]
    genre_traits = rng.standard_normal((len(GENRES), FACTORS))
    from_genres = genres @ genre_traits / np.sqrt(genres.sum(axis=1, keepdims=True))
    own = rng.standard_normal((count, FACTORS))[first]
    quality = rng.standard_normal(count)
    is_new = (rng.random(count) < NEW_MOVIES) & (np.bincount(series)[series] == 1)
    available = np.where(is_new, rng.integers(FIRST_DAY, FIRST_DAY + DAYS, count), 0) * DAY
    ages = np.minimum(rng.exponential(14, count).astype(np.int64), 70)[first]
    years = np.where(is_new, available // DAY // 365.2425 + 1970, FIRST_YEAR - 1 - ages).astype(np.int64)
    years = np.minimum(years + 2 * parts, np.where(is_new, years, FIRST_YEAR - 1))
    popularity = 1.35 * rng.standard_normal(count) + 0.5 * quality - 0.01 * ages
    return Movies(
        titles=invent_titles(rng, years, series, parts),
        genres=genres,
        years=years,
        traits=(0.9 * from_genres + 0.44 * own).astype(np.float32),
        quality=quality.astype(np.float32),
        popularity=popularity.astype(np.float32),
        series=series,
        parts=parts,
        available_from=available,
    )


def _series(rng: np.random.Generator, count: int) -> tuple[Integers, Integers]:
    """Number of its series and part within it for each movie; most movies are alone in theirs."""
    long = rng.integers(2, 5, count)
    long = long[np.cumsum(long) <= count * IN_SERIES]
    lengths = np.concatenate([long, np.ones(count - long.sum(), np.int64)])
    series = np.repeat(np.arange(len(lengths)), lengths)
    parts = np.arange(count) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    order = rng.permutation(count)  # so that a movie's number says nothing
    return series[order], parts[order]


def _genres(rng: np.random.Generator, count: int) -> NDArray[np.bool_]:
    """One to three genres for each movie, `(count, genres)`, drawn without replacement by weight."""
    races = rng.exponential(size=(count, len(GENRES))) / np.array(list(GENRES.values()))
    places = races.argsort(axis=1).argsort(axis=1)
    return places < rng.choice([1, 2, 3], count, p=[0.4, 0.4, 0.2])[:, None]


def invent_users(rng: np.random.Generator, sizes: SyntheticSettings) -> Users:
    """Users with demographics to which taste is weakly tied, how much they rate and when."""
    count = sizes.users
    women = rng.random(count) < 0.3
    ages = np.clip(rng.gamma(5, 4.5, count) + 12, 13, 80).astype(np.int64)
    # Occupations overlap in age: students of one age may do any, but their shares differ.
    leaning = (ages - 13) / 68 * len(OCCUPATIONS) + rng.normal(0, 4, count)
    occupations = np.array(OCCUPATIONS)[leaning.astype(np.int64) % len(OCCUPATIONS)]
    by_gender, by_age = rng.standard_normal((2, FACTORS))
    tied = np.outer(women - 0.3, by_gender) + np.outer((ages - 34) / 12, by_age)
    tastes = rng.standard_normal((count, FACTORS)) + 0.45 * tied
    sessions = _sessions(rng, count)
    return Users(
        genders=np.where(women, "F", "M"),
        ages=ages,
        occupations=occupations,
        zip_codes=rng.integers(10_000, 100_000, count),
        tastes=(tastes / tastes.std(axis=0)).astype(np.float32) if count > 1 else tastes.astype(np.float32),
        leniency=rng.standard_normal(count).astype(np.float32),
        ratings=_ratings_per_user(rng, sizes, (sessions >= 0).sum(axis=1)),
        sessions=sessions,
    )


def _ratings_per_user(rng: np.random.Generator, sizes: SyntheticSettings, sessions: Integers) -> Integers:
    """How many ratings each user gives: a heavy tail over a minimum, in total exactly what was asked for.

    `sessions` says how many each user has, `(num_users,)`: more sessions, more ratings.
    """
    mean, most = sizes.ratings // sizes.users, max(sizes.movies * 7 // 10, 1)
    least = max(1, min(20, mean // 2))
    weights = rng.lognormal(0, 0.9, sizes.users) * sessions**0.6
    spare = sizes.ratings - least * sizes.users
    counts = np.minimum(least + (spare * weights / weights.sum()).astype(np.int64), most)
    while (missing := sizes.ratings - counts.sum()) > 0:
        with_room = rng.permutation(np.flatnonzero(counts < most))
        counts[with_room[:missing]] += 1
    return counts


def _sessions(rng: np.random.Generator, count: int) -> Integers:
    """When each user's sessions begin, `(num_users, MAX_SESSIONS)`: one, or for those who return several."""
    first = rng.random((count, 1)) ** 1.6  # more in the beginning, for those who come back add up later
    later = rng.random((count, MAX_SESSIONS - 1)) ** 1.6
    days = FIRST_DAY + DAYS * np.concatenate([first, first + (1 - first) * later], axis=1)
    hours = rng.normal(20, 3.5, days.shape) % 24  # evenings
    begins = np.sort(days.astype(np.int64) * DAY + (hours * 3600).astype(np.int64), axis=1)
    used = np.where(rng.random(count) < RETURNING, rng.integers(2, MAX_SESSIONS + 1, count), 1)
    # Sessions are sorted, so a random subset of the later ones keeps them spread until the end.
    return np.where(_choose_first_and_others(rng, used), begins, -1)


def _choose_first_and_others(rng: np.random.Generator, used: Integers) -> NDArray[np.bool_]:
    """A mask `(count, MAX_SESSIONS)` with the first and `used - 1` random others in each row."""
    places = rng.random((len(used), MAX_SESSIONS - 1)).argsort(axis=1).argsort(axis=1)
    others = places < (used - 1)[:, None]
    return np.concatenate([np.ones((len(used), 1), bool), others], axis=1)
