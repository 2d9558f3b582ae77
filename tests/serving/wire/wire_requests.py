"""What the tests of this folder share: reading a predict request for inputs of given types."""

from __future__ import annotations

import json
from typing import Any

import pytest

from recommender.serving.status import ServingError
from recommender.serving.tensors import TensorInfo
from recommender.serving.wire.predict_request import PredictRequest, read_predict_request


def inputs_of_types(**dtypes: str) -> dict[str, TensorInfo]:
    return {name: TensorInfo(f"{name}:0", dtype, None) for name, dtype in dtypes.items()}


def body_of(content: Any) -> bytes:
    """A body; text is taken as it is."""
    return content.encode() if isinstance(content, str) else json.dumps(content).encode()


def read(content: Any, **dtypes: str) -> PredictRequest:
    inputs = inputs_of_types(**dtypes)
    return read_predict_request(body_of(content), lambda signature_name: inputs)


def error_of(content: Any, **dtypes: str) -> str:
    """The message with which a request is refused."""
    with pytest.raises(ServingError) as raised:
        read(content, **dtypes)
    assert raised.value.http_status in (400, 501)
    return raised.value.message
