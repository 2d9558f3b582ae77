"""Bad rows: found by the rules, then reported with file, line, rule and value, or dropped and counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Literal, NamedTuple

import duckdb

from recommender.data.rules import KEYS, Rule
from recommender.data.sources import DelimitedFile, RawTable
from recommender.errors import DataError

OnBadRows = Literal["stop", "drop"]

# What the reader calls a line that it cannot read: our rule and what was expected.
UNREADABLE = {
    "MISSING COLUMNS": ("fields", "a line must have {fields} fields"),
    "TOO MANY COLUMNS": ("fields", "a line must have {fields} fields"),
    "INVALID ENCODING": ("encoding", "the text must be encoded as {encoding}"),
    "UNQUOTED VALUE": ("quotes", "a quoted field must end at a closing quote"),
}
UNREADABLE_OTHERWISE = ("unreadable", "a line must be readable")


class BadRow(NamedTuple):
    """A row that breaks a rule: its line (or row, from 1), the rule, and what to say of it."""

    position: int
    rule: str
    complaint: str


def check_rows(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    table: RawTable,
    rules: Sequence[Rule],
    on_bad_rows: OnBadRows,
) -> dict[str, int]:
    """Check the staged table `name`; its `rowid` is the record's number in the file.

    Returns how many rows each rule has dropped, as `{"ratings.rating_off_step": 2}`; the first in file order
    of rows with equal keys stays. Raises `DataError` about the first bad row unless rows are to be dropped.
    """
    unreadable = _unreadable_lines(connection, name, table)
    _mark_bad_rows(connection, name, rules)
    marked = connection.execute("SELECT rule, count(*) FROM bad_rows GROUP BY rule").fetchall()
    dropped = Counter(dict(marked))
    dropped.update(bad.rule for bad in unreadable)
    if dropped and on_bad_rows == "stop":
        found = unreadable[:1] + _first_marked(connection, name, table, rules)
        first = min(found, key=lambda bad: bad.position)
        more = f" ({dropped.total() - 1} more bad rows)" if dropped.total() > 1 else ""
        where = f"{table.file.path}, {table.file.unit} {first.position}"
        raise DataError(f"{where}: {first.complaint}{more}; data.on_bad_rows=drop leaves such rows out")
    connection.execute(f"DELETE FROM {name} WHERE rowid IN (SELECT record FROM bad_rows)")
    return {f"{name}.{rule}": count for rule, count in sorted(dropped.items())}


def _unreadable_lines(connection: duckdb.DuckDBPyConnection, name: str, table: RawTable) -> list[BadRow]:
    """The lines that are no records, in file order."""
    file = table.file
    if not isinstance(file, DelimitedFile):
        return []
    query = f"SELECT line, min(error_type), min(csv_line) FROM {name}_rejects GROUP BY line ORDER BY line"
    lines = []
    for line, error, text in connection.execute(query).fetchall():
        rule, expected = UNREADABLE.get(error, UNREADABLE_OTHERWISE)
        expected = expected.format(fields=len(file.columns), encoding=file.encoding)
        received = (text or "").strip("\r\n")
        lines.append(BadRow(line, rule, f"{expected}, received {_shown(received)}"))
    return lines


def _mark_bad_rows(connection: duckdb.DuckDBPyConnection, name: str, rules: Sequence[Rule]) -> None:
    """Fill `bad_rows(record, rule)`: each bad row once, with the first rule that it breaks."""
    cases = " ".join(f"WHEN {rule.broken} THEN '{rule.name}'" for rule in rules)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE bad_rows AS SELECT * FROM "
        f"(SELECT rowid AS record, CASE {cases} END AS rule FROM {name}) WHERE rule IS NOT NULL"
    )
    keys = ", ".join(KEYS[name])
    good = f"FROM {name} WHERE rowid NOT IN (SELECT record FROM bad_rows)"
    connection.execute(
        f"INSERT INTO bad_rows SELECT record, 'repeated' FROM (SELECT rowid AS record, {keys} {good}) "
        f"JOIN (SELECT {keys}, min(rowid) AS first {good} GROUP BY {keys} HAVING count(*) > 1) "
        f"USING ({keys}) WHERE record > first"
    )


def _first_marked(
    connection: duckdb.DuckDBPyConnection, name: str, table: RawTable, rules: Sequence[Rule]
) -> list[BadRow]:
    """The first row in `bad_rows`, if there is one.

    Its position does not count unreadable lines before it; where there are some, they come first anyway.
    """
    found = connection.execute("SELECT record, rule FROM bad_rows ORDER BY record LIMIT 1").fetchone()
    if found is None:
        return []
    record, broken = found
    rule = next((rule for rule in rules if rule.name == broken), None)
    columns = (rule.column,) if rule else KEYS[name]
    expected = rule.expected if rule else f"{' and '.join(columns)} must not repeat"
    values = connection.execute(
        f"SELECT {', '.join(columns)} FROM {name} WHERE rowid = ?", [record]
    ).fetchone()
    assert values is not None
    return [
        BadRow(table.file.position(record), broken, f"{expected}, received {', '.join(map(_shown, values))}")
    ]


def _shown(value: str | None) -> str:
    """A value as messages show it: quoted, shortened, on one line."""
    if value is None:
        return "nothing"
    return repr(value if len(value) <= 80 else value[:80] + "...")
