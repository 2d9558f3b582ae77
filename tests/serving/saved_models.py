"""Small SavedModels for the tests of the model server: built once a session, copied where they are wanted."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf

v1 = tf.compat.v1
signatures = tf.compat.v1.saved_model

Signatures = dict[str, Any]


def half_plus(constant: float) -> Callable[[Path], None]:
    """The model of TensorFlow Serving's testdata/saved_model_half_plus_two.py, with another constant.

    y = x / 2 + constant, y2 = x / 2 + 3, y3 = x2 / 2 + 3, out of tensors or of tf.Examples.
    """

    def graph(session: tf.compat.v1.Session) -> Signatures:
        a, b, c = (
            v1.get_variable(name, initializer=value)
            for name, value in zip("abc", (0.5, constant, 3.0), strict=True)
        )
        examples = v1.placeholder(tf.string, [None], name="tf_example")
        features = {
            "x": tf.io.FixedLenFeature([1], tf.float32),
            "x2": tf.io.FixedLenFeature([1], tf.float32, default_value=[0.0]),
        }
        parsed = tf.io.parse_example(examples, features)
        x, x2 = tf.identity(parsed["x"], "x"), tf.identity(parsed["x2"], "x2")
        y, y2, y3 = tf.identity(a * x + b, "y"), tf.identity(a * x + c, "y2"), tf.identity(a * x2 + c, "y3")
        return {
            "serving_default": signature("predict", {"x": x}, {"y": y}),
            "regress_x_to_y": signature("regress", {"inputs": examples}, {"outputs": y}),
            "regress_x_to_y2": signature("regress", {"inputs": examples}, {"outputs": y2}),
            "regress_x2_to_y3": signature("regress", {"inputs": x2}, {"outputs": y3}),
            "classify_x_to_y": signature("classify", {"inputs": examples}, {"scores": y}),
            "classify_x2_to_y3": signature("classify", {"inputs": x2}, {"scores": y3}),
        }

    return lambda folder: save_graph(folder, graph)


def half_plus_two_tf2(folder: Path) -> None:
    """The same as a `tf.Module`: every signature says `tensorflow/serving/predict`."""

    class HalfPlusTwo(tf.Module):
        def __init__(self) -> None:
            self.a, self.b = tf.Variable(0.5), tf.Variable(2.0)

        @tf.function(input_signature=[tf.TensorSpec([None, 1], tf.float32, name="x")])
        def predict(self, x: tf.Tensor) -> dict[str, tf.Tensor]:
            return {"y": self.a * x + self.b}

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="inputs")])
        def regress(self, inputs: tf.Tensor) -> dict[str, tf.Tensor]:
            x = tf.io.parse_example(inputs, {"x": tf.io.FixedLenFeature([1], tf.float32)})["x"]
            return {"outputs": self.a * x + self.b}

    model = HalfPlusTwo()
    named = {"serving_default": model.predict, "regress_x_to_y": model.regress}
    tf.saved_model.save(model, str(folder), signatures=named)


def vocabulary(folder: Path) -> None:
    """A table that is filled out of an asset: `word` -> its place in the file, -1 for others."""
    source = folder.with_name(f"{folder.name}.words.txt")
    source.write_text("red\ngreen\nblue\n")

    class Vocabulary(tf.Module):
        def __init__(self) -> None:
            words = tf.lookup.TextFileInitializer(
                str(source),
                tf.string,
                tf.lookup.TextFileIndex.WHOLE_LINE,
                tf.int64,
                tf.lookup.TextFileIndex.LINE_NUMBER,
            )
            self.table = tf.lookup.StaticHashTable(words, -1)

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="word")])
        def place(self, word: tf.Tensor) -> dict[str, tf.Tensor]:
            return {"place": self.table.lookup(word)}

    model = Vocabulary()
    tf.saved_model.save(model, str(folder), signatures={"serving_default": model.place})
    source.unlink()


def of_type(dtype: tf.DType, compute: Callable[[tf.Tensor], tf.Tensor]) -> Callable[[Path], None]:
    """A model `x` -> `y` of one type and any batch size, without variables."""

    def graph(session: tf.compat.v1.Session) -> Signatures:
        x = v1.placeholder(dtype, [None], name="x")
        return {"serving_default": signature("predict", {"x": x}, {"y": tf.identity(compute(x), "y")})}

    return lambda folder: save_graph(folder, graph)


def scalar(session: tf.compat.v1.Session) -> Signatures:
    """`x` -> `y` = x + 1 without a batch, and `text` -> `joined` of strings."""
    x = v1.placeholder(tf.float32, [], name="x")
    text = v1.placeholder(tf.string, [], name="text")
    return {
        "serving_default": signature("predict", {"x": x}, {"y": x + 1.0}),
        "text": signature("predict", {"text": text}, {"joined": text + "!"}),
    }


def multi_output(session: tf.compat.v1.Session) -> Signatures:
    """`a`, `b` -> `sum`, `product`."""
    a, b = v1.placeholder(tf.float32, [None], name="a"), v1.placeholder(tf.float32, [None], name="b")
    return {"serving_default": signature("predict", {"a": a, "b": b}, {"sum": a + b, "product": a * b})}


def bytes_output(session: tf.compat.v1.Session) -> Signatures:
    """`image_bytes` -> `image_bytes` and `text`, both as they came."""
    image = v1.placeholder(tf.string, [None], name="image")
    outputs = {"image_bytes": tf.identity(image), "text": tf.identity(image)}
    return {"serving_default": signature("predict", {"image_bytes": image}, outputs)}


def without_inputs(session: tf.compat.v1.Session) -> Signatures:
    """Nothing -> `answer` = [42]."""
    return {"serving_default": signature("predict", {}, {"answer": tf.constant([42], tf.int32)})}


def failing(session: tf.compat.v1.Session) -> Signatures:
    """`index` -> `value`: fails at run time unless 0 <= index < 3."""
    index = v1.placeholder(tf.int32, [None], name="index")
    return {
        "serving_default": signature(
            "predict", {"index": index}, {"value": tf.gather([1.0, 2.0, 3.0], index)}
        )
    }


def slow(session: tf.compat.v1.Session) -> Signatures:
    """`steps` -> `count`: counts to it, some 10 microseconds a step."""
    steps = v1.placeholder(tf.int32, [], name="steps")
    count = tf.while_loop(lambda i: i < steps, lambda i: (i + 1,), (tf.constant(0),))[0]
    return {"serving_default": signature("predict", {"steps": steps}, {"count": count})}


def counter(session: tf.compat.v1.Session) -> Signatures:
    """`delta` -> `output`: a sum that every request adds to, as in Serving's testdata/export_counter.py."""
    total = v1.get_variable("counter", initializer=0.0, use_resource=False)
    delta = v1.placeholder(tf.float32, [], name="delta")
    return {
        "incr_counter_by": signature("predict", {"delta": delta}, {"output": v1.assign_add(total, delta)}),
        "get_counter": signature("predict", {}, {"output": total}),
    }


