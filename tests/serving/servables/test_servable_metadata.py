"""The metadata are those of tensorflow/serving's testdata for a model of the same signatures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from recommender.serving.servables.servable import Servable

ANY_ROWS_OF_ONE = {
    "dim": [{"size": "-1", "name": ""}, {"size": "1", "name": ""}],
    "unknown_rank": False,
}


def tensor(name: str) -> dict[str, Any]:
    return {"dtype": "DT_FLOAT", "tensor_shape": ANY_ROWS_OF_ONE, "name": name}


def test_metadata_are_those_of_half_plus_two(saved_models: Any, tmp_path: Path) -> None:
    """saved_model_half_plus_two_2_versions_metadata.json, for the signatures that hold no examples."""
    folder = saved_models.place("half_plus_two", tmp_path / "00000123")
    body = Servable("half_plus_two", 123, folder).metadata_json()
    metadata = json.loads(body)
    assert metadata["model_spec"] == {"name": "half_plus_two", "signature_name": "", "version": "123"}
    assert list(metadata) == ["model_spec", "metadata"]
    signatures = metadata["metadata"]["signature_def"]["signature_def"]
    assert signatures["serving_default"] == {
        "inputs": {"x": tensor("x:0")},
        "outputs": {"y": tensor("y:0")},
        "method_name": "tensorflow/serving/predict",
        "defaults": {},
    }
    assert signatures["classify_x2_to_y3"] == {
        "inputs": {"inputs": tensor("x2:0")},
        "outputs": {"scores": tensor("y3:0")},
        "method_name": "tensorflow/serving/classify",
        "defaults": {},
    }
    assert signatures.keys() == {
        "serving_default",
        "regress_x_to_y",
        "regress_x_to_y2",
        "regress_x2_to_y3",
        "classify_x_to_y",
        "classify_x2_to_y3",
    }


def test_metadata_are_laid_out_as_serving_puts_them_together(saved_models: Any, tmp_path: Path) -> None:
    """ToJsonString of http_rest_api_util.cc joins two pieces of JSON, each with a line break at its end."""
    folder = saved_models.place("without_inputs", tmp_path / "1")
    body = Servable('a "name"', 1, folder).metadata_json().decode()
    head = '{\n"model_spec":{\n "name": "a \\"name\\"",\n "signature_name": "",\n "version": "1"\n}\n,\n'
    assert body.startswith(head + '"metadata": {"signature_def": {\n "signature_def": {\n')
    assert body.endswith("\n }\n}\n}\n}\n")
