"""Quality on held-out ratings, several seeds, beside the best peers: the figures that docs/results.md quotes.

    python benchmarks/quality.py --dataset ml-100k --seeds 3

Everything was chosen on validation; this reads the test split once per line and seed, and once for the peers,
which are fitted in the same process on the same splits. A line is beaten where our mean over the seeds is
better than every peer's value. Lines of the same settings and seed share what is fitted, and the seconds are
those of the line that came first. Prints a table and writes it as JSON.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import time
from pathlib import Path
from typing import Any, NamedTuple

from recommender.tensorflow_start import start_tensorflow

start_tensorflow()

from rating_lines import RATING_PEERS, ranking_model_scores, rating_peer_scores  # noqa: E402
from retrieval_lines import (  # noqa: E402
    WITH_HISTORY,
    final_list_scores,
    retrieval_model_scores,
    retrieval_peer_scores,
)

from recommender.config import Settings, load_settings  # noqa: E402
from recommender.data.prepare import prepare  # noqa: E402
from recommender.whole_files import write_whole  # noqa: E402

LESS_IS_BETTER = ("rmse", "log_loss")


class Goal(NamedTuple):
    """What one metric of a line should come to; None where nothing is asked."""

    metric: str
    required: float | None = None
    ambition: float | None = None


class Line(NamedTuple):
    """One row of the table: settings, and what is measured with them."""

    settings: tuple[str, ...]
    goals: tuple[Goal, ...]
    model: str = "ranking"  # or another of `MEASURES`


LINES: dict[str, Line] = {
    "tutorial, ids only": Line(("preset=tutorial",), (Goal("rmse"),)),
    "rating": Line((), (Goal("rmse", 0.920, 0.912),)),
    "rating, mlp": Line(("preset=mlp",), (Goal("rmse"),)),
    "rating, frozen": Line(("preset=frozen",), (Goal("rmse", 1.025, 1.020),)),
    "rating, frozen, refit": Line(("preset=frozen", "ranking.refit=true"), (Goal("rmse", 1.017, 1.012),)),
    "like": Line(("preset=like",), (Goal("auc", 0.785, 0.795), Goal("log_loss"))),
    "like, frozen": Line(
        ("preset=frozen", "ranking.objective=like", "ranking.head_options.stars=0.3"),
        (Goal("auc", 0.702, 0.710), Goal("log_loss")),
    ),
    "leave-last-one, final list": Line(
        ("preset=leave_last",),
        (Goal("hit_rate@10", 0.240, 0.260), Goal("ndcg@10", 0.132, 0.145)),
        "both stages",
    ),
    "leave-last-one, retrieval": Line(
        ("preset=leave_last",),
        (
            Goal("hit_rate@10"),
            Goal("ndcg@10"),
            Goal("hit_rate@10/99neg", 0.755, 0.780),
            Goal("ndcg@10/99neg", 0.485, 0.500),
        ),
        "retrieval",
    ),
    "temporal, final list": Line(
        (),
        (
            Goal(f"hit_rate@10/{WITH_HISTORY}", 0.745, 0.800),
            Goal(f"ndcg@10/{WITH_HISTORY}", 0.240, 0.280),
        ),
        "both stages",
    ),
    "temporal, retrieval": Line(
        (),
        (Goal(f"hit_rate@10/{WITH_HISTORY}"), Goal(f"ndcg@10/{WITH_HISTORY}")),
        "retrieval",
    ),
    "random 80/20, retrieval": Line(
        ("preset=random_split",), (Goal("accuracy@100", 0.640, 0.655),), "retrieval"
    ),
}
MEASURES = {
    "ranking": (ranking_model_scores, rating_peer_scores),
    "retrieval": (retrieval_model_scores, retrieval_peer_scores),
    "both stages": (final_list_scores, retrieval_peer_scores),
}


def measure(name: str, arguments: argparse.Namespace) -> dict[str, Any]:
    """One line: our scores of each seed, and the peers' once."""
    line = LINES[name]
    ours, peers = MEASURES[line.model]
    runs, seconds = [], []
    for seed in range(1, arguments.seeds + 1):
        settings = settings_of(line, seed, arguments)
        prepared, folder = prepare(settings), fits_of(line, seed, arguments)
        began = time.perf_counter(), time.process_time()
        runs.append(ours(settings, prepared, folder))
        seconds.append((time.perf_counter() - began[0], time.process_time() - began[1]))
    settings = settings_of(line, 1, arguments)
    found = peers(settings, prepare(settings), arguments.peers)
    return {
        "line": name,
        "settings": list(line.settings),
        "seconds_per_seed": statistics.fmean(wall for wall, _ in seconds),
        "cpu_seconds_per_seed": statistics.fmean(cpu for _, cpu in seconds),
        "metrics": [compare(goal, runs, found) for goal in line.goals],
    }