def odd_classes(session: tf.compat.v1.Session) -> Signatures:
    """Signatures of classification and regression, some of which cannot be answered.

    Labels and scores are constants of two classes for each example.
    """
    examples = v1.placeholder(tf.string, [None], name="tf_example")
    each = tf.size(examples)
    classes = tf.tile(tf.constant([["no", "yes"]]), [each, 1])
    scores = tf.tile(tf.constant([[0.25, 0.75]]), [each, 1])
    flat, two, whole = scores[:, 0], scores[:1], tf.cast(scores * 4.0, tf.int32)
    named = {
        "both": {"classes": classes, "scores": scores},
        "labels": {"classes": classes},
        "flat_scores": {"scores": flat},
        "whole_scores": {"scores": whole},
        "number_labels": {"classes": whole},
        "few_scores": {"scores": two},
        "uneven": {"classes": classes, "scores": scores[:, :1]},
        "other_names": {"labels": classes},
        "three": {"classes": classes, "scores": scores, "more": scores},
    }
    made = {name: signature("classify", {"inputs": examples}, outputs) for name, outputs in named.items()}
    made["two_inputs"] = signature("classify", {"inputs": examples, "more": examples}, {"scores": scores})
    made["other_input"] = signature("classify", {"examples": examples}, {"scores": scores})
    made["regress_wide"] = signature("regress", {"inputs": examples}, {"outputs": scores})
    made["regress_flat"] = signature("regress", {"inputs": examples}, {"outputs": flat})
    made["regress_few"] = signature("regress", {"inputs": examples}, {"outputs": flat[:1]})
    made["regress_whole"] = signature("regress", {"inputs": examples}, {"outputs": whole[:, 0]})
    made["regress_other"] = signature("regress", {"inputs": examples}, {"values": flat})
    made["unheard_of"] = signature("rank", {"inputs": examples}, {"scores": scores})
    return made


