"""How the files of the MovieLens releases are written, and what becomes of their columns."""

from __future__ import annotations

from dataclasses import dataclass, replace

from recommender.data.sources import literal, year_in


@dataclass(frozen=True)
class FileLayout:
    """One file of a release: how it is written and, as SQL, what becomes of its columns."""

    file: str
    columns: tuple[str, ...]
    select: dict[str, str]
    delimiter: str = ","
    quote: str = '"'
    encoding: str = "utf-8"
    header: bool = True


@dataclass(frozen=True)
class Layout:
    """The files of a release and its ratings' scale; `users` and `links` are None where it has none."""

    ratings: FileLayout
    movies: FileLayout
    users: FileLayout | None
    rating_scale: tuple[float, float]
    rating_step: float
    links: FileLayout | None = None

    def needed(self) -> tuple[FileLayout, ...]:
        """The files that must be there."""
        return (self.ratings, self.movies) + ((self.users,) if self.users else ())

    def files(self) -> tuple[FileLayout, ...]:
        """The files that are read: those that must be there and the links."""
        return self.needed() + ((self.links,) if self.links else ())


GENRES_100K = (
    *("unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime", "Documentary", "Drama"),
    *(
        "Fantasy",
        "Film-Noir",
        "Horror",
        "Musical",
        "Mystery",
        "Romance",
        "Sci-Fi",
        "Thriller",
        "War",
        "Western",
    ),
)

# What the numbers 0-20 in ml-1m's users.dat stand for, by its README.
OCCUPATIONS_1M = (
    *("other", "academic/educator", "artist", "clerical/admin", "college/grad student", "customer service"),
    *("doctor/health care", "executive/managerial", "farmer", "homemaker", "K-12 student", "lawyer"),
    *("programmer", "retired", "sales/marketing", "scientist", "self-employed", "technician/engineer"),
    *("tradesman/craftsman", "unemployed", "writer"),
)

RATING_COLUMNS = ("user_id", "movie_id", "rating", "timestamp")
AS_IS = {name: name for name in RATING_COLUMNS}


def digits_in(column: str) -> str:
    """SQL for a column's text where it is a number, else null."""
    return f"CASE WHEN regexp_full_match({column}, '[0-9]+') THEN {column} END"


FLAGS = tuple(f"flag_{index}" for index in range(len(GENRES_100K)))
FLAGS_TO_GENRES = ", ".join(
    f"CASE WHEN {flag} = '1' THEN {literal(genre)} END"
    for flag, genre in zip(FLAGS, GENRES_100K, strict=True)
)
NUMBER_TO_OCCUPATION = " ".join(
    f"WHEN '{number}' THEN {literal(occupation)}" for number, occupation in enumerate(OCCUPATIONS_1M)
)

ITEMS_100K = FileLayout(
    "u.item",
    ("movie_id", "title", "released", "video_released", "url", *FLAGS),
    {
        "movie_id": "movie_id",
        "title": "title",
        "genres": f"concat_ws('|', {FLAGS_TO_GENRES})",
        "release_year": f"coalesce({year_in('title')}, right(released, 4))",  # as in 01-Jan-1995
    },
    delimiter="|",
    quote="",
    encoding="latin-1",
    header=False,
)

ML_100K = Layout(
    ratings=FileLayout("u.data", RATING_COLUMNS, AS_IS, "\t", "", header=False),
    movies=ITEMS_100K,
    users=FileLayout(
        "u.user",
        ("user_id", "age", "gender", "occupation", "zip_code"),
        {name: name for name in ("user_id", "gender", "age", "occupation", "zip_code")},
        delimiter="|",
        quote="",
        encoding="latin-1",
        header=False,
    ),
    rating_scale=(1.0, 5.0),
    rating_step=1.0,
    links=replace(ITEMS_100K, select={"movie_id": "movie_id", "imdb_url": "url"}),
)

MOVIE_COLUMNS = ("movie_id", "title", "genres")
MOVIE_SELECT = {**{name: name for name in MOVIE_COLUMNS}, "release_year": year_in("title")}

ML_1M = Layout(
    ratings=FileLayout("ratings.dat", RATING_COLUMNS, AS_IS, "::", "", header=False),
    movies=FileLayout("movies.dat", MOVIE_COLUMNS, MOVIE_SELECT, "::", "", "latin-1", header=False),
    users=FileLayout(
        "users.dat",
        ("user_id", "gender", "age", "occupation", "zip_code"),
        # The age is the lower bound of its group, and 1 for all under 18; it is kept as it is.
        {
            **{name: name for name in ("user_id", "gender", "age", "zip_code")},
            "occupation": f"CASE occupation {NUMBER_TO_OCCUPATION} ELSE occupation END",
        },
        delimiter="::",
        quote="",
        encoding="latin-1",
        header=False,
    ),
    rating_scale=(1.0, 5.0),
    rating_step=1.0,
)

ML_10M = Layout(
    ratings=FileLayout("ratings.dat", RATING_COLUMNS, AS_IS, "::", "", header=False),
    movies=FileLayout("movies.dat", MOVIE_COLUMNS, MOVIE_SELECT, "::", "", header=False),
    users=None,
    rating_scale=(0.5, 5.0),
    rating_step=0.5,
)

LINKS_CSV = FileLayout(
    "links.csv",
    ("movieId", "imdbId", "tmdbId"),
    {
        "movie_id": "movieId",
        "imdb_url": f"'https://www.imdb.com/title/tt' || {digits_in('imdbId')} || '/'",
        "tmdb_url": f"'https://www.themoviedb.org/movie/' || {digits_in('tmdbId')}",
    },
)

ML_CSV = Layout(
    ratings=FileLayout(
        "ratings.csv",
        ("userId", "movieId", "rating", "timestamp"),
        {"user_id": "userId", "movie_id": "movieId", "rating": "rating", "timestamp": "timestamp"},
    ),
    movies=FileLayout("movies.csv", ("movieId", "title", "genres"), {**MOVIE_SELECT, "movie_id": "movieId"}),
    users=None,
    rating_scale=(0.5, 5.0),
    rating_step=0.5,
    links=LINKS_CSV,
)
