"""Predict requests: the cases of tensorflow_serving/util/json_tensor_test.cc, the rules of json_tensor.cc.

Names in comments are those of the cases there, in the newest version with the iterative parser.
"""

from __future__ import annotations

import json

import numpy as np
import pytest
from wire_requests import body_of, error_of, inputs_of_types, read

from recommender.serving.status import ServingError, invalid
from recommender.serving.wire.predict_request import read_predict_request

NO_BASE64 = " not formatted correctly for base64 data"
DOUBLE_MAX, DOUBLE_MIN = "1.79769e+308", "2.22507e-308"  # as absl::Substitute prints the limits


def same(array, expected, dtype):
    assert array.dtype == dtype
    np.testing.assert_array_equal(array, np.array(expected, dtype), strict=True)


# SingleUnnamedTensor
def test_rows_of_lists_become_one_tensor():
    request = read({"instances": [[1, 2], [3, 4], [5, 6]]}, default="int32")
    assert (request.signature_name, request.row_form) == ("", True)
    same(request.inputs["default"], [[1, 2], [3, 4], [5, 6]], np.int32)


# DeeplyNestedWellFormed, 500,000 deep there
def test_what_is_nested_deeply_and_ignored_does_not_hurt():
    body = '{"instances":[1], "nested":' + "[" * 50_000 + "]" * 50_000 + "}"
    assert list(read(body, default="int32").inputs) == ["default"]


# DeeplyNestedMalformed, 500,000 deep there
def test_what_is_nested_deeply_and_wrong_is_an_error():
    body = '{"signature_name":' + "[" * 50_000 + "]" * 50_000 + "}"
    assert "key must be a string value" in error_of(body, default="int32")


# MixedInputForFloatTensor, MixedInputForDoubleTensor
@pytest.mark.parametrize(("dtype", "numpy_type"), [("float", np.float32), ("double", np.float64)])
def test_decimals_and_integers_mix_in_a_decimal_tensor(dtype, numpy_type):
    values = [1, 2.0, 3, 4, 5.003, 0.662, 0.007, 0, 0.0]
    same(read({"instances": values}, default=dtype).inputs["default"], values, numpy_type)


# FloatTensorWithPrecisionLoss
@pytest.mark.parametrize("number", ["1435774380", "1435774380.0"])
def test_numbers_that_float32_cannot_hold_are_rounded(number):
    same(read(f'{{"instances": [{number}]}}', default="float").inputs["default"], [1435774380], np.float32)


# FloatTensorThatExceedsMaxReturnsInf, FloatTensorThatExceedsMinReturnsZero
@pytest.mark.parametrize(
    ("number", "value"),
    [(DOUBLE_MAX, np.inf), ("-" + DOUBLE_MAX, -np.inf), (DOUBLE_MIN, 0.0), ("-" + DOUBLE_MIN, -0.0)],
)
def test_decimals_outside_float32_become_infinite_or_zero(number, value):
    array = read(f'{{"instances": [{number}]}}', default="float").inputs["default"]
    same(array, [value], np.float32)
    assert np.signbit(array[0]) == np.signbit(value)


# SingleUnnamedTensorWithSignature
def test_the_signature_is_the_one_asked_for():
    asked = []

    def inputs_of(signature_name):
        asked.append(signature_name)
        return inputs_of_types(default="int32")

    body = body_of({"signature_name": "predict_images", "instances": [[1, 2]]})
    request = read_predict_request(body, inputs_of)
    assert request.signature_name == "predict_images"
    assert set(asked) == {"predict_images"}
    same(request.inputs["default"], [[1, 2]], np.int32)


# TensorFromNonNullTerminatedBuffer: a body is what it is, whatever follows in memory.
def test_a_zero_byte_ends_the_body():
    same(
        read('{"instances": [[1,2],[3,4]]}\0X', default="int32").inputs["default"], [[1, 2], [3, 4]], np.int32
    )


# SingleUnnamedTensorBase64Scalars, SingleUnnamedTensorBase64Lists, SingleNamedTensorBase64
@pytest.mark.parametrize(
    ("instances", "expected"),
    [
        ([{"b64": "aGVsbG8="}, {"b64": "d29ybGQ="}], [b"hello", b"world"]),
        ([[{"b64": "aGVsbG8="}], [{"b64": "d29ybGQ="}]], [[b"hello"], [b"world"]]),
        ([{"default": [[{"b64": "aGVsbG8="}], [{"b64": "d29ybGQ="}]]}], [[[b"hello"], [b"world"]]]),
        ([{"b64": "aGVsbG8="}, "w:d"], [b"hello", b"w:d"]),
    ],
)
def test_base64_objects_are_values(instances, expected):
    same(read({"instances": instances}, default="string").inputs["default"], expected, object)


