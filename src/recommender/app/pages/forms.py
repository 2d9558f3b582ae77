"""What a form has sent. Only `application/x-www-form-urlencoded`: no page uploads files."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import parse_qs

from fastapi import Depends
from fastapi.exceptions import RequestValidationError
from starlette.requests import Request

MOST_FIELDS = 500
# "//host" and "/\\host" are other sites, also with a tab or a line feed in between, which browsers drop.
LOCAL_PATH = re.compile(r"/(?![/\\])[^\s\\\x00-\x1f]*")


class Form:
    """The fields of a form, each with its values in order."""

    def __init__(self, fields: dict[str, list[str]]) -> None:
        self._fields = fields

    def all(self, name: str) -> list[str]:
        """All values of a field; none where it was left out."""
        return self._fields.get(name, [])

    def one(self, name: str) -> str:
        """The first value of a field, without blanks around it; empty where it was left out."""
        return next(iter(self.all(name)), "").strip()

    def local_path(self, name: str) -> str:
        """An address on this site; the home page where the field names another site or nothing."""
        path = self.one(name)
        return path if LOCAL_PATH.fullmatch(path) else "/"


def refuse(name: str, sentence: str) -> RequestValidationError:
    """What to raise for a field that breaks a rule; `sentence` is what the visitor reads."""
    return RequestValidationError([{"type": "value_error", "loc": ("form", name), "msg": sentence}])


async def _read(request: Request) -> Form:
    body = await request.body()
    try:
        text = body.decode("utf-8")
        return Form(parse_qs(text, keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict"))
    except ValueError as error:
        raise refuse("body", f"the form must be UTF-8 with at most {MOST_FIELDS} fields") from error


SentForm = Annotated[Form, Depends(_read)]
