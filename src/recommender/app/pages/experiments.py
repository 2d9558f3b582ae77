"""How the experiments stand."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from recommender.app.pages.page import CurrentPage

experiments = APIRouter()


@experiments.get("/experiments")
def show_experiments(page: CurrentPage) -> Response:
    """Variants, their traffic and their click-through with its interval."""
    return page.render("experiments.html", experiments=page.application.experiments())
