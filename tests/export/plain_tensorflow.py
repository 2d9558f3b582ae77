"""Loads a SavedModel in a process that imports nothing but TensorFlow, and answers requests from a pipe."""

import pickle
import sys
import time

import tensorflow as tf


def answer(model, name, inputs):
    function = model.signatures[name]
    specs = function.structured_input_signature[1]
    outputs = function(**{key: tf.constant(value, specs[key].dtype) for key, value in inputs.items()})
    return {key: value.numpy() for key, value in outputs.items()}


def main():
    started = time.perf_counter()
    model = tf.saved_model.load(sys.argv[1])
    foreign = {"recommender", "tf_keras", "tensorflow_recommenders"} & sys.modules.keys()
    pickle.dump({"seconds": time.perf_counter() - started, "foreign": foreign}, sys.stdout.buffer)
    sys.stdout.buffer.flush()
    while True:
        try:
            name, inputs = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        pickle.dump(answer(model, name, inputs), sys.stdout.buffer)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
