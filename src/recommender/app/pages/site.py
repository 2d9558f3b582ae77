"""The pages as one application of their own: views, static files, errors and headers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import FastAPI

from recommender.app.pages.choosing import choosing
from recommender.app.pages.experiments import experiments
from recommender.app.pages.genre import genre
from recommender.app.pages.home import home
from recommender.app.pages.movie import movie
from recommender.app.pages.newcomer import newcomer
from recommender.app.pages.problems import add_problems
from recommender.app.pages.rating import rating
from recommender.app.pages.searching import searching
from recommender.app.pages.security import Security
from recommender.app.pages.static_files import VersionedFiles
from recommender.app.pages.templating import STATIC
from recommender.app.pages.user import user

if TYPE_CHECKING:
    from recommender.app.application import Application

VIEWS = (home, choosing, movie, rating, user, genre, searching, newcomer, experiments)


def make_site(application: Application) -> FastAPI:
    """The pages, answered from `application`; they document no API."""
    site = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    site.state.application = application
    for view in VIEWS:
        site.include_router(view)
    site.mount("/static", VersionedFiles(directory=STATIC), name="static")
    add_problems(site)
    site.add_middleware(Security)
    return site
