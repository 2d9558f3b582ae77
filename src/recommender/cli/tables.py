"""Tables for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

# What is shown of metrics.json, models ordered by the first: the rest is in the file.
RATING = ("rmse", "mae", "auc", "log_loss")
RANKING = ("ndcg@10", "recall@10", "hit_rate@10", "mrr@10", "accuracy@100", "coverage@10")


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Columns as wide as their widest cell: numbers to the right, text to the left."""
    cells = [[_cell(value) for value in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(header, *cells, strict=True)]
    right = [
        all(isinstance(row[index], (int, float, type(None))) for row in rows) for index in range(len(header))
    ]
    lines = [header, ["-" * width for width in widths], *cells]
    return "\n".join(_line(line, widths, right) for line in lines)


def metrics_table(metrics: Mapping[str, Any], split: str = "test") -> str:
    """What was measured on one split: models and baselines, best first, in a table for each task."""
    measured = {model: splits[split] for model, splits in metrics["models"].items() if split in splits}
    title = f"{metrics['dataset']}, {split} split ({metrics['split']}), seed {metrics['seed']}"
    rating = _task(measured, "rating prediction", RATING, lower_is_better=True)
    ranking = _task(measured, "ranking the whole catalogue", RANKING, lower_is_better=False)
    return "\n\n".join([title, *rating, *ranking])


def _task(
    measured: Mapping[str, Mapping[str, Any]], title: str, names: Sequence[str], lower_is_better: bool
) -> list[str]:
    """The table of one task, if anything was measured there."""
    found = [model for model, values in measured.items() if values.get(names[0]) is not None]
    found.sort(key=lambda model: measured[model][names[0]], reverse=not lower_is_better)
    shown = [name for name in names if any(name in measured[model] for model in found)]
    rows = [[model, *(measured[model].get(name) for name in shown)] for model in found]
    return [table([title, *shown], rows)] if rows else []


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.4f}" if isinstance(value, float) else str(value)


def _line(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    aligned = (
        cell.rjust(width) if to_right else cell.ljust(width)
        for cell, width, to_right in zip(cells, widths, right, strict=True)
    )
    return "  ".join(aligned).rstrip()
