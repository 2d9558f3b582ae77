"""The API's documentation at /docs, made from its OpenAPI description: no scripts, no foreign files."""

from __future__ import annotations

import re
from html import escape
from typing import Any

from fastapi import FastAPI
from fastapi.responses import HTMLResponse

FIRST_ERROR = 400
POLICY = "default-src 'none'; style-src 'unsafe-inline'"
STYLE = """
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
code, h2 { font-family: ui-monospace, monospace; } h2 { font-size: 1.1rem; margin-top: 2.5rem; }
h2, p { overflow-wrap: anywhere; }
table { border-collapse: collapse; display: block; overflow-x: auto; }
td, th { text-align: left; padding: .3rem .6rem .3rem 0; vertical-align: top;
border-bottom: 1px solid color-mix(in srgb, currentColor 25%, transparent); }
"""


def add_reference(api: FastAPI) -> None:
    """Serve the page at /docs."""

    @api.get("/docs", include_in_schema=False, response_class=HTMLResponse)
    def reference() -> HTMLResponse:
        return HTMLResponse(reference_page(api.openapi()), headers={"Content-Security-Policy": POLICY})


def reference_page(description: dict[str, Any]) -> str:
    """An OpenAPI description as HTML; every text of it is escaped."""
    about = description["info"]
    operations = [
        _operation(method, path, operation)
        for path, methods in description["paths"].items()
        for method, operation in methods.items()
    ]
    schemas = [_schema(name, schema) for name, schema in description["components"]["schemas"].items()]
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(about["title"])}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head>'
        f"<body><h1>{escape(about['title'])} {escape(about['version'])}</h1>"
        f"<p>{escape(about['description'])} "
        f'For programs: <a href="/openapi.json">openapi.json</a>.</p>{_errors(description)}'
        f"{''.join(operations)}<h1>Types</h1>{''.join(schemas)}</body></html>"
    )


def _operation(method: str, path: str, operation: dict[str, Any]) -> str:
    rows = [
        (
            parameter["name"],
            parameter["in"] + (", required" if parameter["required"] else ""),
            _type(parameter["schema"]),
            parameter.get("description", ""),
        )
        for parameter in operation.get("parameters", [])
    ]
    content = operation.get("requestBody", {}).get("content", {})
    rows += [("body", "JSON", _type(media["schema"]), "") for media in content.values()]
    answers = [
        f"{status} {_answer(answer)}"
        for status, answer in operation["responses"].items()
        if int(status) < FIRST_ERROR
    ]
    return (
        f"<h2>{method.upper()} {escape(path)}</h2><p>{_text(operation['description'])}</p>"
        f"{_table(('parameter', 'in', 'type', ''), rows)}<p>Answers {', '.join(answers)}.</p>"
    )


def _errors(description: dict[str, Any]) -> str:
    """All statuses of errors that some operation may answer, each once."""
    said = {
        status: answer["description"]
        for methods in description["paths"].values()
        for operation in methods.values()
        for status, answer in operation["responses"].items()
        if int(status) >= FIRST_ERROR
    }
    rows = [(status, "", '<a href="#Problem">Problem</a>', text) for status, text in sorted(said.items())]
    return _table(("error", "", "type", ""), rows)


def _answer(answer: dict[str, Any]) -> str:
    types = [_type(media["schema"]) for media in answer.get("content", {}).values()]
    return " ".join(types) or "without a body"


def _text(text: str) -> str:
    """A docstring as HTML: what stands between back-quotes is code."""
    return re.sub(r"`([^`]*)`", r"<code>\1</code>", escape(text))


def _schema(name: str, schema: dict[str, Any]) -> str:
    required = schema.get("required", [])
    rows = [
        (field, "required" if field in required else "", _type(kind), "")
        for field, kind in schema.get("properties", {}).items()
    ]
    return (
        f'<h2 id="{escape(name)}">{escape(name)}</h2><p>{_text(schema.get("description", ""))}</p>'
        f"{_table(('field', '', 'type', ''), rows)}"
    )


def _type(schema: dict[str, Any]) -> str:
    """A JSON schema in a few words; a name is a link to its own table."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rsplit("/", 1)[-1])
        return f'<a href="#{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(map(_type, schema["anyOf"])) + _default(schema)
    if "enum" in schema or "const" in schema:
        return " | ".join(
            escape(str(value)) for value in schema.get("enum", [schema.get("const")])
        ) + _default(schema)
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    limits = [
        f"{word} {escape(str(schema[key]))}"
        for key, word in {"minimum": "from", "maximum": "to", "maxLength": "up to"}.items()
        if key in schema
    ]
    return " ".join([escape(str(schema.get("type", "any"))), *limits]) + _default(schema)


def _default(schema: dict[str, Any]) -> str:
    default = schema.get("default")
    return "" if default is None else f", {escape(str(default))} if left out"


def _table(head: tuple[str, ...], rows: list[tuple[str, str, str, str]]) -> str:
    """`rows` hold name, place, type (HTML already) and description."""
    if not rows:
        return ""
    cells = "".join(f"<th>{title}</th>" for title in head)
    body = "".join(
        f"<tr><td><code>{escape(name)}</code></td><td>{escape(place)}</td><td>{kind}</td>"
        f"<td>{escape(text)}</td></tr>"
        for name, place, kind, text in rows
    )
    return f"<table><tr>{cells}</tr>{body}</table>"
