"""The pages of the online recommender: rendered by the server, usable without scripts, nicer with them."""

from recommender.app.pages.mount import add_pages

__all__ = ["add_pages"]