# MultipleNamedTensor
def test_rows_of_objects_become_a_tensor_for_each_name():
    body = """{"instances": [
        {"int_tensor": [[1,2],[3,4],[5,6]], "str_tensor": ["foo", "bar"],
         "float_tensor": [1.0, NaN], "dbl_tensor": [NaN]},
        {"int_tensor": [[7,8],[9,0],[1,2]], "str_tensor": ["baz", "bat"],
         "float_tensor": [2.0, Infinity], "dbl_tensor": [2.0]}]}"""
    types = {"int_tensor": "int32", "str_tensor": "string", "float_tensor": "float", "dbl_tensor": "double"}
    request = read(body, **types)
    assert request.row_form
    assert request.inputs.keys() == types.keys()
    same(request.inputs["int_tensor"], [[[1, 2], [3, 4], [5, 6]], [[7, 8], [9, 0], [1, 2]]], np.int32)
    same(request.inputs["str_tensor"], [[b"foo", b"bar"], [b"baz", b"bat"]], object)
    same(request.inputs["float_tensor"], [[1.0, np.nan], [2.0, np.inf]], np.float32)
    same(request.inputs["dbl_tensor"], [[np.nan], [2.0]], np.float64)


# SingleUnnamedTensorColumnarFormat
@pytest.mark.parametrize("named", [True, False])
def test_a_sole_column_may_leave_its_name_out(named):
    column = [[[1, 2], [3, 4], [5, 6]]]
    request = read({"inputs": {"int_tensor": column} if named else column}, int_tensor="int32")
    assert not request.row_form
    same(request.inputs["int_tensor"], column, np.int32)


# MultipleNamedTensorColumnarFormat
def test_columns_have_shapes_of_their_own():
    inputs = {
        "int_tensor": [[[1, 2], [3, 4], [5, 6]]],
        "str_tensor": ["foo", "bar"],
        "bin": {"b64": "aGVsbG8="},
    }
    request = read({"inputs": inputs}, int_tensor="int32", str_tensor="string", bin="string")
    assert not request.row_form
    same(request.inputs["int_tensor"], inputs["int_tensor"], np.int32)
    same(request.inputs["str_tensor"], [b"foo", b"bar"], object)
    same(request.inputs["bin"], b"hello", object)


# SingleUnnamedTensorErrors
@pytest.mark.parametrize(
    ("content", "error"),
    [
        ("", "JSON Parse error: The document is empty"),
        (
            {"signature_name": 5, "instances": [[1, 2], [3, 4], [5, 6, 7]]},
            " not formatted correctly. 'signature_name' key must be a string value.",
        ),
        (
            {"instances": [[1, 2], [3, 4], [5, 6, 7]], "inputs": [[1, 2], [3, 4], [5, 6, 7]]},
            " Not formatted correctly expecting only one of 'inputs' or 'instances' keys to exist ",
        ),
        (
            {"instances": [[1, 2], [3, 4], [5, 6, 7]]},
            "Failed to process element: 2 of 'instances' list. Error: INVALID_ARGUMENT: "
            "Expecting tensor size: 2 but got: 3",
        ),
        (
            {"instances": [[1, 2], [3, 4], [[5, 6]]]},
            "Failed to process element: 2 of 'instances' list. Error: INVALID_ARGUMENT: "
            "Expecting shape [2] but got: [1,2]",
        ),
        (
            {"instances": [1, [1]]},
            "Failed to process element: 1 of 'instances' list. Error: INVALID_ARGUMENT: "
            "Expecting shape [] but got: [1]",
        ),
        (
            {"instances": [[1, 2], ["a", "b"]]},
            "Failed to process element: 1 of 'instances' list. Error: INVALID_ARGUMENT: "
            'JSON Value: "a" Type: String is not of expected type: int32',
        ),
    ],
)
def test_what_is_wrong_with_rows_of_values_is_said_as_serving_says_it(content, error):
    message = error_of(content, default="int32")
    assert message.endswith(error) if error.startswith(" ") else message == error


