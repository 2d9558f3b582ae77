"""The tables that benchmarks/trust.py prints, in Markdown."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from recommender.trust_plots.lines import RANKING, RETRIEVAL, RIVAL

Tree = Mapping[str, Any]


def show(mean: Tree, every: Sequence[Tree]) -> str:
    """All tables of the means over seeds."""
    title = f"{mean['dataset']}, split {mean['split']}, head {mean['head']}, seeds {len(every)}"
    tables = {
        "Ratings": _models(mean, every),
        **{f"RMSE by {name}": _groups(models) for name, models in mean["ratings"]["groups"].items()},
        "Predictions": _spread(mean["ratings"]["spread"]),
        "New users: RMSE": _new_users(mean["new_users"]),
        "New movies: RMSE": _new_movies(mean["new_movies"]),
        "Lists": _lists(mean["lists"]),
        **{f"NDCG by {name}": _ranking_groups(models) for name, models in mean["lists"]["groups"].items()},
        "Exposure": _exposure(mean["lists"]["exposure"]),
        "New users: lists": _new_lists(mean["lists"]),
    }
    return "\n\n".join([f"# {title}", *(f"## {name}\n\n{table}" for name, table in tables.items() if table)])


def _table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    rows = [head, ["---"] * len(head), *lines]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _number(value: float | None, digits: int = 3) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def _interval(content: Tree, name: str, sign: str = "") -> str:
    """A value with its 95 % interval, if it has one."""
    low, high = content[f"{name}_interval"]
    text = f"{content[name]:{sign}.3f}"
    return text if low is None else f"{text} [{low:{sign}.3f}, {high:{sign}.3f}]"


def _models(mean: Tree, every: Sequence[Tree]) -> str:
    head = ["model", "RMSE", "MAE", "AUC", "log loss", "average precision", "calibration error"]
    lines = []
    for name, content in mean["ratings"]["models"].items():
        seeds = [tree["ratings"]["models"][name]["rmse"] for tree in every]
        spread = f" ± {statistics.stdev(seeds):.4f}" if len(seeds) > 1 else ""
        values = [_number(content[metric], 4) for metric in ("mae", "auc", "log_loss")]
        precision = _number(content["curves"]["average_precision"], 4)
        calibration = _number(content["reliability"]["expected_error"], 4)
        lines.append([name, f"{content['rmse']:.4f}{spread}", *values, precision, calibration])
    return _table(head, lines)


def _groups(models: Tree) -> str:
    head = [
        "group",
        "ratings",
        "users",
        "RMSE",
        "bias",
        "gap",
        "beyond chance",
        f"{RIVAL}: RMSE",
        "gap",
        "gain",
    ]
    verdict = {True: "yes", False: "no", None: "too few"}
    lines = [
        [
            group,
            f"{content['ratings']:,}",
            f"{content['users']}",
            _interval(content, "rmse"),
            _interval(content, "bias", "+"),
            _interval(content, "gap", "+"),
            verdict[content["differs"]],
            _number(models[RIVAL][group]["rmse"]),
            _interval(models[RIVAL][group], "gap", "+"),
            _interval(content, "gain", "+"),
        ]
        for group, content in models[RANKING].items()
    ]
    return _table(head, lines)


def _spread(spread: Tree) -> str:
    lines = [
        [name, *(_number(content[each], 2) for each in ("mean", "deviation"))]
        + [_number(value, 2) for value in content["quantiles"]]
        for name, content in spread.items()
    ]
    return _table(["", "mean", "deviation", "5 %", "25 %", "50 %", "75 %", "95 %"], lines)


def _new_users(found: Tree) -> str:
    if "known" not in found:
        return ""
    models = list(next(iter(found["known"].values())))
    lines = [
        [number, *(_interval(line[name], "rmse") for name in models)]
        for number, line in found["known"].items()
    ]
    return f"{found['ratings']:,} ratings of {found['users']} users\n\n" + _table(["known", *models], lines)


def _new_movies(found: Tree) -> str:
    lines = []
    for which, content in found.items():
        for name, model in content.get("models", {}).items():
            size = [which, f"{content['ratings']}", f"{content['movies']}"]
            value = _interval(model, "rmse") if "rmse_interval" in model else _number(model["rmse"])
            lines.append([*size, name, value])
    return _table(["ratings", "number", "movies", "model", "RMSE"], lines) if lines else ""


def _lists(lists: Tree) -> str:
    names = [name for name in next(iter(lists["models"].values())) if name != "standard_errors"]
    lines = [
        [model, *(_with_error(content, name) for name in names)] for model, content in lists["models"].items()
    ]
    return f"{lists['users']} users\n\n" + _table(["model", *names], lines)


def _with_error(content: Tree, name: str) -> str:
    error = content["standard_errors"].get(name)
    return _number(content[name]) + ("" if error is None else f" ± {error:.3f}")


def _ranking_groups(models: Tree) -> str:
    rivals = [name for name in models if name != RETRIEVAL]
    best = max(rivals, key=lambda name: statistics.fmean(each["mean"] for each in models[name].values()))
    verdict = {True: "yes", False: "no", None: "too few"}
    lines = [
        [
            group,
            f"{content['users']}",
            _interval(content, "mean"),
            _interval(content, "gap", "+"),
            verdict[content["differs"]],
            _number(models[best][group]["mean"]),
        ]
        for group, content in models[RETRIEVAL].items()
    ]
    return _table(["group", "users", RETRIEVAL, "gap", "beyond chance", best], lines)


def _exposure(models: Tree) -> str:
    names = ["catalogue", "held_out", "shown", "accuracy"]
    lines = [
        [model, group, f"{content['movies']}", *(_number(content[name]) for name in names)]
        for model, groups in models.items()
        for group, content in groups.items()
    ]
    return _table(["model", "movies", "number", *names], lines)


def _new_lists(lists: Tree) -> str:
    found = lists["new_users"]
    if "known" not in found:
        return ""
    models = list(next(iter(found["known"].values())))
    metrics = [f"{name}@{lists['k']}" for name in ("ndcg", "hit_rate")]
    lines = [
        [number, *(_with_error(line[model], metric) for model in models for metric in metrics)]
        for number, line in found["known"].items()
    ]
    head = [f"{model}: {metric}" for model in models for metric in metrics]
    return f"{found['users']} users\n\n" + _table(["known", *head], lines)
