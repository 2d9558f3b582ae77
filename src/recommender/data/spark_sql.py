"""The feature SQL in Spark's words: sqlglot transpiles it; what the dialects count differently is mended.

DuckDB's slices name their last element, Spark's their length.
"""

from __future__ import annotations

import sqlglot
from sqlglot import exp


def spark_sql(sql: str) -> str:
    """A text in DuckDB's dialect as one in Spark's."""
    return sqlglot.parse_one(sql, read="duckdb").transform(_by_length).sql(dialect="spark")


def _by_length(node: exp.Expression) -> exp.Expression:
    """`values[a:b]` and `ARRAY_SLICE(values, a, b)` as `SLICE(values, a, b - a + 1)`."""
    if isinstance(node, exp.Bracket) and isinstance(node.expressions[0], exp.Slice):
        part = node.expressions[0]
        return _slice(node.this, part.this, part.expression)
    if isinstance(node, exp.ArraySlice):
        return _slice(node.this, node.args["start"], node.args["end"])
    return node


def _slice(values: exp.Expression, first: exp.Expression, last: exp.Expression) -> exp.Expression:
    length = exp.cast(exp.paren(last.copy()) - exp.paren(first.copy()) + 1, "int")
    return exp.Anonymous(this="SLICE", expressions=[values, first, length])
