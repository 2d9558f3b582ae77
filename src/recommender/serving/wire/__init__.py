"""JSON requests to numpy arrays and back, as TensorFlow Serving's util/json_tensor.cc does it.

Reading and writing each have two paths. The fast one works on whole columns and takes only what it is certain
of; everything else, and every error, goes to the exact one, which follows Serving element by element. Tests
hold the two to the same answer.
"""
