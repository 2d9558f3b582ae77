"""TensorFlow Serving's REST API: from method, target and body to status, type and body."""
