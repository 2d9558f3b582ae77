"""A model server that answers TensorFlow Serving's REST API from the same folders, for any SavedModel."""