# MultipleNamedTensorErrors
@pytest.mark.parametrize(
    ("instances", "error"),
    [
        (
            [
                {"int_tensor": [[1, 2], [3, 4], [5, 6]], "str_tensor": ["foo", "bar"]},
                {"int_tensor": [[[7, 8], [9, 0], [1, 2]]], "str_tensor": ["baz", "bat"]},
            ],
            "Failed to process element: 1 key: int_tensor of 'instances' list. Error: INVALID_ARGUMENT: "
            "Expecting shape [3,2] but got: [1,3,2]",
        ),
        (
            [
                {"int_tensor": [[1, 2], [3, 4], [5, 6], [7, 8]], "str_tensor": ["foo", "bar"]},
                {"int_tensor": [[7, 8], [9, 0], [1, 2]], "str_tensor": ["baz", "bat"]},
            ],
            "Failed to process element: 1 key: int_tensor of 'instances' list. Error: INVALID_ARGUMENT: "
            "Expecting tensor size: 8 but got: 6",
        ),
        (
            [{"int_tensor": [[1, 2]], "str_tensor": ["foo", "bar"]}, [1, 20, 30]],
            "Expecting object but got list at item 1 of input list",
        ),
        (
            [[1, 20], {"int_tensor": 1, "str_tensor": "a"}],
            "instances is a plain list, but expecting list of objects as multiple input tensors required"
            " as per tensorinfo_map",
        ),
        (
            [{"int_tensor": 1, "str_tensor": "a", "other": 2}],
            "Failed to process element: 0 key: other of 'instances' list. Error: INVALID_ARGUMENT: "
            "JSON object: does not have named input: other",
        ),
        (
            [{"int_tensor": 1, "str_tensor": "a"}, {"int_tensor": 1}],
            "Failed to process element: 1 of 'instances' list. JSON object: "
            '{\n    "int_tensor": 1\n} keys must be equal to: int_tensor,str_tensor',
        ),
        ([{}], "Failed to process element: 0 of 'instances' list. JSON object: {} keys must be equal to: "
               "int_tensor,str_tensor"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_rows_of_objects_is_said_as_serving_says_it(instances, error):
    assert error_of({"instances": instances}, int_tensor="int32", str_tensor="string") == error


def test_rows_of_values_take_no_object():
    error = error_of({"instances": [["baz", "bar"], {"str_tensor": ["baz", "bat"]}]}, str_tensor="string")
    assert error == "Expecting value/list but got object at item 1 of input list"


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ([1], "JSON Value: [\n    1\n] Is not object"),
        ("5", "JSON Value: 5 Is not object"),
        ("2.5", "JSON Value: 2.5 Is not object"),
        ("null", "JSON Value: null Is not object"),
        ({}, "Missing 'inputs' or 'instances' key"),
        (
            {"instances": 1},
            "JSON Value: {\n    \"instances\": 1\n} Expecting 'instances' to be an list/array",
        ),
        ({"instances": []}, "JSON Value: {\n    \"instances\": []\n} No values in 'instances' array"),
        (
            {"instances": {}, "inputs": {}},
            'JSON Value: {\n    "instances": {},\n    "inputs": {}\n} Not formatted correctly expecting'
            " only one of 'inputs' or 'instances' keys to exist ",
        ),
        ({"inputs": {}}, "Missing named input: x in 'inputs' object."),
    ],
)
def test_what_is_wrong_with_the_body_is_said_as_serving_says_it(content, error):
    """`ParseJson` and `FillPredictRequestFromJson` of json_tensor.cc."""
    assert error_of(content, x="float") == error


def test_several_inputs_need_names_in_column_form():
    expected = (
        "inputs is a plain value/list, but expecting an object as multiple input tensors required as per "
        "tensorinfo_map"
    )
    for columns in ([1, 2], 1, {"b64": "aGVsbG8="}):
        assert error_of({"inputs": columns}, x="string", y="string") == expected
    assert error_of({"inputs": {"x": ["a"]}}, x="string", y="string") == (
        "Missing named input: y in 'inputs' object."
    )


def test_other_keys_of_columns_are_ignored():
    request = read({"inputs": {"x": [1], "more": {"x": [2]}}, "parameters": [1]}, x="int64")
    same(request.inputs["x"], [1], np.int64)


@pytest.mark.parametrize(
    ("column", "expected"),
    [(5, 5), ([], []), ([[], []], np.empty((2, 0))), ([[[1]]], [[[1]]])],
)
def test_a_column_has_the_shape_of_its_lists(column, expected):
    same(read({"inputs": column}, x="int64").inputs["x"], expected, np.int64)


@pytest.mark.parametrize(
    ("column", "error"),
    [
        ([[1], 2], "JSON Value: 2 found at incorrect level: 2 in the JSON DOM. Expected at level: 2"),
        ([1, [2]], "Encountered list at unexpected level: 1 expected < 1"),
        ([[1], [2, 3]], "Encountered list at unexpected size: 2 at level: 1 expected size: 1"),
        ([[], [2]], "Encountered list at unexpected size: 1 at level: 1 expected size: 0"),
    ],
)
def test_ragged_lists_are_refused(column, error):
    """`FillTensorProto` of json_tensor.cc."""
    assert error_of({"inputs": column}, x="int64") == error


def test_a_tensor_of_more_dimensions_than_numpy_knows_is_refused():
    for depth in (64, 1_000, 10_000):
        assert "unexpected level" in error_of(
            '{"inputs": ' + "[" * depth + "1" + "]" * depth + "}", x="int64"
        )
    assert read('{"instances": ' + "[" * 64 + "1" + "]" * 64 + "}", x="int64").inputs["x"].ndim == 64


@pytest.mark.parametrize("form", ["instances", "inputs"])
@pytest.mark.parametrize(
    ("dtype", "values"),
    [
        ("float", [1, 2.5, -0.0, 18446744073709551615]),
        ("double", [9007199254740993, 1e308]),
        ("int32", [-(2**31), 2**31 - 1]),
        ("int64", [-(2**63), 2**63 - 1, 0]),
        ("uint32", [0, 2**32 - 1]),
        ("uint64", [0, 2**64 - 1]),
        ("bool", [True, False]),
        ("string", ["", "é\u0000", "\U0001f600"]),
    ],
)
def test_each_type_takes_its_whole_range(form, dtype, values):
    array = read({form: values}, x=dtype).inputs["x"]
    expected = [value.encode() for value in values] if dtype == "string" else values
    same(array, expected, array.dtype)


@pytest.mark.parametrize(
    ("dtype", "values"), [("uint8", [44, 255, 0]), ("int8", [44, -1, 0]), ("int16", [300, -1, 0])]
)
def test_small_integers_keep_their_low_bits(dtype, values):
    """`int_val` of TensorProto is 32 bits wide; tensor.cc casts it."""
    same(read({"instances": [300, -1, 65536]}, x=dtype).inputs["x"], values, np.dtype(dtype))


@pytest.mark.parametrize("form", ["instances", "inputs"])
@pytest.mark.parametrize(
    ("dtype", "value", "kind"),
    [
        ("float", "true", "True"), ("float", '"1"', "String"), ("double", "null", "Null"),
        ("float", '{"b64": "aGVsbG8="}', "Object"), ("int32", "1.0", "Number"), ("int64", "1e2", "Number"),
        ("int32", "2147483648", "Number"), ("uint8", "-2147483649", "Number"), ("uint32", "-1", "Number"),
        ("int64", "9223372036854775808", "Number"), ("uint64", "18446744073709551616", "Number"),
        ("uint64", "-1", "Number"), ("bool", "1", "Number"), ("bool", '"true"', "String"),
        ("string", "1", "Number"), ("int32", "false", "False"),
    ],
)  # fmt: skip
def test_types_are_strict(form, dtype, value, kind):
    """`AddValueToTensor` of json_tensor.cc."""
    message = error_of(f'{{"{form}": [{value}]}}', x=dtype)
    assert f" Type: {kind} is not of expected type: {dtype}" in message
    assert message.startswith("JSON Value: " if form == "inputs" else "Failed to process element: 0 of ")


def test_a_type_that_json_cannot_carry_is_unimplemented():
    with pytest.raises(ServingError, match=r"^Conversion of JSON Value: 1.0 to type: half$") as raised:
        read({"inputs": [1.0]}, x="half")
    assert raised.value.http_status == 501
    assert error_of({"instances": [1.0]}, x="half").endswith(
        "Error: UNIMPLEMENTED: Conversion of JSON Value: 1.0 to type: half"
    )


@pytest.mark.parametrize(
    ("value", "error"),
    [
        ('{"b64": "a"}', "Unable to base64 decode"),
        ('{"b64": "%%%%"}', "Unable to base64 decode"),
        ('{"b64": 1}', 'JSON Value: {\n    "b64": 1\n}' + NO_BASE64),
        ('{"b64": "", "c": 1}', 'JSON Value: {\n    "b64": "",\n    "c": 1\n}' + NO_BASE64),
        ("{}", "JSON Value: {}" + NO_BASE64),
    ],
)  # fmt: skip
def test_base64_must_be_base64(value, error):
    """`JsonDecodeBase64Object` of json_tensor.cc."""
    assert error_of(f'{{"inputs": [{value}]}}', x="string") == error


def test_a_signature_without_inputs_takes_nothing():
    refusal = "Failed to get input map for signature: "
    for body in ({"inputs": {}}, {"instances": [{}]}, {"instances": [1]}, {"inputs": []}, {}):
        assert error_of(body) == refusal + "DEFAULT"
        assert error_of({"signature_name": "s", **body}) == refusal + "s"


def test_json_is_read_before_the_signature_is_looked_up():
    def no_model(signature_name):
        raise invalid(f"no {signature_name}")

    for body, error in (
        (b"{", "JSON Parse error: Missing a name"),
        (b"[]", "JSON Value: [] Is not object"),
        (b'{"signature_name": "s"}', "no s"),
        (b'{"signature_name": "s", "instances": []}', "no s"),
        (b'{"signature_name": "s", "instances": [1], "signature_name": "t"}', "no s"),
    ):
        with pytest.raises(ServingError) as raised:
            read_predict_request(body, no_model)
        assert raised.value.message.startswith(error)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('{"instances": [1], "instances": [2]}', [1]),
        ('{"inputs": {"x": [1], "x": [2]}}', [1]),
        ('{"instances": [1], "other": [":"], "instances": [2]}', [1]),
        ('{"instances": [{"x": 1, "x": 2}, {"x": 3}]}', [1, 2]),  # values of a tensor are only ever added
    ],
)
def test_of_members_of_one_name_the_first_counts(body, expected):
    """rapidjson's `FindMember`, and `AddInstanceItem` of json_tensor.cc."""
    same(read(body, x="int64").inputs["x"], expected, np.int64)


