"""Models and baselines: features -> embeddings -> head -> score."""
