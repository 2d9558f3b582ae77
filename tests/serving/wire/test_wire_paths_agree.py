"""The path on whole columns never answers otherwise than the exact one, whatever the body."""

from __future__ import annotations

import numpy as np
from hypothesis import HealthCheck, event, given, settings
from json_documents import predict_bodies
from wire_requests import inputs_of_types

from recommender.serving.status import ServingError
from recommender.serving.wire import predict_request


def read_exactly(body, inputs):
    """The request, None where it is refused."""
    try:
        return predict_request._read_exactly(body, lambda signature_name: inputs)
    except ServingError:
        return None


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(predict_bodies())
def test_what_is_read_by_columns_is_what_is_read_exactly(types_and_body):
    dtypes, body = types_and_body
    inputs = inputs_of_types(**dtypes)
    fast = predict_request._read_whole_columns(body, lambda signature_name: inputs)
    exact = read_exactly(body, inputs)
    event("refused" if exact is None else "read exactly" if fast is None else "read by columns")
    if fast is None:
        return
    assert exact is not None
    assert (fast.signature_name, fast.row_form) == (exact.signature_name, exact.row_form)
    assert fast.inputs.keys() == exact.inputs.keys()
    for name, array in fast.inputs.items():
        assert array.dtype == exact.inputs[name].dtype
        np.testing.assert_array_equal(array, exact.inputs[name], strict=True)
        if array.dtype.kind == "f":
            np.testing.assert_array_equal(np.signbit(array), np.signbit(exact.inputs[name]))
