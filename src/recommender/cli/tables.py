"""Tables for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

# What is shown of metrics.json, best known first: the rest is in the file.
SHOWN = {
    "rating prediction": ("rmse", "mae", "auc", "log_loss"),
    "ranking the whole catalogue": ("recall@10", "ndcg@10", "hit_rate@10", "hit_rate@100", "coverage@10"),
}


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
    """What was measured on one split, a row for each model and baseline, a table for each task."""
    parts = [f"{metrics['dataset']}, {split} split ({metrics['split']}), seed {metrics['seed']}"]
    for title, names in SHOWN.items():
        measured = {model: splits.get(split, {}) for model, splits in metrics["models"].items()}
        names = tuple(name for name in names if any(name in found for found in measured.values()))
        rows = [
            [model, *(found.get(name) for name in names)]
            for model, found in measured.items()
            if any(name in found for name in names)
        ]
        if rows:
            parts.append(table([title, *names], rows))
    return "\n\n".join(parts)


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
