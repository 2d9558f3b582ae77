"""Counters and latencies under TensorFlow Serving's names, in the text format of Prometheus."""
