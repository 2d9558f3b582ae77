"""Which target asks for what.

Cases from TensorFlow Serving's model_servers/http_rest_api_util_test.cc (UTIL), http_rest_api_handler_test.cc
(HANDLER), from what the code of http_rest_api_util.cc (CODE) does with others, and from libevent's
`evhttp_uri_parse` (URI).
"""

from __future__ import annotations

import pytest

from recommender.serving.rest.paths import Route, Target, read_route, read_target
from recommender.serving.status import Code, ServingError

RESERVED = "%21%23%24%25%26%27%28%29%2A%2B%2C%2F%3A%3B%3D%3F%40%5B%5D"
DECODED = "!#$%&'()*+,/:;=?@[]"

UNDERSTOOD = [
    # UTIL, TestParseModelInfoForGet
    ("GET", f"/v1/models/modelname{RESERVED}", Route("status", f"modelname{DECODED}", None, None)),
    ("GET", "/v1/models/modelname/versions/99", Route("status", "modelname", 99, None)),
    ("GET", "/v1/models/modelname/labels/latest", Route("status", "modelname", None, "latest")),
    ("GET", f"/v1/models/m/labels/latest{RESERVED}", Route("status", "m", None, f"latest{DECODED}")),
    ("GET", "/v1/models/modelname/labels/latest/metadata", Route("metadata", "modelname", None, "latest")),
    (
        "GET",
        f"/v1/models/m{RESERVED}/labels/latest{RESERVED}/metadata",
        Route("metadata", f"m{DECODED}", None, f"latest{DECODED}"),
    ),
    # UTIL, TestParseModelInfoForPost
    ("POST", f"/v1/models/modelname{RESERVED}:predict", Route("predict", f"modelname{DECODED}", None, None)),
    ("POST", "/v1/models/modelname/versions/99:predict", Route("predict", "modelname", 99, None)),
    ("POST", "/v1/models/modelname/labels/latest:predict", Route("predict", "modelname", None, "latest")),
    (
        "POST",
        f"/v1/models/m{RESERVED}/labels/latest{RESERVED}:predict",
        Route("predict", f"m{DECODED}", None, f"latest{DECODED}"),
    ),
    # HANDLER
    ("POST", "/v1/models/half_plus_two_2:regress", Route("regress", "half_plus_two_2", None, None)),
    ("POST", "/v1/models/m/versions/123:classify", Route("classify", "m", 123, None)),
    ("GET", "/v1/models/m/versions/123/metadata", Route("metadata", "m", 123, None)),
    # CODE: the patterns ignore case, names do not
    ("GET", "/V1/Models/M", Route("status", "M", None, None)),
    ("POST", "/V1/MODELS/m/VERSIONS/1:predict", Route("predict", "m", 1, None)),
    ("POST", "/v1/models/m/Labels/Stable:regress", Route("regress", "m", None, "Stable")),
    # CODE: another case of "metadata" matches, and is then not the word that is compared with
    ("GET", "/v1/models/m/METADATA", Route("status", "m", None, None)),
    # CODE: the query string is part of what is matched, where it may be part of a name
    ("GET", "/v1/models/m?x=1", Route("status", "m?x=1", None, None)),
    ("POST", "/v1/models/m?x=1:predict", Route("predict", "m?x=1", None, None)),
    ("GET", "/v1/models/m#part", Route("status", "m#part", None, None)),
    # CODE: a name may be any of the other words
    ("GET", "/v1/models/metadata", Route("status", "metadata", None, None)),
    ("GET", "/v1/models/models/metadata", Route("metadata", "models", None, None)),
    ("GET", "/v1/models/versions", Route("status", "versions", None, None)),
    ("GET", "/v1/models/versions/versions/1", Route("status", "versions", 1, None)),
    # CODE: numbers
    ("GET", "/v1/models/m/versions/007", Route("status", "m", 7, None)),
    ("GET", "/v1/models/m/versions/" + "0" * 5000, Route("status", "m", 0, None)),
    ("GET", f"/v1/models/m/versions/{2**63 - 1}", Route("status", "m", 2**63 - 1, None)),
    # CODE: other characters are decoded too, as far as they are text
    ("GET", "/v1/models/Am%C3%A9lie%20(2001)", Route("status", "Amélie (2001)", None, None)),
    ("GET", "/v1/models/%FF", Route("status", "\N{REPLACEMENT CHARACTER}", None, None)),
    ("GET", "/v1/models/a+b", Route("status", "a+b", None, None)),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "route"), UNDERSTOOD)
def test_a_request_asks_for_a_model_version_and_verb(method: str, path: str, route: Route) -> None:
    assert read_route(method, path) == route


