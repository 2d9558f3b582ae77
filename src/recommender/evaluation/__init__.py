"""Predictions and rankings against held-out ratings; docs/metrics.md defines every number."""
