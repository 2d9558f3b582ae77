"""Put on PYTHONPATH by the tests of the workflow's mechanics: quick stand-ins for the library's heavy stages.

Every stage appends `<stage> begin|end <process> <detail>` to $STANDIN_LOG. The stage named by $STANDIN_HOLD
waits in the middle until the file $STANDIN_RELEASE is there; the one named by $STANDIN_FAIL breaks a rule.
"""

import os
import sys
import time
import types
from pathlib import Path
from types import SimpleNamespace
from typing import Any


def note(stage: str, moment: str, detail: object) -> None:
    with Path(os.environ["STANDIN_LOG"]).open("a", encoding="utf-8") as log:
        log.write(f"{stage} {moment} {os.getpid()} {detail}\n")


def work(stage: str, detail: object = "") -> None:
    from recommender.errors import DataError

    note(stage, "begin", detail)
    if os.environ.get("STANDIN_FAIL") == stage:
        raise DataError("u.data, line 7: rating must be within 1 to 5, received 9")
    while os.environ.get("STANDIN_HOLD") == stage and not Path(os.environ["STANDIN_RELEASE"]).exists():
        time.sleep(0.02)
    note(stage, "end", detail)


class Prepared:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def summary(self) -> str:
        return "stand-in: 3 ratings"


class Trained:
    pass


def prepare(settings: Any) -> Prepared:
    work("prepare")
    folder = settings.data.home / "prepared" / "stand-in"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "ratings").write_text("3", encoding="utf-8")
    return Prepared(folder)


def tune(settings: Any, prepared: Prepared, study_path: Path, worker: int) -> None:
    assert (prepared.folder / "ratings").is_file()
    work("tune", worker)
    with study_path.open("a", encoding="utf-8") as study:
        study.write(f"{worker}\n")


def best_settings(settings: Any, study_path: Path) -> Any:
    from recommender.config import resolve

    tree = settings.model_dump(mode="json")
    tree["training"]["epochs"] = len(set(study_path.read_text(encoding="utf-8").split()))
    return resolve(tree, environ={})


def take_part(settings: Any, cluster: Any, run_folder: Path, prepared_folder: Path) -> None:
    assert (prepared_folder / "ratings").is_file()
    work("fit", f"{cluster.task.number} of {len(cluster.jobs['worker'])}")
    if cluster.leads:
        (run_folder / "weights").write_text("trained", encoding="utf-8")


def train(settings: Any, prepared: Prepared, run_folder: Path) -> Trained:
    assert (prepared.folder / "ratings").is_file()
    if not (run_folder / "weights").exists():
        work("train", f"epochs={settings.training.epochs} lr={settings.training.learning_rate}")
        (run_folder / "weights").write_text("trained", encoding="utf-8")
    return Trained()


def evaluate(settings: Any, prepared: Prepared, trained: Trained) -> dict[str, Any]:
    work("evaluate")
    measured = {"item_mean": {"test": {"rmse": 1.0}}, "deep_ranking": {"test": {"rmse": 0.95}}}
    return {"dataset": "stand-in", "split": "time_range", "seed": settings.seed, "models": measured}


def export(
    settings: Any, prepared: Prepared, trained: Trained, metrics: dict[str, Any], folder: Path
) -> None:
    import json

    folder.mkdir()
    (folder / "saved_model.pb").write_text("model", encoding="utf-8")
    work("export")
    (folder / "metrics.json").write_text(json.dumps(metrics), encoding="utf-8")


def figures(run_folder: Path) -> list[Any]:
    from matplotlib.figure import Figure

    return [Figure()]


def save_figures(run_folder: Path) -> list[Path]:
    return []


def start_tensorflow() -> None:
    pass


STANDINS: dict[str, dict[str, Any]] = {
    "recommender.data.prepare": {"prepare": prepare},
    "recommender.data.prepared": {"Prepared": Prepared},
    "recommender.tuning": {"tune": tune, "best_settings": best_settings},
    "recommender.cluster.process": {"take_part": take_part},
    "recommender.training": {"train": train},
    "recommender.scoreboard": {"evaluate": evaluate},
    "recommender.export": {"export": export},
    "recommender.tracking": {"figures": figures, "save_figures": save_figures},
    "recommender.tensorflow_start": {"start_tensorflow": start_tensorflow},
}

for name, content in STANDINS.items():
    module = types.ModuleType(name)
    vars(module).update(vars(SimpleNamespace(**content)))
    sys.modules[name] = module
