"""Similar movies: what people like together, what they like next, and what shares genres."""

METHODS = ("item2vec", "graph", "genre")
