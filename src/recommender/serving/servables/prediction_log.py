"""The messages of warm-up requests, and where in a version's folder they are.

As in apis/prediction_log.proto, predict.proto, classification.proto, regression.proto, input.proto and
model.proto of TensorFlow Serving. Tensors and Examples are left serialized, which is the same on the wire.
"""

from __future__ import annotations

from pathlib import Path

from recommender.serving.servables.protobuf_messages import message_types

PLACE = Path("assets.extra") / "tf_serving_warmup_requests"

PREDICTION_LOG = message_types(
    {
        "PredictionLog": [
            "oneof log_type: ExamplesLog classify_log = 2",
            "oneof log_type: ExamplesLog regress_log = 3",
            "oneof log_type: PredictLog predict_log = 6",
        ],
        "PredictLog": ["PredictRequest request = 1"],
        "PredictRequest": ["ModelSpec model_spec = 1", "map<string, bytes> inputs = 2"],
        "ExamplesLog": ["ExamplesRequest request = 1"],
        "ExamplesRequest": ["ModelSpec model_spec = 1", "Input input = 2"],
        "Input": [
            "oneof kind: ExampleList example_list = 1",
            "oneof kind: ExampleListWithContext example_list_with_context = 2",
        ],
        "ExampleList": ["repeated bytes examples = 1"],
        "ExampleListWithContext": ["repeated bytes examples = 1", "bytes context = 2"],
        "ModelSpec": ["string name = 1", "string signature_name = 3"],
    }
)["PredictionLog"]
