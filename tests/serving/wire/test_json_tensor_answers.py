"""Answers of predict: the cases of tensorflow_serving/util/json_tensor_test.cc, and the layout of its writer.

The layout is that of rapidjson's PrettyWriter (rapidjson/prettywriter.h) with the format options that
json_tensor.cc sets. Names in comments are those of the cases there.
"""

from __future__ import annotations

import json
import math

import numpy as np
import orjson
import pytest

from recommender.serving.status import ServingError
from recommender.serving.wire.predictions import FEW_NUMBERS, write_predictions

INTEGERS = np.array([[[1, 2], [3, 4], [5, 6]], [[7, 8], [9, 0], [1, 2]]], np.int32)


def strings(*values):
    return np.array(values, object)


def rows(**outputs):
    return json.loads(write_predictions(outputs, True))["predictions"]


def columns(**outputs):
    return json.loads(write_predictions(outputs, False))["outputs"]


def error_of(row_form=True, **outputs):
    with pytest.raises(ServingError) as raised:
        write_predictions(outputs, row_form)
    assert raised.value.http_status == 400
    return raised.value.message


# FromJsonSingleTensor
def test_a_sole_output_loses_its_name():
    assert rows(int_tensor=INTEGERS) == INTEGERS.tolist()
    assert columns(int_tensor=INTEGERS) == INTEGERS.tolist()


# FromJsonSingleScalarTensor
def test_rows_of_scalars_are_a_list_of_scalars():
    values = np.arange(1, 6, dtype=np.int32)
    assert rows(int_tensor=values) == columns(int_tensor=values) == [1, 2, 3, 4, 5]


# FromJsonSingleBytesTensor
def test_outputs_named_bytes_are_base64():
    values = strings([b"hello", b"world"], [b"tf", b"serving"])
    encoded = [[{"b64": "aGVsbG8="}, {"b64": "d29ybGQ="}], [{"b64": "dGY="}, {"b64": "c2VydmluZw=="}]]
    assert rows(str_tensor_bytes=values) == columns(str_tensor_bytes=values) == encoded
    assert rows(int_bytes=np.array([1])) == [1]


# FromJsonSingleFloatTensorSixDigitPrecision
def test_six_digits_are_written_where_they_are_enough():
    values = np.array([[9000000, 999999, 0.5], [0.0003, 0.00003, 555557.5]], np.float32)
    text = write_predictions({"float_tensor": values}, True)
    assert text == (b'{\n    "predictions": [[9e+06, 999999.0, 0.5], [0.0003, 3e-05, 555557.5]\n    ]\n}')


# FromJsonSingleFloatTensorNonFinite
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("copies", [1, 100])
def test_what_is_no_number_is_a_bare_token(dtype, copies):
    values = np.array([[math.nan, math.inf], [3, -math.inf]] * copies, dtype)
    text = write_predictions({"float_tensor": values}, True).decode()
    assert text.replace(" ", "").replace("\n", "") == (
        '{"predictions":[' + ",".join(["[NaN,Infinity],[3.0,-Infinity]"] * copies) + "]}"
    )
    assert write_predictions({"a": values, "b": values}, True).count(b"-Infinity") == 2 * copies
    assert write_predictions({"a": values, "b": values}, False).count(b"NaN") == 2 * copies


# FromJsonSingleTensorErrors
def test_what_cannot_be_written_is_said_as_serving_says_it():
    assert error_of() == "Cannot convert empty tensor map to JSON"
    assert error_of(tensor=np.array([1j, 2j], np.complex64)) == (
        "Failed to write JSON value for tensor type: complex64"
    )
    assert error_of(tensor=np.array([1], np.float16)) == "Failed to write JSON value for tensor type: half"
    assert error_of(tensor=np.array([1], np.uint16)) == "Failed to write JSON value for tensor type: uint16"
    assert error_of(tensor=np.array(1)) == "Tensor name: tensor has no shape information "


