"""No body whatever gets anything but an answer or a `ServingError`."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from json_documents import predict_bodies
from wire_requests import inputs_of_types

from recommender.serving.status import ServingError, error_body
from recommender.serving.wire.examples import read_examples_request
from recommender.serving.wire.predict_request import read_predict_request
from recommender.serving.wire.predictions import write_predictions

TYPES = [
    {"x": "float"},
    {"x": "string"},
    {"x": "int64", "y": "string"},
    {"x": "bool", "y": "uint8", "a:b": "double"},
    {"x": "half"},
    {},
]
SEEDS = [
    b'{"signature_name": "s", "instances": [{"x": 1, "y": "a"}, {"x": 2, "y": {"b64": "aGVsbG8="}}]}',
    b'{"instances": [[1, 2.5], [3e2, -4]]}',
    b'{"inputs": {"x": [true, false], "y": [1, 255], "a:b": [NaN, -Infinity]}}',
    b'{"inputs": [["\\u00e9\\ud83d\\ude00", "\xc3\xa9"], ["a:b", ""]]}',
    b'{"context": {"q": "z"}, "examples": [{"a": [1, 2], "b": 1.5, "c": ["x", {"b64": "YQ=="}]}, {}]}',
    b"\xef\xbb\xbf[[[[{}]]]]",
]
ALPHABET = b'{}[]:,"\\u0123456789eE+-.NaInfitylrsb64 \n\t\x00\x01\x7f\xc3\xa9\xff\xed\xa0\x80'


def mutated(chance: random.Random) -> bytes:
    body = bytearray(chance.choice(SEEDS))
    for _ in range(chance.randint(0, 5)):
        place = chance.randrange(len(body) + 1)
        change = chance.randrange(4)
        if change == 0:
            body[place : place + 1] = bytes([chance.choice(ALPHABET)])
        elif change == 1:
            body[place:place] = bytes(chance.choices(ALPHABET, k=chance.randint(1, 4)))
        elif change == 2:
            del body[place : place + chance.randint(1, 8)]
        else:
            other = chance.choice(SEEDS)
            body[place:place] = other[chance.randrange(len(other)) :][: chance.randint(1, 20)]
    return bytes(body)


def read_and_write(body: bytes, dtypes: dict[str, str]) -> None:
    request = read_predict_request(body, lambda signature_name: inputs_of_types(**dtypes))
    if request.inputs:
        write_predictions(request.inputs, False)
        write_predictions({name: array[np.newaxis] for name, array in request.inputs.items()}, True)


def answer_or_serving_error(body: bytes, dtypes: dict[str, str]) -> None:
    """Reads the body as predict and as classify would, writes back what was read, words what was refused."""
    codes = set()
    for read in (lambda: read_and_write(body, dtypes), lambda: read_examples_request(body)):
        try:
            read()
        except ServingError as error:
            codes.add(error.http_status)
            error_body(error.message)
    assert codes <= {400, 501}


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.binary(max_size=60), st.sampled_from(TYPES))
def test_bytes_get_an_answer_or_a_serving_error(body, dtypes):
    answer_or_serving_error(body, dtypes)


@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
@given(predict_bodies())
def test_almost_good_requests_get_an_answer_or_a_serving_error(types_and_body):
    dtypes, body = types_and_body
    answer_or_serving_error(body, dtypes)


@pytest.mark.parametrize("count", [2_000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_mutated_requests_get_an_answer_or_a_serving_error(count):
    chance = random.Random(count)
    for _ in range(count):
        body = chance.randbytes(chance.randint(0, 40)) if chance.random() < 0.1 else mutated(chance)
        answer_or_serving_error(body, chance.choice(TYPES))
