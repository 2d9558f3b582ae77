"""Classify and regress: the cases of tensorflow_serving/util/json_tensor_test.cc, rules of json_tensor.cc.

Names in comments are those of the cases there.
"""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from wire_requests import body_of

from recommender.serving.status import ServingError
from recommender.serving.wire.examples import (
    read_examples_request,
    write_classifications,
    write_regressions,
)


def examples_of(content):
    """Each example as feature -> (kind, values)."""
    from tensorflow.core.example import example_pb2

    examples = []
    for serialized in read_examples_request(body_of(content)).examples:
        features = example_pb2.Example.FromString(serialized).features.feature
        kinds = {name: feature.WhichOneof("kind") for name, feature in features.items()}
        examples.append(
            {name: kind and (kind, list(getattr(features[name], kind).value)) for name, kind in kinds.items()}
        )
    return examples


def error_of(content):
    with pytest.raises(ServingError) as raised:
        read_examples_request(body_of(content))
    assert raised.value.http_status == 400
    return raised.value.message


# RequestNoContext
def test_features_take_the_kind_of_their_values():
    examples = [
        {"names": ["foo", "bar"], "ratings": [8.0, 9.0], "age": 20},
        {"names": ["baz"], "ratings": 6.0},
    ]
    assert examples_of({"examples": examples}) == [
        {
            "names": ("bytes_list", [b"foo", b"bar"]),
            "ratings": ("float_list", [8.0, 9.0]),
            "age": ("int64_list", [20]),
        },
        {"names": ("bytes_list", [b"baz"]), "ratings": ("float_list", [6.0])},
    ]
    assert read_examples_request(body_of({"examples": examples})).signature_name == ""


# RequestWithContextAndSignature
def test_the_context_is_part_of_every_example():
    body = """{"signature_name": "custom", "context": {"query": "pizza", "location": ["sfo"]}, "examples": [
        {"names": ["foo", "bar"], "ratings": [8.0, 9.0, NaN, Infinity], "age": 20},
        {"names": ["baz", {"b64": "aGVsbG8="}], "ratings": 6.0, "intboolmix": [1, true, false]},
        {"names": "bar", "ratings": -Infinity, "query": "taco"}]}"""
    assert read_examples_request(body.encode()).signature_name == "custom"
    first, second, third = examples_of(body)
    for example, query in ((first, b"pizza"), (second, b"pizza"), (third, b"taco")):
        assert example["query"] == ("bytes_list", [query])
        assert example["location"] == ("bytes_list", [b"sfo"])
    assert math.isnan(first["ratings"][1].pop(2))
    assert first["ratings"] == ("float_list", [8.0, 9.0, math.inf])
    assert second["names"] == ("bytes_list", [b"baz", b"hello"])
    assert second["intboolmix"] == ("int64_list", [1, 1, 0])
    assert third["ratings"] == ("float_list", [-math.inf])


# JsonErrors
@pytest.mark.parametrize(
    ("content", "error"),
    [
        (
            {"signature_name": ["hello"], "examples": [{"names": ["foo", "bar"]}]},
            " not formatted correctly. 'signature_name' key must be a string value.",
        ),
        ({"context": [{"names": ["foo", "bar"]}]}, "Example must be JSON object but got JSON Array"),
        ({"examples": {"names": ["foo"]}}, " Expecting 'examples' value to be an list/array"),
        ({"examples": []}, 'JSON Value: {\n    "examples": []\n} \'examples\' value is an empty array'),
        ({"examples": [[{"names": ["foo"]}]]}, "Example must be JSON object but got JSON Array"),
        ({"examples": [True]}, "Example must be JSON object but got JSON True"),
        ({"examples": [{"a": [10, None]}]}, "Feature: a has element with unexpected JSON type: Null"),
        ({"examples": [{"a": [10, 10.0]}]}, "Unexpected element type in feature: a expecting type: int64"),
        ({"examples": [{"a": [1.0, "a"]}]}, "Unexpected element type in feature: a expecting type: float"),
        ({"examples": [{"a": ["a", 1]}]}, "Unexpected element type in feature: a expecting type: bytes"),
        ({"examples": [{"a": [1, {"b64": ""}]}]},
         "Unexpected element type in feature: a expecting type: int64"),
        ({"examples": [{"a": [1, {"test": 1}]}]}, "Feature: a has element with unexpected JSON type: Object"),
        ({"examples": [{"a": [[10], 20]}]}, "Feature: a has element with unexpected JSON type: Array"),
        ({"examples": [{"a": [20, 18446744073709551603]}]},
         "Feature: a has uint64_t element. Only int64_t is supported."),
        ({"examples": [{"names": {"b64": "?"}}]}, "Unable to base64 decode"),
        ({}, "JSON Value: {} When method is classify, key 'examples' is expected and was not found"),
        ("", "JSON Parse error: The document is empty"),
        ("[]", "JSON Value: [] Is not object"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_as_serving_says_it(content, error):
    message = error_of(content)
    assert message.endswith(error) if error.startswith(" ") else message == error


def test_the_last_of_two_features_of_one_name_counts():
    assert examples_of('{"examples": [{"a": 1, "a": ["x"]}]}') == [{"a": ("bytes_list", [b"x"])}]


def test_a_feature_without_values_has_no_kind():
    assert examples_of({"examples": [{"a": []}, {}]}) == [{"a": None}, {}]


@pytest.mark.parametrize(
    ("number", "value"), [(1e300, math.inf), (-1e300, -math.inf), (0.1, float(np.float32(0.1)))]
)
def test_decimals_are_float32(number, value):
    assert examples_of({"examples": [{"a": number}]}) == [{"a": ("float_list", [value])}]


# JsonFromClassificationResult
def test_classes_are_pairs_of_label_and_score():
    results = [[(b"car", 0.2), (b"bike", 0.7), (b"bus", 0.1)], [(b"", 0.7)], []]
    text = write_classifications(results)
    assert text.decode() == (
        '{\n    "results": [[["car", 0.2], ["bike", 0.7], ["bus", 0.1]], [["", 0.7]], []\n    ]\n}'
    )


# JsonFromRegressionResult, JsonFromRegressionResultWithNonFinite
def test_regressions_are_numbers():
    assert write_regressions([0.2, 0.9, 1.0]) == b'{\n    "results": [0.2, 0.9, 1.0]\n}'
    assert write_regressions([0.2, math.inf, 1.0, -math.inf, math.nan]) == (
        b'{\n    "results": [0.2, Infinity, 1.0, -Infinity, NaN]\n}'
    )


def test_long_results_hold_the_same_values():
    values = np.random.default_rng(0).standard_normal(500).astype(np.float32)
    assert np.float32(json.loads(write_regressions(values.tolist()))["results"]).tolist() == values.tolist()
    classes = [[(b"a,b", value), (b"c", 0.5)] for value in values.tolist()]
    answer = json.loads(write_classifications(classes))["results"]
    assert [np.float32(example[0][1]) for example in answer] == values.tolist()
    assert {tuple(label for label, _ in example) for example in answer} == {("a,b", "c")}


# JsonFromResultErrors
def test_empty_results_cannot_be_written():
    with pytest.raises(ServingError, match=r"^Cannot convert empty ClassificationResults to JSON$"):
        write_classifications([])
    with pytest.raises(ServingError, match=r"^Cannot convert empty RegressionResults to JSON$"):
        write_regressions([])
