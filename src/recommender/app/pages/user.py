"""A user's page."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from recommender.app.pages.forms import refuse
from recommender.app.pages.page import CurrentPage

IN_COLUMN = 10
COLUMNS = 4  # at most, side by side
HISTORY = 24  # shown at first

user = APIRouter()


@user.get("/users/{user_id:path}")
def show_user(
    page: CurrentPage, user_id: str, model: Annotated[list[str] | None, Query()] = None, whole: bool = False
) -> Response:
    """Statistics, history and the lists of some models side by side; without `model` the two first."""
    application = page.application
    facts = application.user(user_id)
    models = list(application.settings.variants)
    shown = _columns(model, models, application.settings.default_variant)
    return page.render(
        "user.html",
        user=facts,
        history=facts.history if whole else facts.history[:HISTORY],
        models=models,
        lists=[application.recommend(facts.user_id, IN_COLUMN, model=name, explain=True) for name in shown],
    )


def _columns(asked: list[str] | None, models: list[str], default: str) -> list[str]:
    """The models to show, each once; the default first where none was asked for."""
    unknown = [name for name in asked or [] if name not in models]
    if unknown:
        raise refuse("model", f"model must be among {', '.join(models)}, received {unknown[0]!r}")
    others = [name for name in models if name != default]
    return list(dict.fromkeys(asked or [default, *others[-1:]]))[:COLUMNS]
