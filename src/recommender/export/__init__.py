"""A trained recommender as one folder that TensorFlow Serving serves, with the record of what it is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from recommender.config import Settings
from recommender.data.folders import complete_or_absent
from recommender.data.prepared import Prepared
from recommender.errors import RecommenderError
from recommender.export.inputs import signature_inputs
from recommender.export.model_card import model_card
from recommender.export.provenance import provenance
from recommender.export.serving_module import ServingModule
from recommender.export.smoke import write_smoke
from recommender.export.warmup import write_warmup_requests
from recommender.training import Trained


def export(
    settings: Settings, prepared: Prepared, trained: Trained, metrics: Mapping[str, Any], folder: Path
) -> None:
    """Write a complete version to `folder`, which appears whole or not at all.

    SavedModel with warm-up requests, `smoke.json` (a request and its answer), `metrics.json` (`metrics` as
    they are), `model-card.md`, `config.yaml`, `provenance.json`. Raises `RecommenderError` where `folder`
    exists.
    """
    if folder.exists():
        raise RecommenderError(
            f"{folder}: a version is never written over, expected a folder that is not there"
        )
    started = datetime.now(UTC)
    with complete_or_absent(folder) as building:
        _write(building / "metrics.json", _json(metrics))
        _write(building / "config.yaml", settings.to_yaml())
        module = ServingModule(settings, prepared, trained)
        _save_model(module, settings, prepared, building)
        write_smoke(prepared, building)
        _write(
            building / "model-card.md",
            model_card(settings, prepared, trained.order.order, metrics, module.moment),
        )
        _write(building / "provenance.json", _json(provenance(settings, prepared.schema, started)))


def _save_model(module: ServingModule, settings: Settings, prepared: Prepared, folder: Path) -> None:
    tf.saved_model.save(module, str(folder), module.signatures())
    movie_id, title = prepared.movies[["movie_id", "title"]].iloc[0]
    examples = {
        "user_id": prepared.users["user_id"].iloc[0],
        "timestamp": module.moment,
        "movie_title": title,
        **dict.fromkeys(("movie_id", "movie_ids", "movie"), movie_id),
        "k": 10,
        "retrieved": np.zeros((1, len(prepared.movies) + 1), np.float32),
    }
    write_warmup_requests(signature_inputs(), examples, settings.workflow.name, folder)


def _json(content: Mapping[str, Any]) -> str:
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
