"""What every view starts from: the request, the application and the chosen user."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import HTMLResponse

from recommender.app.answers import UserFacts
from recommender.app.application.errors import NotFoundError
from recommender.app.pages.notice import Notice, notice_of, without_notice
from recommender.app.pages.scale import Scale
from recommender.app.pages.templating import environment
from recommender.app.pages.visitor import chosen_user

if TYPE_CHECKING:
    from recommender.app.application import Application


@dataclass(frozen=True)
class Page:
    """One request for a page; `user` is the chosen one, None where nobody or nobody known is chosen."""

    request: Request
    application: Application
    user: UserFacts | None

    @property
    def visitor(self) -> str | None:
        """The chosen user's id."""
        return self.user.user_id if self.user else None

    def render(self, template: str, status_code: int = 200, **context: object) -> HTMLResponse:
        """A page from its template, for no cache but the visitor's own."""
        notice = notice_of(self.request, self.application, self.user) if self.user else None
        context |= {"scale": Scale(self.application)}
        text = render(template, self.request, self.visitor, notice, **context)
        return HTMLResponse(text, status_code, headers={"Cache-Control": "private, no-cache"})


def render(
    template: str, request: Request, visitor: str | None, notice: Notice | None = None, **context: object
) -> str:
    """A template's text; asks nothing of the application, so that errors can be shown whatever is down."""
    here = without_notice(request.url)
    return environment().get_template(template).render(visitor=visitor, here=here, notice=notice, **context)


def _page(request: Request) -> Page:
    application: Application = request.app.state.application
    user_id = chosen_user(request)
    try:
        return Page(request, application, application.user(user_id) if user_id else None)
    except NotFoundError:
        return Page(request, application, None)


CurrentPage = Annotated[Page, Depends(_page)]
