"""Ratings that look like MovieLens and are not: generated from a seed, with a structure that can be learned.

What it is for: trying everything without a download, tests with a known truth, load tests of any size. What
it is not: evidence. A model's figures on it say that the code works and learns what was put in; they say
nothing about how the model does on people, and no conclusion about a method should rest on them.

What was put in:
- taste: users and movies have vectors in four dimensions; a movie's follows mostly from its genres, a
  user's weakly from gender and age
- movies differ in quality and, by a heavy tail, in popularity; users in leniency and activity
- people rate what they like: popularity and taste decide what is picked (selection bias)
- users arrive over three years; half of them come back in further sessions; a session keeps to a mood; parts
  of a series are watched one after another; many ratings fall into the same second; new movies appear
- a rating is leniency + quality + taste + noise, rounded to 1..5

What was left out: tastes do not change, fashions do not come and go, nobody rates at random or for pay.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray
from scipy.special import ndtr

from recommender.config import SyntheticSettings
from recommender.data.synthetic.activity import Codes, order_in_time, pick_movies
from recommender.data.synthetic.world import (
    GENRES,
    Floats,
    Integers,
    Movies,
    Users,
    invent_movies,
    invent_users,
)

NAME = "synthetic"
VERSION = 1  # counts up when the same seed gives other data
RATING_SCALE = (1.0, 5.0)

MEAN = 3.53
# Standard deviations over the ratings given, before rounding.
LENIENCY, QUALITY, TASTE, NOISE = 0.32, 0.32, 0.89, 0.87


@dataclass(frozen=True)
class Opinions:
    """What users truly think: a rating is `signal` + NOISE * normal noise, rounded to 1..5."""

    mean: float
    leniency: Floats  # (num_users,)
    quality: Floats  # (num_movies,)
    tastes: Floats  # (num_users, FACTORS)
    traits: Floats  # (num_movies, FACTORS)

    def signal(self, user: Codes, movie: Codes) -> NDArray[np.float64]:
        """The opinion before noise and rounding for pairs of codes `(n,)`."""
        taste = np.empty(len(user))
        for begin in range(0, len(user), 1 << 18):
            block = slice(begin, begin + (1 << 18))
            taste[block] = np.einsum("nf,nf->n", self.tastes[user[block]], self.traits[movie[block]])
        return self.mean + self.leniency[user] + self.quality[movie] + taste

    def expected_rating(self, user: Codes, movie: Codes) -> NDArray[np.float64]:
        """The true expected rating for pairs of codes `(n,)`: what the best possible model would predict.

        E[rating] = 1 + sum over k in 1..4 of P(signal + noise > k + 1/2).
        """
        return expectation(self.signal(user, movie))


def expectation(signal: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean of a rating whose opinion before noise and rounding is `signal`."""
    return 1 + sum(ndtr((signal - (k + 0.5)) / NOISE) for k in range(1, 5))


@dataclass(frozen=True)
class SyntheticData:
    """A generated data set: ratings in the order in which they are given, and the truth behind them.

    A user's or movie's id is its code + 1, as text.
    """

    user: Codes  # (num_ratings,)
    movie: Codes
    rating: Floats
    timestamp: Integers
    users: Users
    movies: Movies
    opinions: Opinions


def generate(sizes: SyntheticSettings, seed: int) -> SyntheticData:
    """Generate a data set; the same sizes and seed give the same."""
    for_world, for_picks, for_times, for_noise = np.random.SeedSequence(seed).spawn(4)
    rng = np.random.default_rng(for_world)
    movies, users = invent_movies(rng, sizes.movies), invent_users(rng, sizes)
    user, movie = pick_movies(for_picks, users, movies)
    user, movie, timestamp = order_in_time(np.random.default_rng(for_times), users, movies, user, movie)
    opinions = _opinions(users, movies, user, movie)
    noise = NOISE * np.random.default_rng(for_noise).standard_normal(len(user))
    rating = np.clip(np.rint(opinions.signal(user, movie) + noise), *RATING_SCALE).astype(np.float32)
    return SyntheticData(user, movie, rating, timestamp, users, movies, opinions)


def _opinions(users: Users, movies: Movies, user: Codes, movie: Codes) -> Opinions:
    """Scale leniency, quality and taste to their deviations over the ratings given, and find the mean."""
    raw = Opinions(0, 0 * users.leniency, 0 * movies.quality, users.tastes, movies.traits)
    taste = raw.signal(user, movie)
    scaled = Opinions(
        mean=0.0,
        leniency=_scaled(users.leniency, user, LENIENCY),
        quality=_scaled(movies.quality, movie, QUALITY),
        tastes=users.tastes * np.float32(TASTE / (taste.std() or 1.0)),
        traits=movies.traits,
    )
    sample = slice(None, None, -(-len(user) // 20_000))
    signal = scaled.signal(user[sample], movie[sample])
    low, high = -10.0, 10.0
    for _ in range(40):  # bisection: the expected rating grows with the mean
        middle = (low + high) / 2
        low, high = (middle, high) if expectation(middle + signal).mean() < MEAN else (low, middle)
    return Opinions(low, scaled.leniency, scaled.quality, scaled.tastes, scaled.traits)


def _scaled(values: Floats, codes: Codes, deviation: float) -> Floats:
    """`values` with mean 0 and a standard deviation over the rows that `codes` name."""
    weights = np.bincount(codes, minlength=len(values))
    mean = np.average(values, weights=weights)
    spread = np.sqrt(np.average((values - mean) ** 2, weights=weights)) or 1.0
    return ((values - mean) * deviation / spread).astype(np.float32)


def fingerprint(sizes: SyntheticSettings, seed: int) -> str:
    """SHA-256 of the generator's version, the sizes and the seed."""
    text = json.dumps([NAME, VERSION, sizes.users, sizes.movies, sizes.ratings, seed])
    return hashlib.sha256(text.encode()).hexdigest()


def write(data: SyntheticData, folder: Path) -> None:
    """Write the canonical tables into `folder`."""
    ratings = {
        "row": np.arange(len(data.user)),
        "user_id": _ids(data.user),
        "movie_id": _ids(data.movie),
        "rating": data.rating,
        "timestamp": data.timestamp,
    }
    names = np.array(list(GENRES))
    movies = {
        "movie_id": _ids(np.arange(len(data.movies.titles))),
        "title": data.movies.titles,
        "genres": pa.array([names[row].tolist() for row in data.movies.genres], pa.list_(pa.string())),
        "release_year": pa.array(data.movies.years, pa.int32()),
    }
    users = {
        "user_id": _ids(np.arange(len(data.users.ages))),
        "gender": data.users.genders.tolist(),
        "age": pa.array(data.users.ages, pa.int32()),
        "occupation": data.users.occupations.tolist(),
        "zip_code": pc.cast(pa.array(data.users.zip_codes), pa.string()),
    }
    for name, columns in {"ratings": ratings, "movies": movies, "users": users}.items():
        pq.write_table(pa.table(columns), folder / f"{name}.parquet", compression="zstd")


def _ids(codes: NDArray[np.integer]) -> pa.Array:
    return pc.cast(pa.array(codes + 1), pa.string())
