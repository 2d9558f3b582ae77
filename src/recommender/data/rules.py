"""The rules that the rows of a raw table must keep."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from recommender.data.sources import Source

FIRST_TIME = int(datetime(1990, 1, 1, tzinfo=UTC).timestamp())

# The columns whose values, taken together, no second row may have.
KEYS = {"movies": ("movie_id",), "users": ("user_id",), "ratings": ("user_id", "movie_id")}


@dataclass(frozen=True)
class Rule:
    """What a row must fulfil. `broken` is SQL over the row's text columns, true for a bad row."""

    name: str
    column: str
    broken: str
    expected: str


def row_rules(table: str, source: Source, now: float) -> list[Rule]:
    """The rules for single rows of a table, in the order in which they are tried; `now` in seconds UTC."""
    if table == "movies":
        return [_given("movie_id"), _given("title")]
    if table == "users":
        return [_given("user_id"), _AGE]
    known_movie = [_KNOWN_MOVIE] if source.movies else []
    return [_given("user_id"), _given("movie_id"), *_rating_rules(source), *_time_rules(now), *known_movie]


def _given(column: str) -> Rule:
    return Rule(f"missing_{column}", column, f"{column} IS NULL", f"{column} must be given")


_AGE = Rule(
    name="age",
    column="age",
    broken=r"NOT (regexp_full_match(age, '[0-9]{1,3}(\.0+)?') AND TRY_CAST(age AS DOUBLE) <= 120)",
    expected="age must be a whole number of years up to 120",
)

_KNOWN_MOVIE = Rule(
    name="unknown_movie",
    column="movie_id",
    broken="movie_id NOT IN (SELECT movie_id FROM movies)",
    expected="movie_id must be one of the movies table",
)


def _rating_rules(source: Source) -> list[Rule]:
    low, high = source.rating_scale
    number = "TRY_CAST(rating AS DOUBLE)"
    rules = [
        Rule("rating_not_a_number", "rating", f"{number} IS NULL", "rating must be a number"),
        Rule(
            name="rating_outside_scale",
            column="rating",
            broken=f"{number} NOT BETWEEN {low} AND {high}",
            expected=f"rating must be between {low:g} and {high:g}",
        ),
    ]
    if source.rating_step:
        steps = f"({number} / {source.rating_step})"
        off_step = f"abs({steps} - round({steps})) > 1e-6"
        expected = f"rating must be a multiple of {source.rating_step:g}"
        rules.append(Rule("rating_off_step", "rating", off_step, expected))
    return rules


def _time_rules(now: float) -> list[Rule]:
    last = int(now) + 86_400  # a day's grace, since clocks differ
    return [
        Rule(
            name="time_not_an_integer",
            column="timestamp",
            # A cast alone would round 3.7 to 4.
            broken="timestamp IS NULL OR NOT regexp_full_match(timestamp, '[+-]?[0-9]{1,18}')",
            expected="timestamp must be whole seconds since 1970 UTC",
        ),
        Rule(
            name="time_impossible",
            column="timestamp",
            broken=f"TRY_CAST(timestamp AS BIGINT) NOT BETWEEN {FIRST_TIME} AND {last}",
            expected=f"timestamp must be between {FIRST_TIME} (1990) and {last} (now)",
        ),
    ]
