"""From raw ratings to features that models train on. Only `batches` knows of TensorFlow."""