def test_an_escaped_colon_does_not_hide_a_member_that_came_twice():
    body = '{"inputs": {"x": ["first"], "x": ["\\u003alast"]}}'
    same(read(body, x="string").inputs["x"], [b"first"], object)


def test_a_name_ends_at_a_zero_byte_in_rows():
    same(read('{"instances": [{"x\\u0000y": 1}]}', x="int64").inputs["x"], [1], np.int64)


def test_an_input_may_be_called_b64():
    same(read({"instances": [{"b64": 5}]}, b64="int64").inputs["b64"], [5], np.int64)
    same(read({"inputs": {"b64": [5]}}, b64="int64").inputs["b64"], [5], np.int64)
    same(read({"instances": [{"b64": "eA=="}]}, b64="string").inputs["b64"], [b"x"], object)
    same(read({"inputs": {"b64": "eA=="}}, b64="string").inputs["b64"], b"x", object)
    assert "Expecting object but got list" not in error_of({"instances": [{"b64": "x"}]}, b64="int64")


def test_a_long_request_is_read_without_a_parser_in_python(monkeypatch):
    """The path that costs microseconds a row must be the one that ordinary requests take."""
    monkeypatch.setattr("recommender.serving.wire.predict_request.parse_object", None)
    row = {"movie_title": "Star Wars: A New Hope (1977)", "timestamp": 892870992, "user_id": "5:8"}
    body = json.dumps({"signature_name": "a:b", "instances": [row] * 500})
    request = read(body, movie_title="string", timestamp="int64", user_id="string")
    assert [array.shape for array in request.inputs.values()] == [(500,)] * 3
    columns = json.dumps({"inputs": {name: [value] * 500 for name, value in row.items()}})
    assert not read(columns, movie_title="string", timestamp="int64", user_id="string").row_form
    matrix = json.dumps({"instances": np.zeros((50, 8, 8)).tolist()})
    assert read(matrix, x="float").inputs["x"].shape == (50, 8, 8)
