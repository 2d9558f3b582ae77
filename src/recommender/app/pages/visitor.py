"""Who the pages are for: the chosen user, kept in a cookie that other sites' requests do not carry."""

from __future__ import annotations

from urllib.parse import quote, unquote

from starlette.requests import Request
from starlette.responses import Response

COOKIE = "user"
YEAR = 365 * 24 * 3600  # seconds
LONGEST = 200  # characters of an id, as in `Event`


def chosen_user(request: Request) -> str | None:
    """The user whom the visitor has chosen to be, whether or not the store knows them."""
    user_id = unquote(request.cookies.get(COOKIE, ""))
    return user_id if 0 < len(user_id) <= LONGEST else None


def choose(response: Response, user_id: str) -> None:
    """From now on the pages are for this user. Scripts do not see the cookie."""
    response.set_cookie(COOKIE, quote(user_id, safe=""), max_age=YEAR, httponly=True, samesite="lax")


def forget(response: Response) -> None:
    """From now on the pages are for nobody in particular."""
    response.delete_cookie(COOKIE, httponly=True, samesite="lax")
