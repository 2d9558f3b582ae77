"""Metrics of ratings, likes and rankings; docs/metrics.md defines them with examples."""
