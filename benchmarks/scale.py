"""How time and memory grow with the number of ratings, from 100 thousand to 20 million.

    python benchmarks/scale.py features --sizes 100k 1M 5M 20M --json scale-features.json --plots docs/images
    python benchmarks/scale.py training --sizes 100k 1M 20M --json scale-training.json

A section is a module scale_<section>.py beside this file with

- OVERRIDES: settings (KEY=VALUE) that it measures under
- setup(settings): what has to be there before, not measured
- work(settings): what is measured; returns what else to put into its row of the table
- COLUMNS: what its table shows, of what is measured of every section or `work` returns, and how
- VARIANTS: more settings by name, for each of which a size is measured; they win over the command line

Each size runs in a process of its own, so that its peak memory is its own. Wall seconds depend on who else
uses the machine, CPU seconds hardly: the load is written down with both. The data is synthetic: 145 ratings a
user, as in ml-20m, and as many movies as the releases of that size have, or more.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from recommender.config import Settings, load_settings
from recommender.whole_files import write_whole

# users, movies, ratings
SIZES = {
    "100k": (690, 1_500, 100_000),
    "1M": (6_900, 6_000, 1_000_000),
    "5M": (34_500, 15_000, 5_000_000),
    "20M": (138_000, 27_000, 20_000_000),
}


def load_section(name: str) -> ModuleType:
    """The module of a section."""
    return importlib.import_module(f"scale_{name}")


def settings_of(section: str, size: str, variant: str, home: Path, overrides: Sequence[str]) -> Settings:
    """The settings that a section is measured under at a size; `overrides` win over the section's."""
    users, movies, ratings = SIZES[size]
    data = f"data.synthetic={{users: {users}, movies: {movies}, ratings: {ratings}}}"
    own, chosen = load_section(section).OVERRIDES, load_section(section).VARIANTS[variant]
    given = ["data.dataset=synthetic", data, f"data.home={home}", *own, *overrides, *chosen]
    return load_settings(overrides=given, environ={})


def measure_here(section: str, size: str, settings: Settings) -> dict[str, Any]:
    """One size in this process: seconds, CPU seconds of all threads, and the peak of memory in GB."""
    load, began, cpu = os.getloadavg()[0], time.perf_counter(), time.process_time()
    more = load_section(section).work(settings)
    seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - cpu
    row = {
        "ratings": SIZES[size][2],
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,
        "cpu_us_per_rating": cpu_seconds / SIZES[size][2] * 1e6,
        "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
        "load": (load + os.getloadavg()[0]) / 2,
    }
    return {**row, **more}


def measure(section: str, size: str, variant: str, home: Path, overrides: Sequence[str]) -> dict[str, Any]:
    """One size in processes of its own, one that sets up and one that is measured."""
    command = [sys.executable, __file__, section, *overrides]  # behind --sizes they would be sizes
    command += ["--home", str(home), "--sizes", size, "--variants", variant]
    subprocess.run([*command, "--child", "setup"], check=True)
    done = subprocess.run([*command, "--child", "work"], check=True, stdout=subprocess.PIPE, text=True)
    return {"variant": variant, **json.loads(done.stdout.splitlines()[-1])}


def exponent(rows: Sequence[dict[str, Any]], column: str) -> float | None:
    """b of the power law a * ratings^b, by least squares on logarithms; None for fewer than two sizes."""
    if len(rows) < 2:
        return None
    ratings, values = (np.log([row[name] for row in rows]) for name in ("ratings", column))
    return float(np.polyfit(ratings, values, 1)[0])


def table(section: str, rows: Sequence[dict[str, Any]]) -> str:
    """The rows as a Markdown table of the section's columns."""
    columns = {"variant": "", **load_section(section).COLUMNS}
    if len(load_section(section).VARIANTS) == 1:
        del columns["variant"]
    lines = [
        "| " + " | ".join(name.replace("_", " ") for name in columns) + " |",
        "|" + "--:|" * len(columns),
    ]
    for row in rows:
        lines.append("| " + " | ".join(format(row[name], how) for name, how in columns.items()) + " |")
    return "\n".join(lines)


def plot(section: str, found: dict[str, Any], folder: Path) -> Path:
    """CPU seconds and peak memory by ratings, on logarithmic axes."""
    from recommender.tracking.style import GREY, OURS, panels

    rows = found["rows"]
    ratings = [row["ratings"] for row in rows]
    figure, (left, right) = panels(2, f"{section}: growth with the number of ratings", (4.6, 3.2))
    for axes, column, title in ((left, "cpu_seconds", "CPU seconds"), (right, "peak_gb", "peak memory, GB")):
        axes.loglog(ratings, [row[column] for row in rows], "o-", color=OURS)
        linear = [rows[0][column] * value / ratings[0] for value in ratings]
        axes.loglog(ratings, linear, "--", color=GREY, label="linear")
        axes.set_title(f"{title}: ratings^{found['exponents'][column]:.2f}", fontsize=10)
        axes.set_xlabel("ratings")
        axes.legend(frameon=False, fontsize=8)
    folder.mkdir(parents=True, exist_ok=True)
    building, path = folder / f".scale-{section}.png", folder / f"scale-{section}.png"
    figure.savefig(building, format="png", dpi=110)
    building.replace(path)
    return path


def main() -> None:
    """Measure a section at each size, print the table, write JSON and the plot."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("section")
    parser.add_argument("overrides", nargs="*", metavar="KEY=VALUE")
    parser.add_argument("--sizes", nargs="+", choices=SIZES, default=["100k", "1M"])
    parser.add_argument("--home", type=Path, default=Path("data/scale"))
    parser.add_argument("--json", type=Path)
    parser.add_argument("--plots", type=Path)
    parser.add_argument("--variants", nargs="+", help="Those of the section's that are measured; all.")
    parser.add_argument("--child", choices=("setup", "work"), help=argparse.SUPPRESS)
    given = parser.parse_intermixed_args()
    section = load_section(given.section)
    if given.child:
        size = given.sizes[0]
        settings = settings_of(given.section, size, given.variants[0], given.home, given.overrides)
        if given.child == "setup":
            section.setup(settings)
        else:
            print(json.dumps(measure_here(given.section, size, settings)))
        return
    found: dict[str, Any] = {"section": given.section, "cores": os.cpu_count(), "rows": []}
    variants = given.variants or list(section.VARIANTS)
    for size in given.sizes:
        for variant in variants:
            found["rows"].append(measure(given.section, size, variant, given.home, given.overrides))
            print(table(given.section, found["rows"][-1:]), flush=True)
        of_one = [row for row in found["rows"] if row["variant"] == variants[0]]
        found["exponents"] = {name: exponent(of_one, name) for name in ("cpu_seconds", "peak_gb")}
        if given.json:  # after every size: the largest takes long
            write_whole(given.json, json.dumps(found, indent=1))
    print(table(given.section, found["rows"]), json.dumps(found["exponents"]), sep="\n")
    if given.plots and len(given.sizes) > 1 and len(section.VARIANTS) == 1:
        print(plot(given.section, found, given.plots))


if __name__ == "__main__":
    main()