def fits_of(line: Line, seed: int, arguments: argparse.Namespace) -> Path:
    """The folder of what is fitted with the settings of a line."""
    name = "+".join([arguments.dataset, *line.settings, f"seed={seed}"])
    return Path(arguments.home / "benchmark" / "quality" / name)


def settings_of(line: Line, seed: int, arguments: argparse.Namespace) -> Settings:
    """The settings of a line for a seed."""
    data = [f"data.dataset={arguments.dataset}", f"data.home={arguments.home}"]
    if arguments.dataset == "ml-latest-small":
        data.append("data.on_bad_rows=drop")  # the last line of its ratings is cut off in some copies
    return load_settings(overrides=[*line.settings, *data, f"seed={seed}"], environ={})


def compare(goal: Goal, runs: list[dict[str, float]], peers: dict[str, dict[str, float]]) -> dict[str, Any]:
    """One metric of a line: ours over the seeds, the best peer, and whether what was asked for is reached."""
    values = [run[goal.metric] for run in runs]
    mean, sign = statistics.fmean(values), -1 if goal.metric in LESS_IS_BETTER else 1
    having = {name: scores[goal.metric] for name, scores in peers.items() if goal.metric in scores}
    best = max(having, key=lambda name: sign * having[name], default=None)

    def reached(target: float | None) -> bool | None:
        return None if target is None else sign * mean >= sign * target

    return {
        **goal._asdict(),
        "values": values,
        "mean": mean,
        "deviation": statistics.stdev(values) if len(values) > 1 else None,
        "peers": having,
        "best_peer": best,
        "beaten": None if best is None else sign * mean > sign * having[best],
        "required_reached": reached(goal.required),
        "ambition_reached": reached(goal.ambition),
    }


def show(line: dict[str, Any]) -> str:
    """The rows of the table for one line, one a metric."""
    said = {True: "yes", False: "no", None: "–"}
    rows = []
    for found in line["metrics"]:
        deviation = "" if found["deviation"] is None else f" ± {found['deviation']:.4f}"
        best = found["best_peer"]
        peer = "–" if best is None else f"{found['peers'][best]:.4f} {best}"
        goals = [
            "–" if found[goal] is None else f"{found[goal]:g}: {said[found[f'{goal}_reached']]}"
            for goal in ("required", "ambition")
        ]
        rows.append(
            f"| {line['line']} | {found['metric']} | {found['mean']:.4f}{deviation} | {peer} "
            f"| {said[found['beaten']]} | {goals[0]} | {goals[1]} | {line['cpu_seconds_per_seed']:.0f} |"
        )
    return "\n".join(rows)


def main() -> None:
    """Measure the lines that are asked for, print and write them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dataset", default="ml-100k")
    parser.add_argument("--home", type=Path, default=Path("data"))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--lines", nargs="*", default=list(LINES), choices=list(LINES), metavar="LINE")
    parser.add_argument("--peers", nargs="*", default=list(RATING_PEERS), choices=list(RATING_PEERS))
    parser.add_argument("--output", type=Path, default=Path("data/quality.json"))
    arguments = parser.parse_args()
    print("| line | metric | ours | best peer | beaten | goal | stretch goal | CPU s a seed |")
    print("|---|---|---|---|---|---|---|---|")
    for name in arguments.lines:
        for seed in range(1, arguments.seeds + 1):
            shutil.rmtree(fits_of(LINES[name], seed, arguments), ignore_errors=True)
    lines = []
    for name in arguments.lines:
        lines.append(measure(name, arguments))
        print(show(lines[-1]), flush=True)
        found = {"dataset": arguments.dataset, "seeds": arguments.seeds, "lines": lines}
        arguments.output.parent.mkdir(parents=True, exist_ok=True)
        write_whole(arguments.output, json.dumps(found, indent=1))
    print(f"wrote {arguments.output}")


if __name__ == "__main__":
    main()
