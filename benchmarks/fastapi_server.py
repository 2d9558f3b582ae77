"""The server that people write first: FastAPI, standard json, the SavedModel's signature as it comes.

    python benchmarks/fastapi_server.py FOLDER PORT

It checks nothing. benchmarks/serving.py measures the model server beside it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from recommender.tensorflow_start import start_tensorflow

start_tensorflow()

import tensorflow as tf  # noqa: E402
import uvicorn  # noqa: E402
from fastapi import FastAPI, Request  # noqa: E402
from fastapi.responses import JSONResponse  # noqa: E402


def rows_to_columns(body: dict[str, Any], names: list[str]) -> dict[str, list[Any]]:
    """Both forms of a request as columns."""
    if "inputs" in body:
        return body["inputs"] if isinstance(body["inputs"], dict) else {names[0]: body["inputs"]}
    rows = body["instances"]
    if isinstance(rows[0], dict):
        return {name: [row[name] for row in rows] for name in names}
    return {names[0]: rows}


def columns_to_rows(outputs: dict[str, Any]) -> list[Any]:
    """The answer to a request in rows."""
    if len(outputs) == 1:
        return next(iter(outputs.values()))
    return [dict(zip(outputs, values, strict=True)) for values in zip(*outputs.values(), strict=True)]


def make_app(folder: Path) -> FastAPI:
    """The application, with the model of a version folder."""
    app = FastAPI()
    model = tf.saved_model.load(str(folder))
    signature = model.signatures["serving_default"]
    specs = signature.structured_input_signature[1]

    @app.post("/v1/models/{name}:predict")
    async def predict(name: str, request: Request) -> JSONResponse:
        body = json.loads(await request.body())
        columns = rows_to_columns(body, list(specs))
        tensors = {key: tf.constant(values, specs[key].dtype) for key, values in columns.items()}
        outputs = {key: tensor.numpy().tolist() for key, tensor in signature(**tensors).items()}
        if "inputs" in body:
            return JSONResponse({"outputs": outputs})
        return JSONResponse({"predictions": columns_to_rows(outputs)})

    return app


if __name__ == "__main__":
    uvicorn.run(make_app(Path(sys.argv[1])), port=int(sys.argv[2]), access_log=False, log_level="warning")
