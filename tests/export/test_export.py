from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from recommender.config import Settings, check
from recommender.errors import RecommenderError
from recommender.export import export
from recommender.exported import ExportedModel


def test_a_version_is_complete(version: Path) -> None:
    found = {str(path.relative_to(version)) for path in version.rglob("*") if path.is_file()}
    assert found >= {
        "saved_model.pb",
        "variables/variables.index",
        "assets.extra/tf_serving_warmup_requests",
        "metrics.json",
        "model-card.md",
        "config.yaml",
        "provenance.json",
    }


def test_nothing_is_left_beside_the_version(version: Path) -> None:
    assert [path.name for path in version.parent.iterdir()] == [version.name]


def test_metrics_are_kept_as_they_are(version: Path, metrics) -> None:
    assert json.loads((version / "metrics.json").read_text(encoding="utf-8")) == metrics


def test_the_configuration_reads_back_to_the_same_settings(version: Path, settings: Settings) -> None:
    assert check(yaml.safe_load((version / "config.yaml").read_text(encoding="utf-8"))) == settings


def test_the_card_tells_data_results_limits_and_how_to_ask(version: Path, prepared) -> None:
    card = (version / "model-card.md").read_text(encoding="utf-8")
    assert "**generated, not real.**" in card
    assert "| metric | deep_ranking | item_mean |" in card
    assert "| rows | 1,200 | 1,200 |" in card
    assert "| rmse | 0.9500 | 1.0500 |" in card
    assert "| auc | – | 0.6000 |" in card
    assert "| metric | popularity |" in card
    assert "| ndcg@10 | 0.1250 |" in card
    assert "by_history" not in card
    assert "seed 42" in card
    assert f"timestamp {prepared.interactions.timestamp.max() + 1}" in card
    assert "`serving_default`" in card
    assert "The order is by 0.700 times the score of retrieval +1.300 times the predicted rating" in card


def test_a_version_is_never_written_over(
    settings: Settings, prepared, trained, metrics, tmp_path: Path
) -> None:
    folder = tmp_path / "1"
    folder.mkdir()
    with pytest.raises(RecommenderError, match=rf"{folder}: a version is never written over"):
        export(settings, prepared, trained, metrics, folder)
    assert list(folder.iterdir()) == []


def test_a_failed_export_leaves_nothing(settings: Settings, prepared, trained, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        export(settings, prepared, trained, {"models": {}, "rmse": float("nan")}, tmp_path / "1")
    assert list(tmp_path.iterdir()) == []


def test_the_exported_model_recommends_and_finds_similar_movies(version: Path, ask) -> None:
    model = ExportedModel(version)
    recommended = model.recommend("9", 4)
    answer = ask("recommend", user_id=["9"], exclude=[[""]], k=4)
    assert [movie.movie_id.encode() for movie in recommended] == answer["movie_ids"][0].tolist()
    assert [movie.title.encode() for movie in recommended] == answer["titles"][0].tolist()
    assert [movie.score for movie in recommended] == pytest.approx(answer["scores"][0].tolist(), rel=1e-5)
    first = recommended[0]
    assert model.similar(first.title, 3) == model.similar(first.movie_id, 3)
    with pytest.raises(RecommenderError, match="no movie with the title or id 'Nix' is in the model"):
        model.similar("Nix")
