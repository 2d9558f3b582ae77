"""What can be made once from a catalogue: movies with their titles, genres in order, the search index."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from recommender.app.answers import GenreFacts, ListedMovie, Movie
from recommender.app.features.store_catalogue import StoreCatalogue
from recommender.app.search import TitleIndex

Sort = Literal["rating", "year", "popularity"]
SORTS: tuple[Sort, ...] = ("rating", "year", "popularity")
PRIOR_RATINGS = 10  # as many ratings at the overall mean are counted in before a movie's own


class Shelves:
    """One version's movies as lists show them; counts and averages are those of the push.

    `averages` `(num_movies,)` are shrunk: (sum of the movie's ratings + 10 * mean of all ratings) /
    (number of the movie's ratings + 10), so that one rating of 5 does not lead the list; NaN without any
    rating at all.
    """

    def __init__(self, catalogue: StoreCatalogue, last_live_rating: int = 0) -> None:
        """`last_live_rating` is the second of the last one that the store had beside the data, 0 = none."""
        self.catalogue = catalogue
        self.last_live_rating = last_live_rating
        counts = catalogue.rating_counts.astype(np.float64)
        sums = np.nan_to_num(catalogue.rating_means) * counts
        mean = sums.sum() / counts.sum() if counts.any() else np.nan
        self.averages: NDArray[np.float64] = (sums + PRIOR_RATINGS * mean) / (counts + PRIOR_RATINGS)

    @cached_property
    def index(self) -> TitleIndex:
        """Finds movies by title; whoever is first to ask, before `make_index` is done, makes it."""
        return TitleIndex(
            self.catalogue.titles, self.catalogue.release_years[1:], self.catalogue.rating_counts
        )

    def make_index(self) -> None:
        """Make the index before somebody searches."""
        _ = self.index

    def about(self, place: int) -> dict[str, Any]:
        """The fields of `answers.Movie`."""
        catalogue = self.catalogue
        return {
            "movie_id": catalogue.movie_ids[place],
            "title": catalogue.titles[place],
            "year": catalogue.release_year(place),
            "genres": catalogue.genre_names(place),
            "links": catalogue.links(place),
        }

    def movie(self, movie_id: str) -> Movie | None:
        """A movie by its id; None where the catalogue lacks it."""
        place = self.catalogue.places.get(movie_id)
        return None if place is None else Movie(**self.about(place))

    def listed(self, place: int) -> ListedMovie:
        """A movie for a list that is the same for everybody."""
        average = float(self.averages[place])
        return ListedMovie(
            **self.about(place),
            count=int(self.catalogue.rating_counts[place]),
            average=None if np.isnan(average) else average,
        )

    def pushed_statistics(self, place: int) -> dict[str, Any]:
        """Number and mean of a movie's ratings at the push, as `answers.MovieFacts` has them."""
        count, mean = int(self.catalogue.rating_counts[place]), float(self.catalogue.rating_means[place])
        return {"count": count, "average": mean if count else None}

    def genres(self) -> list[GenreFacts]:
        """All genres by name."""
        counts = self.catalogue.genre_matrix.sum(axis=0).tolist()
        pairs = zip(self.catalogue.schema.genres, counts, strict=True)
        return sorted((GenreFacts(genre=name, movies=count) for name, count in pairs), key=_by_name)

    def of_genre(self, genre: str, n: int, sort: Sort) -> list[ListedMovie]:
        """The first `n` movies of a genre: best average, newest, or most ratings first."""
        column = self.catalogue.schema.genres.index(genre)
        places = np.flatnonzero(self.catalogue.genre_matrix[:, column])
        return [self.listed(place) for place in places[self._order(places, sort)][:n].tolist()]

    def _order(self, places: NDArray[np.intp], sort: Sort) -> NDArray[np.intp]:
        """Equals by the number of ratings, then as in the data; what is missing comes last."""
        counts = self.catalogue.rating_counts[places]
        keys: dict[Sort, NDArray] = {
            "rating": self.averages[places],
            "year": self.catalogue.release_years[1:][places],
            "popularity": counts,
        }
        return np.lexsort((-counts, -np.nan_to_num(keys[sort], nan=-np.inf)))


def _by_name(genre: GenreFacts) -> str:
    return genre.genre
