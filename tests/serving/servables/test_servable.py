"""A loaded version answers as TensorFlow Serving does, in its words where it refuses."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from recommender.serving.servables.servable import Servable
from recommender.serving.status import Code, ServingError
from recommender.serving.tensors import TensorInfo

Load = Callable[..., Servable]


@pytest.fixture(scope="module")
def load(saved_models: Any, tmp_path_factory: pytest.TempPathFactory) -> Load:
    """Loads a model of a kind, once for the module."""
    root = tmp_path_factory.mktemp("servables")
    loaded: dict[tuple[str, bool], Servable] = {}

    def load(kind: str, check_method_names: bool = False) -> Servable:
        key = (kind, check_method_names)
        if key not in loaded:
            folder = saved_models.place(kind, root / f"{kind}-{check_method_names}" / "7")
            loaded[key] = Servable(kind, 7, folder, check_method_names)
        return loaded[key]

    return load


def floats(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float32)


def texts(*values: bytes) -> np.ndarray:
    return np.array(values, dtype=object)


def example(**features: float) -> bytes:
    named = {
        name: tf.train.Feature(float_list=tf.train.FloatList(value=[value]))
        for name, value in features.items()
    }
    return tf.train.Example(features=tf.train.Features(feature=named)).SerializeToString()


@pytest.mark.parametrize("kind", ["half_plus_two", "half_plus_two_tf2"])
def test_half_plus_two_is_half_plus_two(load: Load, kind: str) -> None:
    outputs = load(kind).predict("", {"x": floats(1, 2).reshape(2, 1)}, 0)
    assert {name: values.tolist() for name, values in outputs.items()} == {"y": [[2.5], [3.0]]}
    assert outputs["y"].dtype == np.float32


def test_the_default_signature_has_a_name_too(load: Load) -> None:
    servable, inputs = load("half_plus_two"), {"x": floats(1)}
    assert servable.predict("serving_default", inputs, 0) == servable.predict("", inputs, 0)


@pytest.mark.parametrize(
    ("kind", "given", "answer"),
    [
        ("int32", np.array([3, -4], np.int32), [6, -8]),
        ("int64", np.array([2**40], np.int64), [2**41]),
        ("uint8", np.array([255, 3], np.uint8), [0, 4]),
        ("bool", np.array([True, False]), [False, True]),
        ("half", np.array([1.5], np.float16), [3.0]),
        ("string", texts(b"a", b"\xff\x00"), [b"a!", b"\xff\x00!"]),
        ("scalar", np.array(1.0, np.float32), 2.0),
    ],
)
def test_types_go_through_unchanged(load: Load, kind: str, given: np.ndarray, answer: object) -> None:
    y = load(kind).predict("", {"x": given}, 0)["y"]
    assert isinstance(y, np.ndarray)
    assert (y.tolist(), y.dtype) == (answer, given.dtype)


def test_a_string_without_a_batch_is_an_array_of_rank_0(load: Load) -> None:
    joined = load("scalar").predict("text", {"text": np.array(b"a", dtype=object)}, 0)["joined"]
    assert (joined.shape, joined.dtype, joined.item()) == ((), object, b"a!")


def test_several_outputs_have_their_names(load: Load) -> None:
    outputs = load("multi_output").predict("", {"b": floats(5), "a": floats(3)}, 0)
    assert {name: values.tolist() for name, values in outputs.items()} == {"sum": [8.0], "product": [15.0]}


def test_a_signature_without_inputs_answers(load: Load) -> None:
    assert load("without_inputs").predict("", {}, 0)["answer"].tolist() == [42]


def test_tables_are_filled_from_the_assets_of_the_folder(load: Load) -> None:
    places = load("vocabulary").predict("", {"word": texts(b"green", b"violet")}, 0)["place"]
    assert places.tolist() == [1, -1]


def test_inputs_say_type_and_shape_in_tensorflows_words(load: Load) -> None:
    assert load("half_plus_two").inputs("") == {"x": TensorInfo("x:0", "float", (-1, 1))}
    assert load("half").inputs("serving_default")["x"].dtype == "half"
    assert load("scalar").inputs("text") == {"text": TensorInfo("text:0", "string", ())}
    assert load("without_inputs").inputs("") == {}


def refusal(call: Callable[[], object]) -> tuple[Code, str]:
    with pytest.raises(ServingError) as caught:
        call()
    return caught.value.code, caught.value.message


def test_an_unknown_signature_is_refused_for_each_use(load: Load) -> None:
    """GetInfoMap of http_rest_api_handler.cc, RunPredict of predict_util.cc, classifier.cc, regressor.cc."""
    servable = load("half_plus_two")
    assert refusal(lambda: servable.inputs("no")) == (
        Code.INVALID_ARGUMENT,
        'Serving signature name: "no" not found in signature def',
    )
    assert refusal(lambda: servable.predict("no", {}, 0)) == (
        Code.FAILED_PRECONDITION,
        'Serving signature key "no" not found.',
    )
    for ask in (servable.classify, servable.regress):
        assert refusal(lambda ask=ask: ask("no", [b""], 0)) == (
            Code.INVALID_ARGUMENT,
            "No signature was found with the name: no",
        )
    assert refusal(lambda: load("odd_classes").inputs(""))[1].startswith(
        'Serving signature name: "serving_default" not'
    )


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (
            "a",
            "input size does not match signature: 1!=2 len({a}) != len({a,b}). Sent extra: {}. "
            "Missing but required: {b}.",
        ),
        (
            "abc",
            "input size does not match signature: 3!=2 len({a,b,c}) != len({a,b}). Sent extra: {c}. "
            "Missing but required: {}.",
        ),
        (
            "ac",
            "Signature input alias: b(feed name: b:0) not found in request and no default value provided. "
            "Inputs expected to be in the request {a,c}, or default input alias set: ",
        ),
    ],
)
def test_other_inputs_than_the_signatures_are_refused(load: Load, names: str, message: str) -> None:
    inputs = {name: floats(1) for name in names}
    answer = refusal(lambda: load("multi_output").predict("", inputs, 0))
    assert answer == (Code.INVALID_ARGUMENT, message)


def test_what_an_operation_refuses_has_its_code_and_words(load: Load) -> None:
    code, message = refusal(lambda: load("failing").predict("", {"index": np.array([1, 7], np.int32)}, 0))
    assert (code, message.splitlines()[0]) == (Code.INVALID_ARGUMENT, "indices[1] = 7 is not in [0, 3)")


def test_a_graph_that_runs_longer_than_the_timeout_is_given_up(load: Load) -> None:
    servable = load("slow")
    code, _ = refusal(lambda: servable.predict("", {"steps": np.array(2**31 - 1, np.int32)}, 50))
    assert code is Code.DEADLINE_EXCEEDED
    assert servable.predict("", {"steps": np.array(3, np.int32)}, 60_000)["count"] == 3


def test_threads_do_not_mix_their_answers(load: Load) -> None:
    servable = load("half_plus_two")
    together = threading.Barrier(8)

    def ask(number: int) -> list[float]:
        together.wait()
        return [servable.predict("", {"x": floats(number)}, 1000)["y"].item() for _ in range(200)]

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(ask, range(8)))
    assert answers == [[number / 2 + 2] * 200 for number in range(8)]


def test_regression_gives_a_number_for_each_example(load: Load) -> None:
    """testdata of http_rest_api_handler_test.cc: x = 80 gives 42."""
    examples = [example(x=80), example(x=20)]
    servable = load("half_plus_two")
    assert servable.regress("regress_x_to_y", examples, 0) == [42.0, 12.0]
    assert servable.regress("regress_x_to_y2", examples, 0) == [43.0, 13.0]
    assert load("half_plus_two_tf2").regress("regress_x_to_y", examples, 0) == [42.0, 12.0]
    assert load("odd_classes").regress("regress_flat", examples, 0) == [0.25, 0.25]


def test_classification_gives_labels_and_scores_of_each_example(load: Load) -> None:
    """http_rest_api_handler_test.cc: without `classes` a label is empty; classifier.cc: without scores 0."""
    assert load("half_plus_two").classify("classify_x_to_y", [example(x=20)], 0) == [[(b"", 12.0)]]
    odd, examples = load("odd_classes"), [b"", b""]
    assert odd.classify("both", examples, 0) == [[(b"no", 0.25), (b"yes", 0.75)]] * 2
    assert odd.classify("labels", examples, 0) == [[(b"no", 0.0), (b"yes", 0.0)]] * 2


@pytest.mark.parametrize(
    ("signature", "message"),
    [
        ("flat_scores", "Expected Tensor shape: [batch_size num_classes] but got [2]"),
        ("whole_scores", "Expected scores Tensor of DT_FLOAT. Got: DT_INT32"),
        ("number_labels", "Expected classes Tensor of DT_STRING. Got: DT_INT32"),
        ("few_scores", "Expected scores output batch size of 2. Got: 1"),
        ("uneven", "Tensors class and score should match in dim_size(1). Got 2 vs. 1"),
        ("three", "Expected one or two output Tensors, found 3"),
        ("two_inputs", "Expected one input Tensor."),
        ("other_input", 'No classification inputs found in SignatureDef: inputs {\n  key: "examples"'),
        (
            "other_names",
            "Expected classification signature outputs to contain at least one of "
            '"classes" or "scores". Signature was: inputs {',
        ),
    ],
)
def test_classification_refuses_in_the_words_of_classifier_cc(
    load: Load, signature: str, message: str
) -> None:
    code, said = refusal(lambda: load("odd_classes").classify(signature, [b"", b""], 0))
    assert code is Code.INVALID_ARGUMENT
    assert said == message or (message.endswith(("{", '"')) and said.startswith(message))


@pytest.mark.parametrize(
    ("signature", "message"),
    [
        (
            "regress_wide",
            "Expected output Tensor shape to be either [batch_size] or [batch_size, 1] but got [2,2]",
        ),
        ("regress_few", "Input batch size did not match output batch size: 2 vs. 1"),
        ("regress_whole", "Expected output Tensor of DT_FLOAT.  Got: DT_INT32"),
        ("both", "Expected one output Tensor."),
        ("two_inputs", "Expected one input Tensor."),
        ("other_input", 'No regression inputs found in SignatureDef: inputs {\n  key: "examples"'),
        ("regress_other", "No regression outputs found in SignatureDef: inputs {"),
    ],
)
def test_regression_refuses_in_the_words_of_regressor_cc(load: Load, signature: str, message: str) -> None:
    code, said = refusal(lambda: load("odd_classes").regress(signature, [b"", b""], 0))
    assert code is Code.INVALID_ARGUMENT
    assert said == message or (message.endswith(("{", '"')) and said.startswith(message))


def test_examples_have_to_be_there_and_to_fit(load: Load) -> None:
    """InputToSerializedExampleTensor of util.cc; the second is what Session::Run says of types."""
    servable = load("half_plus_two")
    assert refusal(lambda: servable.regress("regress_x_to_y", [], 0))[1] == "Input is empty."
    assert refusal(lambda: servable.regress("regress_x2_to_y3", [example(x=1)], 0)) == (
        Code.INVALID_ARGUMENT,
        "Expects arg[0] to be float but string is provided",
    )
    code, message = refusal(lambda: servable.classify("classify_x_to_y", [example(z=1)], 0))
    assert code is Code.INVALID_ARGUMENT
    assert "Feature: x (data type: float) is required but could not be found." in message


def test_method_names_count_only_when_asked_for(load: Load) -> None:
    """main.cc: --enable_signature_method_name_check is off unless given."""
    assert load("odd_classes").classify("unheard_of", [b""], 0)
    strict = load("odd_classes", check_method_names=True)
    assert refusal(lambda: strict.classify("unheard_of", [b""], 0)) == (
        Code.INVALID_ARGUMENT,
        "Expected classification signature method_name to be tensorflow/serving/classify. "
        "Was: tensorflow/serving/rank",
    )
    assert refusal(lambda: strict.regress("both", [b""], 0))[1] == (
        "Expected regression signature method_name to be tensorflow/serving/regress. "
        "Was: tensorflow/serving/classify"
    )
    assert refusal(lambda: strict.predict("unheard_of", {"inputs": texts(b"")}, 0)) == (
        Code.INTERNAL,
        "Expected prediction signature method_name to be one of {tensorflow/serving/predict, "
        "tensorflow/serving/classify, tensorflow/serving/regress}. Was: tensorflow/serving/rank",
    )


@pytest.mark.parametrize(
    ("breakage", "code", "message"),
    [
        (
            "empty",
            Code.NOT_FOUND,
            "Could not find SavedModel .pb or .pbtxt at supplied export directory path",
        ),
        ("no_saved_model", Code.NOT_FOUND, "Could not find SavedModel .pb or .pbtxt"),
        ("garbage", Code.DATA_LOSS, "saved_model.pb as binary proto"),
        ("missing_variables", Code.NOT_FOUND, "Could not find the variables of the SavedModel at"),
        ("truncated_variables", Code.OUT_OF_RANGE, "Read less bytes than requested"),
    ],
)
def test_a_broken_folder_is_refused_with_the_reason(
    saved_models: Any, tmp_path: Path, breakage: str, code: Code, message: str
) -> None:
    folder = saved_models.place("half_plus_two", tmp_path / "1", breakage)
    refused, said = refusal(lambda: Servable("m", 1, folder))
    assert refused is code
    assert message in said


def test_a_text_saved_model_is_loaded(saved_models: Any, tmp_path: Path) -> None:
    from google.protobuf import text_format
    from tensorflow.core.protobuf import saved_model_pb2

    folder = saved_models.place("half_plus_two", tmp_path / "1")
    binary = folder / "saved_model.pb"
    model = saved_model_pb2.SavedModel.FromString(binary.read_bytes())
    (folder / "saved_model.pbtxt").write_text(text_format.MessageToString(model))
    binary.unlink()
    assert Servable("m", 1, folder).predict("", {"x": floats(1)}, 0)["y"] == 2.5


def test_only_the_graph_tagged_serve_is_served(saved_models: Any, tmp_path: Path) -> None:
    from tensorflow.core.protobuf import saved_model_pb2

    binary = saved_models.place("half_plus_two", tmp_path / "1") / "saved_model.pb"
    model = saved_model_pb2.SavedModel.FromString(binary.read_bytes())
    model.meta_graphs[0].meta_info_def.tags.append("gpu")
    binary.write_bytes(model.SerializeToString())
    code, message = refusal(lambda: Servable("m", 1, tmp_path / "1"))
    assert code is Code.NOT_FOUND
    assert message.startswith("Could not find meta graph def matching supplied tags: { serve }.")
