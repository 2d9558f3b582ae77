"""Ranking heads, one a file: each turns embedded features into one score per row."""
