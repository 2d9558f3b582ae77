"""A user's page."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from recommender.app.answers import UserFacts
from recommender.app.api.parameters import UserId
from recommender.app.features import StoreUnavailableError
from recommender.app.pages.forms import refuse
from recommender.app.pages.page import CurrentPage, Page

IN_COLUMN = 10
COLUMNS = 4  # at most, side by side
HISTORY = 24  # shown at first

user = APIRouter()


@user.get("/users/{user_id:path}")
def show_user(
    page: CurrentPage,
    user_id: UserId,
    model: Annotated[list[str] | None, Query()] = None,
    whole: bool = False,
) -> Response:
    """Statistics, history and the lists of some models side by side; without `model` the two first.

    While the store is down there are the lists alone, of popular movies.
    """
    application = page.application
    facts = _facts(page, user_id)
    models = list(application.settings.variants)
    shown = _columns(model, models, application.settings.default_variant)
    return page.render(
        "user.html",
        user_id=user_id,
        user=facts,
        history=facts.history[: None if whole else HISTORY] if facts else [],
        models=models,
        lists=[application.recommend(user_id, IN_COLUMN, model=name, explain=True) for name in shown],
        cut_off=facts is None,
    )


def _facts(page: Page, user_id: str) -> UserFacts | None:
    """What is known of the user; None where the store does not answer."""
    try:
        return page.application.user(user_id)
    except StoreUnavailableError:
        return None


def _columns(asked: list[str] | None, models: list[str], default: str) -> list[str]:
    """The models to show, each once; the default first where none was asked for."""
    unknown = [name for name in asked or [] if name not in models]
    if unknown:
        raise refuse("model", f"model must be among {', '.join(models)}, received {unknown[0]!r}")
    others = [name for name in models if name != default]
    return list(dict.fromkeys(asked or [default, *others[-1:]]))[:COLUMNS]
