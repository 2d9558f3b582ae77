# ruff: noqa: E501 - a case is a line, however long its words
"""What the REST API answers, case by case, each with the public source of TensorFlow Serving that says so.

Models are those of `saved_models.py`, served by `served_models.py`; `half_plus_two` has the versions 123 (y = x / 2 + 2,
label stable) and 124 (y = x / 2 + 3, label canary).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

UTIL_TEST = "model_servers/http_rest_api_util_test.cc"
HANDLER_TEST = "model_servers/http_rest_api_handler_test.cc"
HANDLER = "model_servers/http_rest_api_handler.cc"
UTIL = "model_servers/http_rest_api_util.cc"
STATUS = "model_servers/get_model_status_impl.cc"
CORE = "model_servers/server_core.cc"
SERVER_TEST = "model_servers/tensorflow_model_server_test.py"
JSON = "util/json_tensor.cc"
JSON_TEST = "util/json_tensor_test.cc"
API = "g3doc/api_rest.md"
HTTP = "util/net_http/server/internal/evhttp_request.cc"
CLASSIFIER = "servables/tensorflow/classifier.cc"
COUNTER = "servables/tensorflow/testdata/export_counter.py"
REGRESSOR = "servables/tensorflow/regressor.cc"


@dataclass(frozen=True)
class Case:
    """A request and its answer: `answer` is the JSON, `error` the whole error, `says` a part of it, `text` the bytes."""

    source: str
    method: str
    target: str
    body: str | None
    status: int
    answer: Any = None
    error: str | None = None
    says: str | None = None
    text: str | None = None

    def __str__(self) -> str:
        return f"{self.method} {self.target} {self.body or ''}"[:90]


def get(source: str, target: str, status: int = 200, **expected: Any) -> Case:
    return Case(source, "GET", f"/v1/models{target}", None, status, **expected)


def post(source: str, target: str, body: str, status: int = 200, **expected: Any) -> Case:
    return Case(source, "POST", f"/v1/models/{target}", body, status, **expected)


def ask(source: str, model: str, body: str, status: int = 200, **expected: Any) -> Case:
    return post(source, f"{model}:predict", body, status, **expected)


def refused(source: str, model: str, body: str, error: str) -> Case:
    return ask(source, model, body, 400, error=error)


def malformed(source: str, method: str, target: str) -> Case:
    body = None if method == "GET" else "{}"
    return Case(source, method, target, body, 400, error=f"Malformed request: {method} {target}")


def available(version: int) -> dict[str, Any]:
    return {
        "version": str(version),
        "state": "AVAILABLE",
        "status": {"error_code": "OK", "error_message": ""},
    }


PATHS = [
    malformed(HANDLER_TEST, "GET", "/v1/foo"),
    malformed(HANDLER_TEST, "POST", "/v1/foo"),
    malformed(HANDLER_TEST, "POST", "/v1/models"),
    malformed(HANDLER_TEST, "GET", "/v1/models/debug/model_name"),
    malformed(HANDLER_TEST, "GET", "/v1/models/foo:predict"),
    malformed(HANDLER_TEST, "GET", "/v1/models/foo/version/50:predict"),
    malformed(HANDLER_TEST, "POST", "/v1/models/foo/version/50:regress"),
    malformed(HANDLER_TEST, "POST", "/v1/models/foo/versions/HELLO:regress"),
    malformed(HANDLER_TEST, "POST", "/v1/models/foo/metadata"),
    malformed(HANDLER_TEST, "POST", "/v1/models/foo/label/some_label:regress"),
    malformed(HANDLER_TEST, "POST", "/v1/models/foo/versions/50/labels/some_label:regress"),
    malformed(HANDLER_TEST, "POST", "/v1/models/foo/versions/some_label:regress"),
    malformed(UTIL, "POST", "/v1/models/half_plus_two:Predict"),
    malformed(UTIL, "POST", "/v1/models/half_plus_two:PREDICT"),
    malformed(UTIL, "POST", "/v1/models/half_plus_two:explain"),
    malformed(UTIL, "POST", "/v1/models/half_plus_two:"),
    malformed(UTIL, "POST", "/v1/models/half_plus_two"),
    malformed(UTIL, "POST", "/v1/models/:predict"),
    malformed(UTIL, "POST", "/v1/models/half_plus_two:predict/"),
    malformed(HTTP, "POST", "/v1/models/half_plus_two:predict?x=1"),
    get(HTTP, "/int32?verbose=1", 404, error="Could not find any versions of model int32?verbose=1"),
    malformed(UTIL, "GET", "/v1/models/half_plus_two/"),
    malformed(UTIL, "GET", "/v1/models/half_plus_two/versions/"),
    malformed(UTIL, "GET", "/v1/models/half_plus_two/versions/-1"),
    malformed(UTIL, "GET", "/v1/models/half_plus_two/versions/1.5"),
    malformed(UTIL, "GET", "/v1/models/half_plus_two/metadata/extra"),
    malformed(HANDLER, "PUT", "/v1/models/half_plus_two"),
    malformed(HANDLER, "PUT", "/v1/models/half_plus_two:predict"),
    malformed(HANDLER, "DELETE", "/v1/models/half_plus_two"),
    malformed(HANDLER, "OPTIONS", "/v1/models/half_plus_two:predict"),
    malformed(HANDLER, "PATCH", "/v1/models/half_plus_two"),
    get(HANDLER_TEST, "", 400, error="Missing model name in request."),
    get(UTIL, "/metadata", 404, error="Could not find any versions of model metadata"),
    post(
        HANDLER_TEST,
        "foo/versions/18446744073709551615:regress",
        "",
        400,
        error="Failed to convert version: 18446744073709551615 to numeric.",
    ),
    get(
        UTIL,
        "/half_plus_two/versions/9223372036854775808",
        400,
        error="Failed to convert version: 9223372036854775808 to numeric.",
    ),
]

STATUSES = [
    get(HANDLER_TEST, "/int32", answer={"model_version_status": [available(1)]}),
    get(SERVER_TEST, "/half_plus_two/versions/123", answer={"model_version_status": [available(123)]}),
    get(STATUS, "/half_plus_two/versions/124", answer={"model_version_status": [available(124)]}),
    get(UTIL, "/half_plus_two/versions/00124", answer={"model_version_status": [available(124)]}),
    get(STATUS, "/half_plus_two", answer={"model_version_status": [available(124), available(123)]}),
    get(
        STATUS,
        "/half_plus_two/labels/stable",
        answer={"model_version_status": [available(124), available(123)]},
    ),
    get(UTIL, "/half%5Fplus_two/versions/123", answer={"model_version_status": [available(123)]}),
    get(STATUS, "/foo", 404, error="Could not find any versions of model foo"),
    get(STATUS, "/HALF_PLUS_TWO", 404, error="Could not find any versions of model HALF_PLUS_TWO"),
    get(STATUS, "/half_plus_two/versions/99", 404, error="Could not find version 99 of model half_plus_two"),
    get(STATUS, "/foo/versions/1", 404, error="Could not find version 1 of model foo"),
    get(
        STATUS,
        "/half_plus_two/labels/none",
        answer={"model_version_status": [available(124), available(123)]},
    ),
    Case(UTIL, "GET", "/V1/Models/int32", None, 200, {"model_version_status": [available(1)]}),
    get(
        HANDLER_TEST,
        "/int32",
        text="{\n"
        ' "model_version_status": [\n'
        "  {\n"
        '   "version": "1",\n'
        '   "state": "AVAILABLE",\n'
        '   "status": {\n'
        '    "error_code": "OK",\n'
        '    "error_message": ""\n'
        "   }\n"
        "  }\n"
        " ]\n"
        "}\n",
    ),
    get(
        "servables/tensorflow/get_model_metadata_impl.cc",
        "/foo/metadata",
        404,
        error="Servable not found for request: Latest(foo)",
    ),
    get(
        "servables/tensorflow/get_model_metadata_impl.cc",
        "/half_plus_two/versions/99/metadata",
        404,
        error="Servable not found for request: Specific(half_plus_two, 99)",
    ),
    get(
        SERVER_TEST,
        "/int32/metadata",
        answer={
            "model_spec": {"name": "int32", "signature_name": "", "version": "1"},
            "metadata": {
                "signature_def": {
                    "signature_def": {
                        "serving_default": {
                            "inputs": {
                                "x": {
                                    "dtype": "DT_INT32",
                                    "tensor_shape": {
                                        "dim": [{"size": "-1", "name": ""}],
                                        "unknown_rank": False,
                                    },
                                    "name": "x:0",
                                }
                            },
                            "outputs": {
                                "y": {
                                    "dtype": "DT_INT32",
                                    "tensor_shape": {
                                        "dim": [{"size": "-1", "name": ""}],
                                        "unknown_rank": False,
                                    },
                                    "name": "y:0",
                                }
                            },
                            "method_name": "tensorflow/serving/predict",
                            "defaults": {},
                        }
                    }
                }
            },
        },
    ),
]

MODELS = [
    ask(HANDLER_TEST, "foo", '{"instances": [1]}', 404, error="Servable not found for request: Latest(foo)"),
    ask(
        HANDLER_TEST,
        "foo/versions/50",
        '{"instances": [1]}',
        404,
        error="Servable not found for request: Specific(foo, 50)",
    ),
    ask(
        HANDLER_TEST,
        "half_plus_two/versions/99",
        '{"instances": [1]}',
        404,
        error="Servable not found for request: Specific(half_plus_two, 99)",
    ),
    ask(
        HANDLER_TEST,
        "half_plus_two/labels/Version_Nonexistent",
        '{"instances": [1]}',
        400,
        error="Unrecognized servable version label: Version_Nonexistent",
    ),
    ask(HANDLER, "foo", "", 400, error="JSON Parse error: The document is empty"),
    ask(HANDLER, "foo", "[]", 400, says="Is not object"),
    ask(HANDLER, "foo", '{"signature_name": 1}', 400, says="'signature_name' key must be a string value."),
    ask(HANDLER, "foo", "{}", 404, error="Servable not found for request: Latest(foo)"),
    post(
        HANDLER,
        "foo:classify",
        '{"examples": [{}]}',
        404,
        error="Servable not found for request: Latest(foo)",
    ),
    post(
        HANDLER, "foo:regress", '{"examples": [{}]}', 404, error="Servable not found for request: Latest(foo)"
    ),
    post(
        HANDLER, "foo:regress", '{"examples": 1}', 400, says="Expecting 'examples' value to be an list/array"
    ),
    refused(
        HANDLER,
        "half_plus_two",
        '{"signature_name": "none", "instances": [1.0]}',
        'Serving signature name: "none" not found in signature def',
    ),
    ask(
        "model_servers/server_core.cc",
        "broken",
        '{"instances": [1.0]}',
        404,
        error="Servable not found for request: Latest(broken)",
    ),
    ask(CORE, "partly", '{"instances": [1.0]}', answer={"predictions": [2.5]}),
    ask(
        CORE,
        "partly/versions/2",
        '{"instances": [1.0]}',
        404,
        error="Servable not found for request: Specific(partly, 2)",
    ),
]

PREDICT = [
    ask(
        HANDLER_TEST,
        "half_plus_two/versions/123",
        '{"instances": [[1.0, 2.0], [3.0, 4.0]]}',
        answer={"predictions": [[2.5, 3.0], [3.5, 4.0]]},
    ),
    ask(
        HANDLER_TEST,
        "half_plus_two/versions/123",
        '{"instances": [1.0, 2.0]}',
        answer={"predictions": [2.5, 3.0]},
    ),
    ask(
        HANDLER_TEST,
        "half_plus_two/labels/stable",
        '{"instances": [1.0, 2.0]}',
        answer={"predictions": [2.5, 3.0]},
    ),
    ask(
        HANDLER_TEST,
        "half_plus_two/labels/canary",
        '{"instances": [1.0, 2.0]}',
        answer={"predictions": [3.5, 4.0]},
    ),
    ask(CORE, "half_plus_two", '{"instances": [1.0, 2.0]}', answer={"predictions": [3.5, 4.0]}),
    ask(
        HANDLER_TEST,
        "half_plus_two/versions/123",
        '{"signature_name": "serving_default", "instances": [3.0, 4.0]}',
        answer={"predictions": [3.5, 4.0]},
    ),
    ask(
        HANDLER_TEST,
        "half_plus_two/versions/123",
        '{"signature_name": "serving_default", "inputs": [3.0, 4.0]}',
        answer={"outputs": [3.5, 4.0]},
    ),
    ask(
        HANDLER,
        "half_plus_two/versions/123",
        '{"signature_name": "", "instances": [3.0]}',
        answer={"predictions": [3.5]},
    ),
    ask(
        SERVER_TEST,
        "half_plus_two/versions/123",
        '{"instances": [2.0, 3.0, 4.0]}',
        answer={"predictions": [3.0, 3.5, 4.0]},
    ),
    ask(
        SERVER_TEST,
        "half_plus_two/versions/123",
        '{"inputs": [2.0, 3.0, 4.0]}',
        answer={"outputs": [3.0, 3.5, 4.0]},
    ),
    ask(
        API,
        "half_plus_two/versions/123",
        '{"instances": [{"x": 1.0}, {"x": 2.0}]}',
        answer={"predictions": [2.5, 3.0]},
    ),
    ask(API, "half_plus_two/versions/123", '{"inputs": {"x": [1.0]}}', answer={"outputs": [2.5]}),
    ask(JSON, "half_plus_two/versions/123", '{"inputs": 1.0}', answer={"outputs": 2.5}),
    ask(
        JSON,
        "half_plus_two/versions/123",
        '{"inputs": {"x": [1.0], "other": [2]}}',
        answer={"outputs": [2.5]},
    ),
    ask(
        JSON,
        "half_plus_two/versions/123",
        '{"instances": [1, 2], "comment": "kept out"}',
        answer={"predictions": [2.5, 3.0]},
    ),
    ask(
        API,
        "multi_output",
        '{"instances": [{"a": 1, "b": 2}, {"a": 3, "b": 4}]}',
        answer={"predictions": [{"sum": 3.0, "product": 2.0}, {"sum": 7.0, "product": 12.0}]},
    ),
    ask(
        API,
        "multi_output",
        '{"inputs": {"a": [1, 3], "b": [2, 4]}}',
        answer={"outputs": {"sum": [3.0, 7.0], "product": [2.0, 12.0]}},
    ),
    ask(API, "scalar", '{"inputs": 41}', answer={"outputs": 42.0}),
    ask(API, "scalar", '{"inputs": {"x": 41.5}}', answer={"outputs": 42.5}),
    ask(API, "scalar", '{"signature_name": "text", "inputs": "hey"}', answer={"outputs": "hey!"}),
    refused(JSON, "without_inputs", '{"inputs": {}}', "Failed to get input map for signature: DEFAULT"),
    refused(
        JSON,
        "without_inputs",
        '{"signature_name": "serving_default", "inputs": {}}',
        "Failed to get input map for signature: serving_default",
    ),
    refused(
        COUNTER,
        "counter",
        '{"inputs": 1}',
        'Serving signature name: "serving_default" not found in signature def',
    ),
    refused(
        COUNTER,
        "counter",
        '{"signature_name": "get_counter", "inputs": {}}',
        "Failed to get input map for signature: get_counter",
    ),
    refused(JSON, "without_inputs", '{"instances": [{}]}', "Failed to get input map for signature: DEFAULT"),
    ask(
        JSON,
        "half",
        '{"instances": [1.0]}',
        400,
        says="UNIMPLEMENTED: Conversion of JSON Value: 1.0 to type: half",
    ),
    ask(JSON, "half", '{"inputs": [1.0]}', 501, error="Conversion of JSON Value: 1.0 to type: half"),
    ask(
        "core/kernels/gather_op.cc",
        "failing",
        '{"instances": [7]}',
        400,
        says="indices[0] = 7 is not in [0, 3)",
    ),
    ask("core/kernels/gather_op.cc", "failing", '{"instances": [0, 2]}', answer={"predictions": [1.0, 3.0]}),
    ask(API, "vocabulary", '{"instances": ["green", "mauve"]}', answer={"predictions": [1, -1]}),
]

FORMS = [
    refused(JSON, "half_plus_two", "{}", "Missing 'inputs' or 'instances' key"),
    refused(
        JSON, "half_plus_two", '{"signature_name": "serving_default"}', "Missing 'inputs' or 'instances' key"
    ),
    refused(
        JSON,
        "half_plus_two",
        '{"instances": [1.0], "inputs": [1.0]}',
        'JSON Value: {\n    "instances": [\n        1.0\n    ],\n    "inputs": [\n        1.0\n    ]\n} '
        "Not formatted correctly expecting only one of 'inputs' or 'instances' keys to exist ",
    ),
    refused(
        JSON,
        "half_plus_two",
        '{"instances": 1}',
        "JSON Value: {\n    \"instances\": 1\n} Expecting 'instances' to be an list/array",
    ),
    refused(
        JSON,
        "half_plus_two",
        '{"instances": {}}',
        "JSON Value: {\n    \"instances\": {}\n} Expecting 'instances' to be an list/array",
    ),
    refused(
        JSON,
        "half_plus_two",
        '{"instances": []}',
        "JSON Value: {\n    \"instances\": []\n} No values in 'instances' array",
    ),
    refused(JSON, "half_plus_two", "[]", "JSON Value: [] Is not object"),
    refused(JSON, "half_plus_two", "1.5", "JSON Value: 1.5 Is not object"),
    refused(JSON, "half_plus_two", "null", "JSON Value: null Is not object"),
    refused(JSON, "half_plus_two", '"text"', 'JSON Value: "text" Is not object'),
    refused(
        JSON,
        "half_plus_two",
        '{"signature_name": 5}',
        "JSON Value: {\n    \"signature_name\": 5\n} not formatted correctly. 'signature_name' key must be a string value.",
    ),
    refused(
        JSON,
        "multi_output",
        '{"instances": [1, 2]}',
        "instances is a plain list, but expecting list of objects as multiple input tensors required as per tensorinfo_map",
    ),
    refused(
        JSON,
        "multi_output",
        '{"inputs": [1, 2]}',
        "inputs is a plain value/list, but expecting an object as multiple input tensors required as per tensorinfo_map",
    ),
    refused(JSON, "multi_output", '{"inputs": {"a": [1]}}', "Missing named input: b in 'inputs' object."),
    refused(
        JSON,
        "multi_output",
        '{"instances": [{"a": 1}]}',
        "Failed to process element: 0 of 'instances' list. JSON object: {\n    \"a\": 1\n} keys must be equal to: a,b",
    ),
    refused(
        JSON,
        "multi_output",
        '{"instances": [{"a": 1, "b": 2}, {"a": 1, "b": 2, "c": 3}]}',
        "Failed to process element: 1 key: c of 'instances' list. Error: INVALID_ARGUMENT: "
        "JSON object: does not have named input: c",
    ),
    refused(
        JSON_TEST,
        "multi_output",
        '{"instances": [{"a": 1, "b": 2}, [1]]}',
        "Expecting object but got list at item 1 of input list",
    ),
    refused(
        JSON_TEST,
        "string",
        '{"instances": [["a"], {"x": ["b"]}]}',
        "Expecting value/list but got object at item 1 of input list",
    ),
    refused(
        JSON_TEST,
        "int32",
        '{"instances": [[1, 2], [3, 4], [5, 6, 7]]}',
        "Failed to process element: 2 of 'instances' list. Error: INVALID_ARGUMENT: Expecting tensor size: 2 but got: 3",
    ),
    refused(
        JSON_TEST,
        "int32",
        '{"instances": [[1, 2], [3, 4], [[5, 6]]]}',
        "Failed to process element: 2 of 'instances' list. Error: INVALID_ARGUMENT: Expecting shape [2] but got: [1,2]",
    ),
    refused(
        JSON_TEST,
        "int32",
        '{"instances": [1, [1]]}',
        "Failed to process element: 1 of 'instances' list. Error: INVALID_ARGUMENT: Expecting shape [] but got: [1]",
    ),
    refused(
        JSON,
        "int32",
        '{"instances": [[[1, 2], [3]]]}',
        "Failed to process element: 0 of 'instances' list. Error: INVALID_ARGUMENT: "
        "Encountered list at unexpected size: 1 at level: 1 expected size: 2",
    ),
    refused(
        JSON,
        "int32",
        '{"instances": [[1, [2]]]}',
        "Failed to process element: 0 of 'instances' list. Error: INVALID_ARGUMENT: "
        "Encountered list at unexpected level: 1 expected < 1",
    ),
    refused(
        JSON,
        "int32",
        '{"instances": [[[1], 2]]}',
        "Failed to process element: 0 of 'instances' list. Error: INVALID_ARGUMENT: "
        "JSON Value: 2 found at incorrect level: 2 in the JSON DOM. Expected at level: 2",
    ),
    refused(
        JSON,
        "int32",
        '{"inputs": [[1], [2, 3]]}',
        "Encountered list at unexpected size: 2 at level: 1 expected size: 1",
    ),
    refused(
        JSON, "int32", '{"inputs": ["a"]}', 'JSON Value: "a" Type: String is not of expected type: int32'
    ),
]

# Model, value, the type's name and JSON's name of what is refused.
_WRONG = [
    ("int32", "1.0", "Number", "int32"),
    ("int32", "1e2", "Number", "int32"),
    ("int32", "true", "True", "int32"),
    ("int32", "false", "False", "int32"),
    ("int32", '"1"', "String", "int32"),
    ("int32", "null", "Null", "int32"),
    ("int32", "2147483648", "Number", "int32"),
    ("int32", "-2147483649", "Number", "int32"),
    ("int64", "9223372036854775808", "Number", "int64"),
    ("int64", "1.5", "Number", "int64"),
    ("int64", "true", "True", "int64"),
    ("uint8", "1.0", "Number", "uint8"),
    ("uint8", '"a"', "String", "uint8"),
    ("bool", "1", "Number", "bool"),
    ("bool", "0", "Number", "bool"),
    ("bool", '"true"', "String", "bool"),
    ("bool", "null", "Null", "bool"),
    ("string", "1", "Number", "string"),
    ("string", "true", "True", "string"),
    ("string", "null", "Null", "string"),
    ("half_plus_two", "true", "True", "float"),
    ("half_plus_two", '"1"', "String", "float"),
    ("half_plus_two", "null", "Null", "float"),
    ("half_plus_two", "false", "False", "float"),
]
_SHOWN = {"1e2": "100.0"}
TYPES = [
    refused(
        JSON,
        model,
        f'{{"instances": [{value}]}}',
        f"Failed to process element: 0 of 'instances' list. Error: INVALID_ARGUMENT: "
        f"JSON Value: {_SHOWN.get(value, value)} Type: {kind} is not of expected type: {expected}",
    )
    for model, value, kind, expected in _WRONG
] + [
    refused(
        JSON,
        model,
        f'{{"inputs": [{value}]}}',
        f"JSON Value: {_SHOWN.get(value, value)} Type: {kind} is not of expected type: {expected}",
    )
    for model, value, kind, expected in _WRONG[:12]
]

VALUES = [
    ask(JSON, "half", '{"inputs": []}', 501, error="Conversion of JSON Value: [] to type: half"),
    ask(JSON, "int32", '{"inputs": []}', answer={"outputs": []}),
    ask(JSON, "int32", '{"instances": [1, -2, 0]}', answer={"predictions": [2, -4, 0]}),
    ask(JSON, "int32", '{"instances": [1073741823]}', answer={"predictions": [2147483646]}),
    ask(JSON, "int64", '{"instances": [4611686018427387903, -1]}', answer={"predictions": [9223372036854775806, -2]}),
    ask(JSON, "uint8", '{"instances": [0, 254]}', answer={"predictions": [1, 255]}),
    ask(JSON, "bool", '{"instances": [true, false]}', answer={"predictions": [False, True]}),
    ask(JSON, "string", '{"instances": ["a", "", "\\u00e9\\ud83d\\ude00"]}', answer={"predictions": ["a!", "!", "é😀!"]}),
    ask(JSON, "string", '{"instances": ["\\n\\t\\"\\\\"]}', answer={"predictions": ['\n\t"\\!']}),
    ask(JSON_TEST, "string", '{"instances": [{"b64": "aGVsbG8="}, {"b64": "d29ybGQ="}]}', answer={"predictions": ["hello!", "world!"]}),
    ask(JSON_TEST, "string", '{"instances": [[{"b64": "aGVsbG8="}], [{"b64": "d29ybGQ="}]]}', answer={"predictions": [["hello!"], ["world!"]]}),
    ask(JSON_TEST, "string", '{"instances": [{"x": [[{"b64": "aGVsbG8="}], [{"b64": "d29ybGQ="}]]}]}', answer={"predictions": [[["hello!"], ["world!"]]]}),
    ask(JSON, "string", '{"inputs": {"b64": "aGVsbG8="}}', answer={"outputs": "hello!"}),
    ask(JSON, "string", '{"inputs": {"x": {"b64": "aGVsbG8="}}}', answer={"outputs": "hello!"}),
    ask(JSON, "string", '{"instances": [{"b64": "aGVsbG8"}]}', answer={"predictions": ["hello!"]}),
    ask(JSON, "string", '{"instances": [{"b64": "!!"}]}', 400, says="Unable to base64 decode"),
    ask(JSON, "string", '{"inputs": [{"b64": 1}]}', 400, says="not formatted correctly for base64 data"),
    ask(JSON, "string", '{"inputs": [{"b64": "aGk=", "more": 1}]}', 400, says="not formatted correctly for base64 data"),
    ask(JSON, "int32", '{"inputs": [{"b64": "aGk="}]}', 400, says="Type: Object is not of expected type: int32"),
    ask(API, "bytes", '{"instances": [{"b64": "aGVsbG8="}]}', answer={"predictions": [{"image_bytes": {"b64": "aGVsbG8="}, "text": "hello"}]}),
    ask(API, "bytes", '{"inputs": {"image_bytes": [{"b64": "aGVsbG8="}]}}', answer={"outputs": {"image_bytes": [{"b64": "aGVsbG8="}], "text": ["hello"]}}),
    ask(API, "bytes", '{"instances": [{"image_bytes": "hello"}]}', answer={"predictions": [{"image_bytes": {"b64": "aGVsbG8="}, "text": "hello"}]}),
    ask(JSON_TEST, "half_plus_two/versions/123", '{"instances": [1, 2.0, 3, 4, 5.5, 0.0]}', answer={"predictions": [2.5, 3.0, 3.5, 4.0, 4.75, 2.0]}),
    ask(JSON, "half_plus_two", '{"instances": [16777214]}', answer={"predictions": [8388610.0]}),
    ask(JSON, "half_plus_two", '{"instances": [16777217]}', answer={"predictions": [8388611.0]}),
    ask(JSON, "half_plus_two", '{"instances": [1.7976931348623157e308]}', text='{\n    "predictions": [Infinity\n    ]\n}'),
    ask(JSON, "half_plus_two", '{"instances": [-3.5e38]}', text='{\n    "predictions": [-Infinity\n    ]\n}'),
]  # fmt: skip

TEXTS = [
    ask(JSON_TEST, "half_plus_two/versions/123", '{"instances": [NaN, Infinity, -Infinity, 2]}', text='{\n    "predictions": [NaN, Infinity, -Infinity, 3.0\n    ]\n}'),
    ask(JSON, "half_plus_two/versions/123", '{"inputs": NaN}', text='{\n    "outputs": NaN\n}'),
    ask(JSON, "half_plus_two/versions/123", '{"instances": [2.0]}', text='{\n    "predictions": [3.0\n    ]\n}'),
    ask(JSON, "half_plus_two/versions/123", '{"instances": [-3.6]}', text='{\n    "predictions": [0.200000048\n    ]\n}'),
    ask(JSON, "half_plus_two/versions/123", '{"instances": [1999996]}', text='{\n    "predictions": [1e+06\n    ]\n}'),
    ask(JSON, "int32", '{"instances": [1]}', text='{\n    "predictions": [2\n    ]\n}'),
    ask(JSON, "int32", '{"inputs": [1]}', text='{\n    "outputs": [\n        2\n    ]\n}'),
    ask(JSON, "multi_output", '{"instances": [{"a": 1, "b": 2}]}', text='{\n    "predictions": [\n        {\n            "product": 2.0,\n            "sum": 3.0\n        }\n    ]\n}'),
    Case(HANDLER, "GET", "/v1/models/foo", None, 404, text='{\n    "error": "Could not find any versions of model foo"\n}'),
]  # fmt: skip

PARSE = [
    refused(JSON_TEST, "half_plus_two", "", "JSON Parse error: The document is empty"),
    refused(HANDLER_TEST, "half_plus_two", "instances = [1, 2]", "JSON Parse error: Invalid value. at offset: 0"),
    refused(JSON, "half_plus_two", " ", "JSON Parse error: The document is empty. at offset: 1"),
    refused(JSON, "half_plus_two", '{"instances": [1.0]} x', "JSON Parse error: The document root must not be followed by other values. at offset: 21"),
    refused(JSON, "half_plus_two", "{instances: 1}", "JSON Parse error: Missing a name for object member. at offset: 1"),
    refused(JSON, "half_plus_two", '{"instances" 1}', "JSON Parse error: Missing a colon after a name of object member. at offset: 13"),
    refused(JSON, "half_plus_two", '{"instances": 1 "b": 2}', "JSON Parse error: Missing a comma or '}' after an object member. at offset: 16"),
    refused(JSON, "half_plus_two", '{"instances": [1 2]}', "JSON Parse error: Missing a comma or ']' after an array element. at offset: 17"),
    refused(JSON, "half_plus_two", '{"instances": [1,]}', "JSON Parse error: Invalid value. at offset: 17"),
    refused(JSON, "half_plus_two", '{"instances": [tru]}', "JSON Parse error: Invalid value. at offset: 18"),
    refused(JSON, "half_plus_two", '{"instances": ["a]}', "JSON Parse error: Missing a closing quotation mark in string. at offset: 19"),
    refused(JSON, "half_plus_two", '{"instances": [1.]}', "JSON Parse error: Miss fraction part in number. at offset: 17"),
    refused(JSON, "half_plus_two", '{"instances": [1e]}', "JSON Parse error: Miss exponent in number. at offset: 17"),
    ask(JSON, "half_plus_two", '{"instances": [1e999]}', 400, says="JSON Parse error: Number too big to be stored in double."),
    ask(JSON, "half_plus_two", '{"instances": ["\\x"]}', 400, says="JSON Parse error: Invalid escape character in string."),
    ask(JSON, "half_plus_two", '{"instances": ["\\uZZZZ"]}', 400, says="JSON Parse error: Incorrect hex digit after \\u escape in string."),
    ask(JSON, "half_plus_two", '{"instances": ["\\ud800"]}', 400, says="JSON Parse error: The surrogate pair in string is invalid."),
    ask(JSON, "half_plus_two", '{"instances": ' + "[" * 100_000, 400, says="JSON Parse error: "),
    ask(JSON_TEST, "half_plus_two", '{"instances": ' + "[" * 1000 + "]" * 1000 + "}", 400, says="unexpected level"),
]  # fmt: skip

EXAMPLES = [
    post(HANDLER_TEST, "half_plus_two/versions/123:regress", '{"signature_name": "regress_x_to_y", "examples": [{"x": 80.0}]}', answer={"results": [42.0]}),
    post(SERVER_TEST, "half_plus_two/versions/123:regress", '{"signature_name": "regress_x_to_y", "examples": [{"x": 2.0}]}', answer={"results": [3.0]}),
    post(HANDLER_TEST, "half_plus_two/labels/canary:regress", '{"signature_name": "regress_x_to_y", "examples": [{"x": 80.0}]}', answer={"results": [43.0]}),
    post(HANDLER_TEST, "half_plus_two/versions/123:classify", '{"signature_name": "classify_x_to_y", "examples": [{"x": 20.0}]}', answer={"results": [[["", 12.0]]]}),
    post(HANDLER_TEST, "half_plus_two/versions/123:classify", '{"signature_name": "classify_x_to_y", "examples": [{"x": 10.0}]}', answer={"results": [[["", 7.0]]]}),
    post(SERVER_TEST, "half_plus_two/versions/123:classify", '{"signature_name": "classify_x_to_y", "examples": [{"x": 2.0}, {"x": [4.0]}]}', answer={"results": [[["", 3.0]], [["", 4.0]]]}),
    post(JSON, "half_plus_two/versions/123:regress", '{"signature_name": "regress_x_to_y", "context": {"x": 80.0}, "examples": [{}, {"x": 2.0}]}', answer={"results": [42.0, 3.0]}),
    post(CLASSIFIER, "odd_classes:classify", '{"signature_name": "both", "examples": [{}]}', answer={"results": [[["no", 0.25], ["yes", 0.75]]]}),
    post(CLASSIFIER, "odd_classes:classify", '{"signature_name": "labels", "examples": [{}]}', answer={"results": [[["no", 0.0], ["yes", 0.0]]]}),
    post(JSON, "half_plus_two:classify", "{}", 400, error="JSON Value: {} When method is classify, key 'examples' is expected and was not found"),
    post(JSON, "half_plus_two:classify", '{"examples": []}', 400, says="'examples' value is an empty array"),
    post(JSON_TEST, "half_plus_two:classify", '{"signature_name": ["hello"], "examples": [{}]}', 400, says="'signature_name' key must be a string"),
    post(JSON_TEST, "half_plus_two:classify", '{"context": [{"names": ["foo"]}]}', 400, error="Example must be JSON object but got JSON Array"),
    post(JSON_TEST, "half_plus_two:classify", '{"examples": {"names": ["foo"]}}', 400, says="Expecting 'examples' value to be an list/array"),
    post(JSON_TEST, "half_plus_two:classify", '{"examples": [[{"names": ["foo"]}]]}', 400, error="Example must be JSON object but got JSON Array"),
    post(JSON_TEST, "half_plus_two:classify", '{"examples": [{"names": [10, null]}]}', 400, error="Feature: names has element with unexpected JSON type: Null"),
    post(JSON_TEST, "half_plus_two:classify", '{"examples": [{"names": [10, 10.0]}]}', 400, error="Unexpected element type in feature: names expecting type: int64"),
    post(JSON_TEST, "half_plus_two:classify", '{"examples": [{"names": [10, {"test": 10}]}]}', 400, error="Feature: names has element with unexpected JSON type: Object"),
    post(JSON_TEST, "half_plus_two:regress", '{"examples": [{"names": [[10], 20]}]}', 400, error="Feature: names has element with unexpected JSON type: Array"),
    post(JSON_TEST, "half_plus_two:regress", '{"examples": [{"names": [20, 18446744073709551603]}]}', 400, error="Feature: names has uint64_t element. Only int64_t is supported."),
    post(JSON, "half_plus_two:regress", '{"examples": [1]}', 400, error="Example must be JSON object but got JSON Number"),
    post(JSON, "half_plus_two:regress", "", 400, error="JSON Parse error: The document is empty"),
    post(CLASSIFIER, "half_plus_two:classify", '{"signature_name": "none", "examples": [{"x": 1.0}]}', 400, says="none"),
    post(REGRESSOR, "half_plus_two:regress", '{"signature_name": "classify_x_to_y", "examples": [{"x": 1.0}]}', 400, says="tensorflow/serving/classify"),
    post(CLASSIFIER, "half_plus_two:classify", '{"signature_name": "regress_x_to_y", "examples": [{"x": 1.0}]}', 400, says="tensorflow/serving/regress"),
    post(REGRESSOR, "half_plus_two/versions/123:regress", '{"signature_name": "regress_x_to_y", "examples": [{}]}', 400, says="x"),
]  # fmt: skip

CASES = [*PATHS, *STATUSES, *MODELS, *PREDICT, *FORMS, *TYPES, *VALUES, *TEXTS, *PARSE, *EXAMPLES]