# FromJsonMultipleNamedTensors
def test_several_outputs_are_objects():
    outputs = {
        "int_tensor": INTEGERS,
        "str_tensor": strings([b"foo", b"bar"], [b"baz", b"bat"]),
        "float_tensor": np.array([[1.0], [2.0]], np.float32),
        "double_scalar_tensor": np.array([8.0, 9.0]),
        "str_tensor_bytes": strings([b"hello", b"world"], [b"tf", b"serving"]),
    }
    encoded = [[{"b64": "aGVsbG8="}, {"b64": "d29ybGQ="}], [{"b64": "dGY="}, {"b64": "c2VydmluZw=="}]]
    expected = {
        "double_scalar_tensor": [8.0, 9.0],
        "float_tensor": [[1.0], [2.0]],
        "int_tensor": INTEGERS.tolist(),
        "str_tensor": [["foo", "bar"], ["baz", "bat"]],
        "str_tensor_bytes": encoded,
    }
    assert columns(**outputs) == expected
    assert list(columns(**outputs)) == sorted(outputs)
    assert rows(**outputs) == [{name: expected[name][row] for name in expected} for row in (0, 1)]


# FromJsonMultipleNamedTensorsErrors, FromJsonMultipleZeroBatchTensorsErrors
@pytest.mark.parametrize("batch_size", [2, 0])
def test_rows_need_one_batch_size(batch_size):
    error = error_of(int_tensor=np.zeros((batch_size, 3), int), str_tensor=strings([b"foo", b"bar"]))
    assert error == f"Tensor name: str_tensor has inconsistent batch size: 1 expecting: {batch_size}"
    assert columns(a=np.zeros((2, 1), int), b=np.zeros(3, int)) == {"a": [[0], [0]], "b": [0, 0, 0]}


# FromJsonSingleZeroBatchTensor, FromJsonMultipleZeroBatchTensors
def test_an_empty_batch_has_no_predictions():
    assert (
        write_predictions({"int_tensor": np.empty((0, 2), np.int32)}, True) == b'{\n    "predictions": []\n}'
    )
    outputs = {"str_tensor": np.empty((0, 1, 2), object), "float_tensor": np.empty((0, 3, 4), np.float32)}
    assert rows(**outputs) == []
    assert columns(**outputs) == {"float_tensor": [], "str_tensor": []}


ONE_OUTPUT_IN_ROWS = """\
{
    "predictions": [3.5, 4.0, 5.5
    ]
}"""
TWO_OUTPUTS_IN_ROWS = """\
{
    "predictions": [
        {
            "a": 1.5,
            "b_bytes": [{
                    "b64": "eA=="
                }]
        },
        {
            "a": 2.0,
            "b_bytes": [{
                    "b64": "eQ=="
                }]
        }
    ]
}"""
SOLE_BYTES_IN_ROWS = """\
{
    "predictions": [{
            "b64": "eA=="
        }
    ]
}"""
ONE_OUTPUT_IN_COLUMNS = """\
{
    "outputs": [
        [
            1,
            2
        ],
        [
            3,
            4
        ]
    ]
}"""
TWO_OUTPUTS_IN_COLUMNS = """\
{
    "outputs": {
        "a": 7,
        "b_bytes": [
            {
                "b64": "eA=="
            }
        ],
        "c": [
            [],
            []
        ]
    }
}"""


@pytest.mark.parametrize(
    ("outputs", "row_form", "text"),
    [
        ({"y": np.array([3.5, 4.0, 5.5], np.float32)}, True, ONE_OUTPUT_IN_ROWS),
        ({"a": np.array([1.5, 2.0]), "b_bytes": strings([b"x"], [b"y"])}, True, TWO_OUTPUTS_IN_ROWS),
        ({"y": np.array([[1, 2], [3, 4]])}, False, ONE_OUTPUT_IN_COLUMNS),
        (
            {"a": np.array(7), "b_bytes": strings(b"x"), "c": np.empty((2, 0), np.float32)},
            False,
            TWO_OUTPUTS_IN_COLUMNS,
        ),
        ({"y": np.array(2.5)}, False, '{\n    "outputs": 2.5\n}'),
        ({"y_bytes": strings(b"x")}, True, SOLE_BYTES_IN_ROWS),
    ],
)  # fmt: skip
def test_short_answers_are_laid_out_byte_for_byte_as_serving_does(outputs, row_form, text):
    assert write_predictions(outputs, row_form).decode() == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.1, "0.1"), (1 / 3, "0.333333343"), (100000, "100000.0"), (1234567, "1234567.0"), (1e6, "1e+06"),
        (1e-4, "0.0001"), (1e-5, "1e-05"), (3.4028235e38, "3.40282347e+38"), (-0.0, "-0.0"),
        (16777216, "16777216.0"),
    ],
)  # fmt: skip
def test_decimals_of_short_answers_are_those_of_serving(value, text):
    """`WriteDecimal` of json_tensor.cc, and issues 989, 1014 and 1332 of tensorflow/serving."""
    assert write_predictions({"y": np.array([value], np.float32)}, True) == (
        b'{\n    "predictions": [%b\n    ]\n}' % text.encode()
    )


