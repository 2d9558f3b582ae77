"""Both protocols from end to end, on generated data and for an epoch."""

import json
import sys

import pytest

SYNTHETIC = ["data.dataset=synthetic", "data.synthetic={users: 80, movies: 150, ratings: 4000}"]

pytestmark = pytest.mark.slow


@pytest.fixture
def run(monkeypatch, tmp_path):
    """Runs a command's `main` in a folder of its own; returns what it wrote as JSON, and its picture."""

    def run(module, *arguments: str):
        folders = [
            "--home",
            str(tmp_path),
            "--output",
            str(tmp_path / "found.json"),
            "--plots",
            str(tmp_path),
        ]
        monkeypatch.setattr(sys, "argv", ["command", "--seeds", "1", *folders, *arguments])
        module.main()
        (picture,) = tmp_path.glob("*.png")
        return json.loads((tmp_path / "found.json").read_text()), picture

    return run


def test_the_ncf_protocol_measures_every_model(run, monkeypatch, capsys):
    import ncf_protocol

    monkeypatch.setattr(ncf_protocol, "DATA", [*SYNTHETIC, "data.split=leave_last"])
    monkeypatch.setattr(ncf_protocol, "NEUMF", [*ncf_protocol.NEUMF, "training.epochs=1"])
    monkeypatch.setattr(
        ncf_protocol,
        "RETRIEVAL",
        ["retrieval.training={epochs: 1}", "retrieval.embedding_size=8", "retrieval.refit=false"],
    )
    found, picture = run(ncf_protocol)
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert {"neumf", "two_tower_retrieval", "popularity", "item_knn", "markov_chain + ease"} <= set(
        found["models"]
    )
    for name, (line,) in found["models"].items():
        assert 0.3 < line["auc"] <= 1, name
        assert 0 <= line["ndcg@10"] <= line["hit_rate@10"] <= 1, name
    assert len(found["models"]["neumf"][0]["loss"]) == 1
    assert "| neumf |" in capsys.readouterr().out


def test_the_dlrm_protocol_has_curves_of_every_fold_and_one_reading_of_test(run, monkeypatch, capsys):
    import dlrm_protocol

    monkeypatch.setattr(dlrm_protocol, "DLRM", [*dlrm_protocol.DLRM, *SYNTHETIC[1:], "training.epochs=2"])
    found, picture = run(dlrm_protocol, "--dataset", "synthetic")
    assert picture.read_bytes().startswith(b"\x89PNG")
    for name, (line,) in found["models"].items():
        assert len(line["folds"]) == 3
        for fold, kept in zip(line["folds"], line["cross_validation"]["log_loss"], strict=True):
            assert len(fold["auc"]) == len(fold["log_loss"]) > fold["best"]
            assert fold["log_loss"][fold["best"]] == pytest.approx(min(fold["log_loss"])), name
            assert fold["log_loss"][fold["best"]] == pytest.approx(kept, abs=1e-4), name
        assert line["test"]["auc"] > 0.5, name
    assert "| lightgbm |" in capsys.readouterr().out