MALFORMED = [
    # UTIL and HANDLER, UnsupportedApiCalls
    ("GET", "/v1/foo"),
    ("POST", "/v1/foo"),
    ("POST", "/v1/models"),
    ("GET", "/v1/models/foo:predict"),
    ("GET", "/v1/models/foo/version/50:predict"),
    ("POST", "/v1/models/foo/version/50:regress"),
    ("POST", "/v1/models/foo/versions/HELLO:regress"),
    ("POST", "/v1/models/foo/metadata"),
    ("POST", "/v1/models/foo/versions/50/labels/some_label:regress"),
    # CODE: verbs are compared with their case after they have matched without
    ("POST", "/v1/models/m:Predict"),
    ("POST", "/v1/models/m:CLASSIFY"),
    # CODE: nothing but these
    ("POST", "/v1/models/m"),
    ("POST", "/v1/models/m:"),
    ("POST", "/v1/models/m:rank"),
    ("POST", "/v1/models/m:predict/"),
    ("POST", "/v1/models/m:predict?x=1"),
    ("POST", "/v1/models/m:predict#x"),
    ("POST", "/v1/models//versions/1:predict"),
    ("POST", "/v1/models/:predict"),
    ("POST", "/v1/models/m/labels/:predict"),
    ("POST", "/v1/models/m/versions/-1:predict"),
    ("POST", "/v1/models/m/versions/1.5:predict"),
    ("GET", "/v1/models/"),
    ("GET", "/v1/models/m/"),
    ("GET", "/v1/models/m/versions"),
    ("GET", "/v1/models/m/versions/"),
    ("GET", "/v1/models/m/labels/a/versions/1"),
    ("GET", "/v1/models/m/metadata?x=1"),
    ("GET", "/v1/models?x=1"),
    ("GET", "/v1/models/m/versions/1?x=1"),
    ("GET", "/v1/modelsm"),
    ("GET", "/v1/"),
    ("HEAD", "/v1/models/m"),
    ("PUT", "/v1/models/m:predict"),
    ("DELETE", "/v1/models/m"),
    ("OPTIONS", "/v1/models/m:predict"),
    ("PATCH", "/v1/models/m"),
]


@pytest.mark.parametrize(("method", "path"), MALFORMED)
def test_what_is_not_understood_is_repeated_to_the_client(method: str, path: str) -> None:
    with pytest.raises(ServingError) as raised:
        read_route(method, path)
    assert (raised.value.code, raised.value.message) == (
        Code.INVALID_ARGUMENT,
        f"Malformed request: {method} {path}",
    )


@pytest.mark.parametrize("path", ["/v1/models", "/V1/MODELS", "/v1/models/versions/1", "/v1/models/labels/a"])
def test_a_question_about_all_models_is_not_answered(path: str) -> None:
    with pytest.raises(ServingError, match=r"^Missing model name in request\.$"):
        read_route("GET", path)


TOO_LARGE = [str(2**63), str(2**64 - 1), "9" * 20, "9" * 5000]


@pytest.mark.parametrize("digits", TOO_LARGE, ids=["int64", "uint64", "20 digits", "5000 digits"])
@pytest.mark.parametrize(
    ("method", "end"), [("POST", ":predict"), ("POST", ":Predict"), ("GET", ""), ("GET", "/metadata")]
)
def test_a_version_that_is_no_int64_is_told(method: str, end: str, digits: str) -> None:
    # HANDLER, UnsupportedApiCalls; before the case of the verb is looked at (CODE)
    with pytest.raises(ServingError) as raised:
        read_route(method, f"/v1/models/m/versions/{digits}{end}")
    assert raised.value.code is Code.INVALID_ARGUMENT
    assert raised.value.message == f"Failed to convert version: {digits} to numeric."


@pytest.mark.parametrize(
    ("target", "parts"),
    [
        ("/v1/models/m", Target("/v1/models/m", "/v1/models/m", True)),
        ("/v1/models?a=b", Target("/v1/models", "/v1/models?a=b", True)),
        ("/V1/x", Target("/V1/x", "/V1/x", True)),
        ("/v1/a?b#c", Target("/v1/a", "/v1/a?b#c", True)),
        ("/v1/a#c?b", Target("/v1/a", "/v1/a#c?b", True)),
        ("/v1", Target("/v1", "/v1", False)),
        ("/v2/models/m", Target("/v2/models/m", "/v2/models/m", False)),
        ("/statuspage", Target("/statuspage", "/statuspage", False)),
        ("/", Target("/", "/", False)),
        ("*", Target("*", "*", False)),
        ("/x/v1/models/m", Target("/x/v1/models/m", "/x/v1/models/m", False)),
        # As clients write it that take the server for a proxy.
        ("http://host:1/v1/models/m?a", Target("/v1/models/m", "/v1/models/m?a", True)),
        ("http://host", Target("", "", False)),
        ("//v1/models/m", Target("/models/m", "/models/m", False)),  # URI: "v1" is taken for a host
    ],
)  # fmt: skip
def test_a_target_is_split_into_what_chooses_the_answer_and_what_is_matched(
    target: str, parts: Target
) -> None:
    assert read_target(target) == parts


@pytest.mark.parametrize(
    "target",
    [
        "/v1/models/a b",
        "/v1/models/\xe9",
        "/v1/models/%zz",
        "/v1/models/%2",
        '/v1/"',
        "/v1/[",
        "/v1/a|b",
        "/v1/a\\b",
    ],
)
def test_what_is_no_uri_is_known_as_such(target: str) -> None:
    assert read_target(target) is None