def test_float64_has_digits_of_its_own():
    text = write_predictions({"y": np.array([0.1, 1 / 3, 1e22])}, True)
    assert b"[0.1, 0.33333333333333331, 1e+22\n" in text


@pytest.mark.parametrize(
    ("array", "texts"),
    [
        (np.array([True, False]), ["true", "false"]),
        (np.array([-128], np.int8), ["-128"]),
        (np.array([255], np.uint8), ["255"]),
        (np.array([-(2**63)], np.int64), ["-9223372036854775808"]),
        (np.array([2**64 - 1], np.uint64), ["18446744073709551615"]),
        (strings(b'a"\\/\b\f\n\r\t', b"\x1f\x7f", "é\U0001f600".encode()),
         ['"a\\"\\\\/\\b\\f\\n\\r\\t"', '"\\u001F\x7f"', '"é\U0001f600"']),
        (strings(b"\\u001f"), ['"\\\\u001f"']),
    ],
)  # fmt: skip
def test_values_are_written_as_rapidjson_writes_them(array, texts):
    assert write_predictions({"y": array}, True).decode() == (
        f'{{\n    "predictions": [{", ".join(texts)}\n    ]\n}}'
    )


def test_text_that_is_not_utf_8_keeps_the_body_json():
    assert rows(y=strings(b"a\xffb", b"\xed\xa0\x80")) == ["a\ufffdb", "\ufffd\ufffd\ufffd"]


@pytest.mark.parametrize("row_form", [True, False])
@pytest.mark.parametrize("shape", [(500,), (70, 1), (500, 64), (40, 3, 5), (3, 2, 4, 6), (1, 65)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64, np.bool_])
def test_long_answers_hold_the_same_values(row_form, shape, dtype):
    """Compared with what the standard json module makes of nested lists."""
    rng = np.random.default_rng(1)
    values = rng.standard_normal(shape) * 10.0 ** rng.integers(-30, 30, shape)
    values = (values > 0 if dtype == np.bool_ else values % 1e18 if dtype == np.int64 else values).astype(
        dtype
    )
    outputs = {"a": values, "text": strings(*[b"],[:null"] * shape[0]), "other": values[..., ::-1]}
    answer = orjson.loads(write_predictions(outputs, row_form))
    if row_form:
        answer = {name: [row[name] for row in answer["predictions"]] for name in outputs}
    else:
        answer = answer["outputs"]
    np.testing.assert_array_equal(np.array(answer["a"], dtype), values, strict=True)
    np.testing.assert_array_equal(np.array(answer["other"], dtype), values[..., ::-1], strict=True)
    assert answer["text"] == ["],[:null"] * shape[0]
    alone = orjson.loads(write_predictions({"a": values}, row_form))
    np.testing.assert_array_equal(np.array(next(iter(alone.values())), dtype), values, strict=True)


def test_whole_numbers_of_long_answers_keep_their_point():
    text = write_predictions({"y": np.arange(FEW_NUMBERS + 1, dtype=np.float32)}, True)
    assert text.startswith(b'{\n    "predictions": [0.0,1.0,2.0,')


def test_long_answers_with_tokens_are_split_into_the_right_rows():
    values = np.arange(600, dtype=np.float32).reshape(200, 3)
    values[::7, 1] = np.nan
    values[5] = [np.inf, -np.inf, np.nan]
    text = write_predictions({"a": values, "b": values[:, 0]}, True)
    answer = json.loads(text)["predictions"]
    np.testing.assert_array_equal(np.array([row["a"] for row in answer], np.float32), values)
    np.testing.assert_array_equal(np.array([row["b"] for row in answer], np.float32), values[:, 0])
