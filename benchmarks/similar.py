"""Similar movies by each method, on what people liked next: the figures of docs/similar.md.

    python benchmarks/similar.py --dataset ml-100k

Every method learns from the ratings before the held-out split (the embedding from the training split). A pair
of movies that one user liked right after another in the held-out split hits where the second is among the ten
nearest of the first. Beside the tables that the feature store takes stand the vectors of the retrieval model,
the ten most popular movies and ten at random. Prints a table of means over the seeds and writes all figures
as JSON.
"""

from __future__ import annotations

import argparse
import json
import shutil
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from recommender.tensorflow_start import start_tensorflow

start_tensorflow()

import numpy as np  # noqa: E402

from recommender.config import Settings, load_settings  # noqa: E402
from recommender.data.prepare import prepare  # noqa: E402
from recommender.data.prepared import Prepared  # noqa: E402
from recommender.similarity import METHODS  # noqa: E402
from recommender.similarity.comparison import co_liked_hit_rate, coverage, genre_agreement  # noqa: E402
from recommender.similarity.liked_sequences import LikedSequences  # noqa: E402
from recommender.similarity.methods import Known, similar_movies  # noqa: E402
from recommender.similarity.neighbours import LENGTH, Neighbours, nearest  # noqa: E402
from recommender.training.retrieval import train_retrieval  # noqa: E402
from recommender.whole_files import write_whole  # noqa: E402

K = 10
FIGURES = ("hit_rate", "genre_agreement", "with_neighbours", "listed", "seconds")


def tables(settings: Settings, prepared: Prepared, known: Known, folder: Path) -> dict[str, Callable]:
    """What makes the table of each method."""
    seed = settings.seed
    makers: dict[str, Callable[[], Neighbours]] = {
        "random": lambda: at_random(prepared.schema.num_movies, seed),
        "popularity": lambda: most_popular(known),
        "embedding": lambda: by_embedding(settings, prepared, folder / f"retrieval-{seed}"),
    }
    for name in METHODS:
        makers[name] = partial(similar_movies, name, known, seed)
    return makers


def at_random(num_movies: int, seed: int) -> Neighbours:
    """Other movies, drawn uniformly."""
    drawn = np.random.default_rng(seed).integers(1, num_movies, (num_movies, LENGTH))
    codes = (np.arange(num_movies)[:, np.newaxis] + drawn) % num_movies  # never the movie itself
    return Neighbours(codes.astype(np.int32), np.ones(codes.shape, np.float32))


def most_popular(known: Known) -> Neighbours:
    """The same most rated movies for each, but itself."""
    counts = np.bincount(known.ratings.movie, minlength=known.ratings.num_movies)
    best = np.argsort(-counts, kind="stable")[: LENGTH + 1].astype(np.int32)
    codes = np.stack([best[best != movie][:LENGTH] for movie in range(len(counts))])
    return Neighbours(codes, np.ones(codes.shape, np.float32))


def by_embedding(settings: Settings, prepared: Prepared, folder: Path) -> Neighbours:
    """The movie vectors of the retrieval model, as the exported signature `similar_movies` compares them."""
    shutil.rmtree(folder, ignore_errors=True)
    model, _ = train_retrieval(settings, prepared, folder)
    indices = np.arange(1, prepared.schema.num_movies + 1, dtype=np.int32)
    return nearest(np.asarray(model.movie_vectors(indices), np.float32))


def measure(table: Neighbours, known: Known, pairs: np.ndarray) -> dict[str, float]:
    """The figures of a table but for the time."""
    with_neighbours, listed = coverage(table, K)
    return {
        "hit_rate": co_liked_hit_rate(table, pairs, K),
        "genre_agreement": genre_agreement(table, known.genres, K),
        "with_neighbours": with_neighbours,
        "listed": listed,
    }


def run(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """One line for each method and seed."""
    lines = []
    for seed in arguments.seeds:
        data = [f"data.dataset={arguments.dataset}", f"data.home={arguments.home}"]
        settings = load_settings(overrides=[*data, *arguments.settings, f"seed={seed}"], environ={})
        prepared = prepare(settings)
        known = Known.of(prepared, prepared.interactions.before(arguments.split))
        held_out = LikedSequences.of(prepared.interactions.part(arguments.split), known.liked_threshold)
        pairs = held_out.consecutive()
        makers = tables(settings, prepared, known, arguments.home / "benchmark")
        for name in arguments.methods or makers:
            began = time.perf_counter()
            table = makers[name]()
            line = {"method": name, "seed": seed, "pairs": len(pairs), **measure(table, known, pairs)}
            lines.append(line | {"seconds": time.perf_counter() - began})
            print(json.dumps(lines[-1]), flush=True)
    return lines


def show(lines: list[dict[str, Any]]) -> str:
    """Means over the seeds, of the hit rate the standard deviation too, as a table."""
    rows = [f"| method | {' | '.join(FIGURES)} |", "|---" * (len(FIGURES) + 1) + "|"]
    for name in dict.fromkeys(line["method"] for line in lines):
        of_method = [line for line in lines if line["method"] == name]
        values = {figure: [line[figure] for line in of_method] for figure in FIGURES}
        cells = [f"{np.mean(found):.3f}" for found in values.values()]
        cells[0] = f"{np.mean(values['hit_rate']):.4f} ± {np.std(values['hit_rate']):.4f}"
        rows.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(rows)


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dataset", default="ml-100k")
    parser.add_argument("--home", type=Path, default=Path("data"))
    parser.add_argument("--split", choices=("validation", "test"), default="validation")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--methods", nargs="*", default=[], help="only these")
    parser.add_argument("--output", type=Path, default=Path("data/similar.json"))
    parser.add_argument("settings", nargs="*", help="KEY=VALUE")
    arguments = parser.parse_args()
    lines = run(arguments)
    print(show(lines))
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    about = {"dataset": arguments.dataset, "split": arguments.split, "k": K}
    write_whole(arguments.output, json.dumps(about | {"lines": lines}, indent=1))


if __name__ == "__main__":
    main()
