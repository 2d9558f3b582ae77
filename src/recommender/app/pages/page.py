"""What every view starts from: the request, the application and the chosen user."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import HTMLResponse

from recommender.app.answers import UserFacts
from recommender.app.application.errors import NotFoundError
from recommender.app.features import StoreUnavailableError
from recommender.app.pages.notice import Notice, notice_of, without_notice
from recommender.app.pages.scale import Scale
from recommender.app.pages.templating import environment
from recommender.app.pages.visitor import chosen_user

if TYPE_CHECKING:
    from recommender.app.application import Application


@dataclass(frozen=True)
class Page:
    """One request for a page.

    `visitor` is the id of the chosen user, None where nobody or nobody known is chosen, and `user` what is
    known of them. While the store is down the id is taken as the visitor's word, nothing is known, and
    `unreachable` says why; whoever needs the store raises it.
    """

    request: Request
    application: Application
    visitor: str | None = None
    user: UserFacts | None = None
    unreachable: StoreUnavailableError | None = None

    def render(self, template: str, status_code: int = 200, **context: object) -> HTMLResponse:
        """A page from its template, for no cache but the visitor's own."""
        notice = notice_of(self.request, self.application, self.user) if self.user else None
        context = {"cut_off": self.unreachable is not None, "scale": Scale(self.application), **context}
        text = render(template, self.request, self.visitor, notice, **context)
        return HTMLResponse(text, status_code, headers={"Cache-Control": "private, no-cache"})


def render(
    template: str, request: Request, visitor: str | None, notice: Notice | None = None, **context: object
) -> str:
    """A template's text; asks nothing of the application, so that errors can be shown whatever is down."""
    context = {"visitor": visitor, "here": without_notice(request.url), "notice": notice, **context}
    return environment().get_template(template).render({"cut_off": False, **context})


def _page(request: Request) -> Page:
    application: Application = request.app.state.application
    user_id = chosen_user(request)
    if user_id is None:
        return Page(request, application)
    try:
        user = application.user(user_id)
        return Page(request, application, user.user_id, user)
    except NotFoundError:
        return Page(request, application)
    except StoreUnavailableError as error:
        return Page(request, application, user_id, unreachable=error)


CurrentPage = Annotated[Page, Depends(_page)]
