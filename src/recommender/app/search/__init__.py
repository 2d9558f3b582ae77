"""Finding movies by title: as typed, by its beginning, and with typing errors."""

from recommender.app.search.title_index import TitleIndex

__all__ = ["TitleIndex"]