def signature(method: str, inputs: Mapping[str, tf.Tensor], outputs: Mapping[str, tf.Tensor]) -> Any:
    """A SignatureDef with the method name `tensorflow/serving/{method}`."""
    infos = [
        {name: signatures.build_tensor_info(tensor) for name, tensor in tensors.items()}
        for tensors in (inputs, outputs)
    ]
    return signatures.build_signature_def(*infos, f"tensorflow/serving/{method}")


def save_graph(folder: Path, graph: Callable[[tf.compat.v1.Session], Signatures]) -> None:
    """Save what `graph` builds in a new graph, as TensorFlow 1 did."""
    builder = signatures.builder.SavedModelBuilder(str(folder))
    with v1.Session(graph=tf.Graph()) as session:
        named = graph(session)
        session.run(v1.global_variables_initializer())
        builder.add_meta_graph_and_variables(session, ["serve"], named)
    builder.save()


def from_graph(graph: Callable[[tf.compat.v1.Session], Signatures]) -> Callable[[Path], None]:
    return lambda folder: save_graph(folder, graph)


BUILDERS: dict[str, Callable[[Path], None]] = {
    "half_plus_two": half_plus(2.0),
    "half_plus_three": half_plus(3.0),
    "half_plus_two_tf2": half_plus_two_tf2,
    "vocabulary": vocabulary,
    "int32": of_type(tf.int32, lambda x: x * 2),
    "int64": of_type(tf.int64, lambda x: x * 2),
    "uint8": of_type(tf.uint8, lambda x: x + tf.constant(1, tf.uint8)),
    "bool": of_type(tf.bool, tf.logical_not),
    "string": of_type(tf.string, lambda x: x + "!"),
    "half": of_type(tf.float16, lambda x: x * tf.constant(2.0, tf.float16)),
    "scalar": from_graph(scalar),
    "multi_output": from_graph(multi_output),
    "bytes": from_graph(bytes_output),
    "without_inputs": from_graph(without_inputs),
    "failing": from_graph(failing),
    "slow": from_graph(slow),
    "odd_classes": from_graph(odd_classes),
    "counter": from_graph(counter),
}


def make_empty(folder: Path) -> None:
    """A version folder with nothing in it."""
    shutil.rmtree(folder)
    folder.mkdir()


def remove_saved_model(folder: Path) -> None:
    """Variables without a graph."""
    (folder / "saved_model.pb").unlink()


def write_garbage(folder: Path) -> None:
    """A saved_model.pb that is none."""
    (folder / "saved_model.pb").write_bytes(b"this is not a protocol buffer\xff\xff\xff")


def remove_variables(folder: Path) -> None:
    """A graph without its variables."""
    shutil.rmtree(folder / "variables")


def truncate_variables(folder: Path) -> None:
    """The last bytes of the variables are missing."""
    (data,) = (folder / "variables").glob("variables.data-*")
    data.write_bytes(data.read_bytes()[:-3])


BREAKAGES: dict[str, Callable[[Path], None]] = {
    "empty": make_empty,
    "no_saved_model": remove_saved_model,
    "garbage": write_garbage,
    "missing_variables": remove_variables,
    "truncated_variables": truncate_variables,
}


# One a constant, so that an answer tells which version gave it.
BUILDERS |= {f"half_plus_{constant}": half_plus(float(constant)) for constant in range(10, 21)}


class SavedModels:
    """Copies of the models named in `BUILDERS`, each built at its first use."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def place(self, kind: str, folder: Path, broken: str | None = None) -> Path:
        """Make `folder` a version of that kind by one rename, as whoever publishes should; returns it.

        `broken` names what is done to the copy before, out of `BREAKAGES`.
        """
        built = self._root / kind
        if not built.exists():
            BUILDERS[kind](built)
        folder.parent.mkdir(parents=True, exist_ok=True)
        copy = folder.with_name(f".{folder.name}.incoming")
        shutil.copytree(built, copy)
        if broken:
            BREAKAGES[broken](copy)
        return copy.rename(folder)
